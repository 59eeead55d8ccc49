import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryCodec, EventBatch, pushEvent, viewEvent } from '../../../events/index.js';
import { batches } from '../batches.js';
import { HEADER, read, write } from './logs.js';

describe.each([64, 32] as const)('LogWriter and LogReader, %d-bit entries', (bits) => {
  const header = { ...HEADER, geometry: bits === 64 ? 'tiny' : 'tiny-pae', entryBits: bits };

  it('give the same events back, and the same bytes again, in whatever pieces they come', () => {
    fc.assert(
      fc.property(batches(bits), fc.integer({ min: 1, max: 3000 }), ({ batch, codec }, size) => {
        const file = write(header, batch, codec);
        const back = read(file, size);
        expect(back.error).toBe('');
        expect(back.header).toEqual(header);
        expect(back.events).toEqual(Array.from({ length: batch.length }, (_, i) => viewEvent(batch, i, codec)));
        expect(Buffer.compare(back.again, file)).toBe(0);
      }),
    );
  });

  it('write the same bytes however the events are batched', () => {
    fc.assert(
      fc.property(batches(bits), fc.integer({ min: 1, max: 10 }), ({ batch, codec }, size) => {
        expect(Buffer.compare(write(header, batch, codec, size), write(header, batch, codec))).toBe(0);
      }),
    );
  });

  it('write the same bytes whatever handles the words have beside their codec', () => {
    fc.assert(
      fc.property(batches(bits), fc.array(fc.nat(), { maxLength: 5 }), ({ batch, codec }, others) => {
        const otherCodec = new EntryCodec(bits);
        for (const other of others) otherCodec.fromRaw(bits === 64 ? 0x77 : 0, (other | 0xc000_0000) >>> 0);
        const same = new EventBatch();
        for (let i = batch.length - 1; i >= 0; i--) pushEvent(same, viewEvent(batch, i, codec), otherCodec);
        same.clear();
        for (let i = 0; i < batch.length; i++) pushEvent(same, viewEvent(batch, i, codec), otherCodec);
        expect(Buffer.compare(write(header, same, otherCodec), write(header, batch, codec))).toBe(0);
      }),
    );
  });
});
