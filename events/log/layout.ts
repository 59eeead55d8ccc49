/**
 * The binary event log (`.p2mlog`), format 1, as docs/log-format.md says it byte by byte. Everything is a 32-bit word,
 * little-endian; every byte is one of: magic, a number that is checked, text or records under a checksum, zeros that are
 * checked.
 *
 *     log       segment | segment | ...           one after the other in a file, or a file each in a folder
 *     segment   header | facts | block | block | ...
 *
 *     header    0  magic         89 70 32 6d 6c 6f 67 0a     ("\x89p2mlog\n")
 *     72 bytes  8  version       1
 *              12  factsBytes    bytes of the facts, zeros included: a multiple of 4
 *              16  seq           two words, the lower first: number of the segment's first event
 *              24  segment       its number, from 0
 *              28  0
 *              32  chain         32 bytes: the chain behind the last block of the segment before; zeros in segment 0
 *              64  factsCrc      CRC-32 of the facts
 *              68  headerCrc     CRC-32 of bytes 0 to 67
 *
 *     facts        EventsHeader as JSON, UTF-8; then zeros up to a multiple of 4; the same in all segments
 *
 *     block     0  magic         "p2mB" events; "p2mE" the writer has closed the log; "p2mN" the next segment follows
 *     72 bytes  4  events        1 to 4096; 0 in "p2mE" and "p2mN"
 *     and body  8  seq           two words: number of the first event; of all events before in "p2mE" and "p2mN"
 *              16  wideValues    values of the section `wide`
 *              20  payloadInts   words of the section `payload`
 *              24  durable       two words: bytes of the segment that were on disk when the block was written
 *              32  bodyCrc       CRC-32 of the three sections
 *              36  chain         32 bytes: SHA-256 of bytes 0 to 67, with the chain before in this place, and of the body
 *              68  headerCrc     CRC-32 of bytes 0 to 67
 *              72  records       32 bytes an event
 *               .  wide          8 bytes a raw entry: lower word, upper word
 *               .  payload       records [length, ints ...], in the order of the events that name them
 *
 *     record    0  kind u8 | cpu u8 | 0 u16
 *     32 bytes  4  op
 *               8  a, b, c, d, e                             columns that the kind does not use are 0
 *              28  0
 *
 * The chain before the first block of a segment is the SHA-256 of its header and facts.
 *
 * A word of an entry is as in word.ts. Its handles count from 1 on through the segment, in the order of first use: a record
 * after the other, columns before payload; a block's section `wide` holds the values that are first used in it. A column of
 * type payload holds the place of its record in the section. A block ends with the event that makes it full at the latest,
 * which is the 4096th, or the one whose payload makes the section 32768 words or longer.
 */

/** The first bytes of a segment; the first is no text, the last shows a transfer that changed the ends of lines. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x70, 0x32, 0x6d, 0x6c, 0x6f, 0x67, 0x0a);
/** Version of the format. */
export const VERSION = 1;
/** "p2mB" as a little-endian word: events. */
export const BLOCK_MAGIC = 0x426d3270;
/** "p2mE": the log was closed here. Whoever opens it again goes on behind it. */
export const END_MAGIC = 0x456d3270;
/** "p2mN": the segment is full, the next one follows. */
export const NEXT_MAGIC = 0x4e6d3270;

/** Bytes of the header of a segment and of a block. */
export const HEADER_BYTES = 72;
/** The same in words. */
export const HEADER_WORDS = HEADER_BYTES / 4;
/** Bytes of a header before its own checksum. */
export const CHECKED_BYTES = 68;
/** Bytes of a SHA-256. */
export const CHAIN_BYTES = 32;
/** Most bytes of facts. */
export const FACTS_BYTES_MAX = 1 << 16;
/** Words of a record. */
export const RECORD_WORDS = 8;
/** Most events in a block. */
export const BLOCK_EVENTS = 4096;
/** A block whose payload section has this many words or more is full. */
export const BLOCK_PAYLOAD = 1 << 15;
/** Most ints in one payload record. */
export const PAYLOAD_RECORD_MAX = 1 << 26;

/** Words of a segment's header, by their place. */
export const FileHeader = {
  version: 2,
  factsBytes: 3,
  seqLo: 4,
  seqHi: 5,
  segment: 6,
  zero: 7,
  chain: 8,
  factsCrc: 16,
  headerCrc: 17,
} as const;
/** Words of a block's header, by their place. */
export const BlockHeader = {
  magic: 0,
  events: 1,
  seqLo: 2,
  seqHi: 3,
  wideValues: 4,
  payloadInts: 5,
  durableLo: 6,
  durableHi: 7,
  bodyCrc: 8,
  chain: 9,
  headerCrc: 17,
} as const;

/** Byte of a header at which its chain begins. */
export const FILE_CHAIN_AT = FileHeader.chain * 4;
/** The same of a block. */
export const BLOCK_CHAIN_AT = BlockHeader.chain * 4;

/** Whether a block that holds this much is full. */
export function isFull(events: number, payloadInts: number): boolean {
  return events === BLOCK_EVENTS || payloadInts >= BLOCK_PAYLOAD;
}

const HOST_IS_LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Turns words as they stand in a file into the machine's, or back, in place. */
export function swapToHost(words: Int32Array, hostIsLittle = HOST_IS_LITTLE): void {
  if (hostIsLittle) return;
  for (let i = 0; i < words.length; i++) {
    const w = words[i]!;
    words[i] = (w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24);
  }
}
