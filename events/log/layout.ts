/**
 * The binary event log (`.p2mlog`), draft 0. Everything is a 32-bit word, little-endian; every byte is one of: magic,
 * a number that is checked, text or records under a checksum, zeros that are checked. Nothing may follow the end block.
 *
 *     file      header | facts | block | block | ... | end block
 *
 *     header    0  magic         89 70 32 6d 6c 6f 67 0a     ("\x89p2mlog\n")
 *     32 bytes  8  version       0
 *              12  factsBytes    bytes of the facts, zeros included: a multiple of 4
 *              16  0 0
 *              24  factsCrc      CRC-32 of the facts
 *              28  headerCrc     CRC-32 of bytes 0 to 27
 *
 *     facts        EventsHeader as JSON, UTF-8; then zeros up to a multiple of 4
 *
 *     block     0  magic         "p2mB"; of the end block "p2mE"
 *     32 bytes  4  events        1 to 4096; 0 in the end block
 *     and body  8  seq           two words, the lower first: number of the first event; of all events in the end block
 *              16  wideValues    values of the section `wide`
 *              20  payloadInts   words of the section `payload`
 *              24  bodyCrc       CRC-32 of the three sections
 *              28  headerCrc     CRC-32 of bytes 0 to 27
 *              32  records       32 bytes an event
 *               .  wide          8 bytes a raw entry: lower word, upper word
 *               .  payload       records [length, ints ...], in the order of the events that name them
 *
 *     record    0  kind u8 | cpu u8 | 0 u16
 *     32 bytes  4  op
 *               8  a, b, c, d, e                             columns that the kind does not use are 0
 *              28  0
 *
 * A word of an entry is as in word.ts. Its handles count from 1 on through the file, in the order of first use: a record
 * after the other, columns before payload; a block's section `wide` holds the values that are first used in it. A column of
 * type payload holds the place of its record in the section. A block ends with the event that makes it full, which is the
 * 4096th, or the one whose payload makes the section 32768 words or longer; only the last one may hold less. So there is
 * one file for given facts and events.
 */

/** The first bytes of a file; the first is no text, the last shows a transfer that changed the ends of lines. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x70, 0x32, 0x6d, 0x6c, 0x6f, 0x67, 0x0a);
/** Version of the format: a draft. */
export const VERSION = 0;
/** "p2mB" as a little-endian word: a block. */
export const BLOCK_MAGIC = 0x426d3270;
/** "p2mE": the end block. */
export const END_MAGIC = 0x456d3270;

/** Bytes of the header of the file and of a block. */
export const HEADER_BYTES = 32;
/** Bytes of a header before its own checksum. */
export const CHECKED_BYTES = 28;
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

/** Words of the headers, by their place. */
export const FileHeader = { version: 2, factsBytes: 3, zero0: 4, zero1: 5, factsCrc: 6, headerCrc: 7 } as const;
/** Words of a block's header, by their place. */
export const BlockHeader = {
  magic: 0,
  events: 1,
  seqLo: 2,
  seqHi: 3,
  wideValues: 4,
  payloadInts: 5,
  bodyCrc: 6,
  headerCrc: 7,
} as const;

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
