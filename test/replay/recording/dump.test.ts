import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryCodec, INVALID } from '../../../events/index.js';
import { readDump } from '../../../replay/recording/dump.js';

function dumpOf(entries: readonly bigint[], entryBytes: 4 | 8, offset = 0): Uint8Array {
  const bytes = new Uint8Array(offset + entries.length * entryBytes);
  const view = new DataView(bytes.buffer);
  entries.forEach((entry, i) => {
    if (entryBytes === 8) view.setBigUint64(offset + 8 * i, entry, true);
    else view.setUint32(offset + 4 * i, Number(entry), true);
  });
  return bytes.subarray(offset);
}

describe('readDump', () => {
  it('reads frames, missing, identity and foreign entries', () => {
    const codec = new EntryCodec(64);
    const dump = dumpOf([0x62000n, 0n, 2n ** 64n - 1n, (1n << 62n) | 0xfed00n, (1n << 63n) | 0x62253n], 8);
    const words = readDump(dump, codec, 'p2m-x.bin');
    expect(Array.from(words, (word) => codec.format(word))).toEqual(['m:401408', 'm:0', '~', 'i:1043712', 'f:402003']);
    expect(words[2]).toBe(INVALID);
  });

  it.each([64, 32] as const)('keeps every %i-bit value, wherever the bytes stand in memory', (bits) => {
    const entry = fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }),
      fc.bigInt({ min: 0n, max: 1n << 31n }),
    );
    fc.assert(
      fc.property(fc.array(entry), fc.nat(9), (entries, offset) => {
        const codec = new EntryCodec(bits);
        const words = readDump(dumpOf(entries, bits === 64 ? 8 : 4, offset), codec, 'p2m-x.bin');
        expect(Array.from(words, (word) => BigInt(codec.toHex(word)))).toEqual(entries);
      }),
    );
  });

  it.each([
    [64, 17, 16, 'a multiple of 8 bytes'],
    [64, 4, 0, 'a multiple of 8 bytes'],
    [32, 6, 4, 'a multiple of 4 bytes'],
  ] as const)('refuses, for %i-bit entries, a dump of %i bytes', (bits, length, byte, expected) => {
    expect(() => readDump(new Uint8Array(length), new EntryCodec(bits), 'p2m-x.bin')).toThrow(
      `p2m-x.bin:byte ${byte}: dump of odd length: got ${length} bytes, want ${expected}`,
    );
  });

  it('takes an empty dump', () => {
    expect(readDump(new Uint8Array(0), new EntryCodec(64), 'p2m-x.bin')).toHaveLength(0);
  });
});
