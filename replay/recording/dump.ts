import { type EntryCodec, inputError, INVALID, mfnWord, PAYLOAD_END } from '../../events/index.js';

/**
 * A dump of the linear list, `xen_p2m_addr[0..N)`: one little-endian entry a pfn, 8 bytes each with `codec.bits` 64 and
 * 4 bytes with 32, nothing else.
 *
 * @param bytes unzipped
 * @returns     the tagged word of each pfn, from pfn 0 on
 * @throws {P2mError} the length is no multiple of the entry's size
 */
export function readDump(bytes: Uint8Array, codec: EntryCodec, file: string): Int32Array {
  const entryBytes = codec.bits / 8;
  if (bytes.length % entryBytes !== 0) {
    throw inputError('dump of odd length', {
      file,
      byte: bytes.length - (bytes.length % entryBytes),
      got: `${bytes.length} bytes`,
      expected: `a multiple of ${entryBytes} bytes, one entry a pfn`,
    });
  }
  // A view, for the bytes need not be aligned and the machine need not be little-endian.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = new Int32Array(bytes.length / entryBytes);
  if (entryBytes === 8) {
    for (let pfn = 0; pfn < words.length; pfn++) words[pfn] = word64(view, 8 * pfn, codec);
  } else {
    for (let pfn = 0; pfn < words.length; pfn++) words[pfn] = codec.fromRaw(0, view.getUint32(4 * pfn, true));
  }
  return words;
}

/** Nearly all entries are plain frames or INVALID: those without the codec. */
function word64(view: DataView, byte: number, codec: EntryCodec): number {
  const lo = view.getUint32(byte, true);
  const hi = view.getUint32(byte + 4, true);
  if (hi === 0 && lo < PAYLOAD_END) return mfnWord(lo);
  if (hi === 0xffff_ffff && lo === 0xffff_ffff) return INVALID;
  return codec.fromRaw(hi, lo);
}
