import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { P2mError, parseEvents, printEvents, printLines, viewEvent } from '../../events/index.js';
import { batches } from './batches.js';

describe.each([64, 32] as const)('printEvents and parseEvents, %d-bit entries', (bits) => {
  const header = { geometry: bits === 64 ? 'tiny' : 'tiny-pae', kernel: '5.17', entryBits: bits };

  it('give the same events back, and the same text again', () => {
    fc.assert(
      fc.property(batches(bits), fc.nat(1e6), ({ batch, codec }, seq) => {
        const text = printEvents(header, batch, codec, seq);
        const parsed = parseEvents(text);
        expect(parsed.header).toEqual(header);
        expect(parsed.seq).toBe(batch.length === 0 ? 0 : seq);
        expect(parsed.batch.length).toBe(batch.length);
        for (let i = 0; i < batch.length; i++) {
          expect(viewEvent(parsed.batch, i, parsed.codec)).toEqual(viewEvent(batch, i, codec));
        }
        expect(printEvents(parsed.header, parsed.batch, parsed.codec, seq)).toBe(text);
      }),
    );
  });

  it('print each event as JSON.stringify prints its view', () => {
    fc.assert(
      fc.property(batches(bits), ({ batch, codec }) => {
        const lines = Array.from({ length: batch.length }, (_, i) => `${JSON.stringify(viewEvent(batch, i, codec))}\n`);
        expect(printLines(batch, codec)).toBe(lines.join(''));
      }),
    );
  });

  it('refuse a text that is cut anywhere', () => {
    fc.assert(
      fc.property(
        batches(bits),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ({ batch, codec }, where) => {
          const text = printEvents(header, batch, codec);
          const cut = text.slice(0, Math.floor(where * text.length));
          expect(() => parseEvents(cut)).toThrow(P2mError);
        },
      ),
    );
  });

  it('refuse a text with a line left out, whichever it is', () => {
    fc.assert(
      fc.property(batches(bits), fc.nat(), ({ batch, codec }, pick) => {
        const lines = printEvents(header, batch, codec).split('\n').slice(0, -1);
        lines.splice(pick % lines.length, 1);
        expect(() => parseEvents(lines.map((line) => `${line}\n`).join(''))).toThrow(P2mError);
      }),
    );
  });
});
