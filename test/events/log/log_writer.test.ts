import { describe, expect, it } from 'vitest';
import { AssertionError, EntryCodec, EventBatch, KINDS, LogWriter, mfnWord, P2mError } from '../../../events/index.js';
import { swapToHost } from '../../../events/log/layout.js';
import { HEADER, read, smallLog, write } from './logs.js';

describe('LogWriter', () => {
  it('writes the bytes that docs/log-format.md describes', () => {
    const { batch, codec } = smallLog();
    expect(Buffer.from(write(HEADER, batch, codec)).toString('hex')).toBe(
      [
        // magic, version, bytes of the facts, seq, segment, zeros, no chain, the facts' CRC, the header's CRC
        '8970326d6c6f670a' + '01000000' + '34000000' + '0000000000000000' + '00000000' + '00000000',
        '0000000000000000000000000000000000000000000000000000000000000000' + '788dc5c3' + '16dbc506',
        Buffer.from('{"geometry":"tiny","kernel":"7.0","entryBits":64}').toString('hex') + '000000',
        // magic, events, seq, wide values, payload ints, durable, the body's CRC, the chain, the header's CRC
        '70326d42' + '05000000' + '0000000000000000' + '02000000' + '07000000' + '0000000000000000' + '72b0ab32',
        '92c3179d11b9b2af339a4e09a66d627ac5a35c928fd08ddb174cb42e1b80c6b0' + '54a9cdcc',
        // kind, cpu, zeros, op; a to e; zeros: boot, set_entry, set_pte, look_up, set_entry
        '0c000000' + '01000000' + '04000000' + '00000000' + '00000000' + '00000000' + '00000000' + '00000000',
        '0a010000' + '02000000' + '05000000' + '1f000000' + '00000000' + '02000000' + '00000000' + '00000000',
        '09010000' + '02000000' + '05000000' + '09000000' + '0d000000' + '7f000000' + '00000000' + '00000000',
        '2a000000' + '03000000' + '05000000' + 'ffff0f00' + 'ffffff3f' + '00000000' + '00000000' + '00000000',
        '0a010000' + '02000000' + '05000000' + '1f000000' + '02000000' + '01000000' + '00000000' + '00000000',
        // the wide values 0x12300000001 and 0x12300000002
        '01000000' + '23010000' + '02000000' + '23010000',
        // 6 ints: 3 entries from m:1000 on, 1 entry with handle 1
        '06000000' + '03000000' + 'e8030040' + '01000000' + '01000000' + '01000000' + '00000000',
        // the end, after 5 events
        '70326d45' + '00000000' + '0500000000000000' + '00000000' + '00000000' + '0000000000000000' + '00000000',
        '6974c45419621ecece91440f0f376a2ba99dc6194298a057c0ad6636b775ab1d' + 'ce16b687',
      ].join(''),
    );
  });

  it('ends a block with the event that makes it full', () => {
    const codec = new EntryCodec(64);
    const batch = new EventBatch();
    for (let i = 0; i < 4097; i++) batch.push(KINDS.lock.id, 0, i);
    const runs = Array.from({ length: 11_000 }, (_, i) => [1, mfnWord(i), 0]).flat();
    batch.push(KINDS.boot.id, 0, 0, 4, batch.pushPayload(runs));
    batch.push(KINDS.unlock.id, 0, 0);
    const file = write(HEADER, batch, codec);
    const back = read(file, 1000);
    expect(back.error).toBe('');
    expect(back.events).toHaveLength(4099);
    const first = 72 + 52 + 72;
    const second = first + 4096 * 32 + 72;
    const third = second + 2 * 32 + (runs.length + 1) * 4 + 72;
    expect([0, 4095, 4096, 4097, 4098].map((i) => back.bytes[i])).toEqual([
      first,
      first + 4095 * 32,
      second,
      second + 32,
      third,
    ]);
    expect(file.length).toBe(third + 32 + 72);
    expect(Buffer.compare(back.again, file)).toBe(0);
  });

  it('refuses facts that are too long', () => {
    const header = { ...HEADER, origin: 'x'.repeat(70_000) };
    expect(() => write(header, new EventBatch(), new EntryCodec(64))).toThrow(P2mError);
  });

  it('takes facts of any length up to that', () => {
    for (let length = 0; length < 9; length++) {
      const header = { ...HEADER, origin: 'x'.repeat(length) };
      expect(read(write(header, new EventBatch(), new EntryCodec(64)))).toMatchObject({ header, error: '' });
    }
  });

  it.each([
    ['an unknown kind', 99, [0]],
    ['a column that the kind does not use', KINDS.lock.id, [1]],
    ['a name that there is not', KINDS.free_page.id, [3, 99]],
    ['a negative pfn', KINDS.set_entry.id, [-1, 3, 0, 0]],
    ['a handle that the codec never gave out', KINDS.set_entry.id, [1, 3, 0, 5]],
  ])('fails where an event has %s: what is written can be read', (_, kind, [a, b, c, d]) => {
    const batch = new EventBatch();
    batch.push(kind, 0, 0, a, b, c, d);
    expect(() => write(HEADER, batch, new EntryCodec(64))).toThrow(AssertionError);
  });

  it('takes nothing after it was closed', () => {
    const writer = new LogWriter(() => undefined, HEADER, new EntryCodec(64));
    writer.close();
    expect(() => writer.append(new EventBatch())).toThrow(AssertionError);
    expect(() => writer.close()).toThrow(AssertionError);
  });
});

describe('swapToHost', () => {
  it('turns the bytes of each word round on a big-endian machine, and nothing on ours', () => {
    const words = Int32Array.of(0x01020304, -2);
    swapToHost(words);
    expect([...words]).toEqual([0x01020304, -2]);
    swapToHost(words, false);
    expect([...words]).toEqual([0x04030201, 0xfeffffff | 0]);
    swapToHost(words, false);
    expect([...words]).toEqual([0x01020304, -2]);
  });
});
