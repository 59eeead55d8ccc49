import { crc32 } from 'node:zlib';
import type { P2mError } from '../errors.js';
import type { Complain } from './block_decoder.js';
import {
  BLOCK_CHAIN_AT,
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  BLOCK_PAYLOAD,
  BlockHeader,
  CHAIN_BYTES,
  CHECKED_BYTES,
  END_MAGIC,
  HEADER_BYTES,
  NEXT_MAGIC,
  PAYLOAD_RECORD_MAX,
  RECORD_WORDS,
} from './layout.js';

const TWO_32 = 0x1_0000_0000;
const MAGICS: readonly number[] = [BLOCK_MAGIC, END_MAGIC, NEXT_MAGIC];

/** What the header of a block says, once its checksum holds. */
export interface BlockFacts {
  /** `BLOCK_MAGIC`, `END_MAGIC` or `NEXT_MAGIC`. */
  readonly magic: number;
  readonly events: number;
  readonly seq: number;
  readonly wideValues: number;
  /** Bytes of the segment that were on disk when the block was written. */
  readonly durable: number;
  readonly bodyCrc: number;
  /** The chain behind the block; a copy. */
  readonly chain: Uint8Array;
  readonly bodyBytes: number;
}

/**
 * Reads the header of a block, whose first event must be `seq`, where that is known.
 * @param bytes `HEADER_BYTES` or more, the header first
 * @throws what `complain` makes, at bytes from the block's beginning
 */
export function readBlockHeader(bytes: Uint8Array, seq: number | undefined, complain: Complain): BlockFacts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const long = (index: number): number => word(index + 1) * TWO_32 + word(index);
  checkCrc('the header of a block', bytes.subarray(0, CHECKED_BYTES), word(BlockHeader.headerCrc), 0, complain);
  const bad = (what: string, place: number, got: number, expected: string): P2mError =>
    complain(what, place * 4, String(got), expected);
  const magic = word(BlockHeader.magic);
  const events = word(BlockHeader.events);
  const wideValues = word(BlockHeader.wideValues);
  const payloadInts = word(BlockHeader.payloadInts);
  const bodyCrc = word(BlockHeader.bodyCrc);
  if (!MAGICS.includes(magic)) throw bad('no block', BlockHeader.magic, magic, MAGICS.join(' or '));
  const first = long(BlockHeader.seqLo);
  if (seq !== undefined && first !== seq) throw bad('events are missing', BlockHeader.seqLo, first, `event ${seq}`);
  if (magic !== BLOCK_MAGIC) {
    const held = events + wideValues + payloadInts + bodyCrc;
    if (held > 0) throw bad('an end has no events', BlockHeader.events, held, '0');
  } else if (events === 0 || events > BLOCK_EVENTS) {
    throw bad('bad number of events', BlockHeader.events, events, `1 to ${BLOCK_EVENTS}`);
  }
  const payloadMax = BLOCK_PAYLOAD + PAYLOAD_RECORD_MAX;
  if (payloadInts > payloadMax) {
    throw bad('payload too long', BlockHeader.payloadInts, payloadInts, `at most ${payloadMax}`);
  }
  const wideMax = events * 5 + payloadInts;
  if (wideValues > wideMax) throw bad('too many wide values', BlockHeader.wideValues, wideValues, `at most ${wideMax}`);
  return {
    magic,
    events,
    seq: first,
    wideValues,
    durable: long(BlockHeader.durableLo),
    bodyCrc,
    chain: bytes.slice(BLOCK_CHAIN_AT, BLOCK_CHAIN_AT + CHAIN_BYTES),
    bodyBytes: (events * RECORD_WORDS + wideValues * 2 + payloadInts) * 4,
  };
}

/** Checks the body of a block. @throws what `complain` makes */
export function checkBody(body: Uint8Array, { bodyCrc, magic }: BlockFacts, complain: Complain): void {
  if (magic === BLOCK_MAGIC) checkCrc('a block', body, bodyCrc, HEADER_BYTES, complain);
}

/** Checks a checksum of `bytes`, which stand at byte `at`. @throws what `complain` makes */
export function checkCrc(of: string, bytes: Uint8Array, expected: number, at: number, complain: Complain): void {
  const got = crc32(bytes);
  if (got !== expected) {
    throw complain(`${of} is damaged`, at, `CRC-32 ${crcText(got)} of ${bytes.length} bytes`, crcText(expected));
  }
}

function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
