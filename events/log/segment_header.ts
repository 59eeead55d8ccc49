import { crc32 } from 'node:zlib';
import { P2mError, type Place } from '../errors.js';
import type { Complain } from './block_decoder.js';
import { checkCrc } from './block_header.js';
import { sameChain, segmentChain } from './chain.js';
import { orderedFacts, parseFacts, type EventsHeader } from './events_header.js';
import {
  CHAIN_BYTES,
  CHECKED_BYTES,
  FACTS_BYTES_MAX,
  FILE_CHAIN_AT,
  FileHeader,
  HEADER_BYTES,
  MAGIC,
  VERSION,
} from './layout.js';

const TWO_32 = 0x1_0000_0000;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Where a segment begins in its log. */
export interface SegmentStart {
  /** Its number, from 0. */
  readonly segment: number;
  /** Events before it. */
  readonly seq: number;
  /** The chain behind the segment before; `NO_CHAIN` in the first. */
  readonly chain: Uint8Array;
}

/** Header and facts of a segment, and the chain behind them. @throws {P2mError} code `capacity`: the facts are too long */
export function segmentHeader(header: EventsHeader, start: SegmentStart): { bytes: Uint8Array; chain: Uint8Array } {
  const facts = new TextEncoder().encode(JSON.stringify(orderedFacts(header)));
  const factsBytes = (facts.length + 3) & ~3;
  if (factsBytes > FACTS_BYTES_MAX) {
    throw new P2mError('capacity', 'the header of the log is too long', {
      got: `${factsBytes} bytes`,
      expected: `at most ${FACTS_BYTES_MAX}`,
    });
  }
  const bytes = new Uint8Array(HEADER_BYTES + factsBytes);
  bytes.set(MAGIC);
  bytes.set(start.chain, FILE_CHAIN_AT);
  bytes.set(facts, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (word: number, value: number): void => view.setUint32(word * 4, value, true);
  put(FileHeader.version, VERSION);
  put(FileHeader.factsBytes, factsBytes);
  put(FileHeader.seqLo, start.seq % TWO_32);
  put(FileHeader.seqHi, Math.floor(start.seq / TWO_32));
  put(FileHeader.segment, start.segment);
  put(FileHeader.factsCrc, crc32(bytes.subarray(HEADER_BYTES)));
  put(FileHeader.headerCrc, crc32(bytes.subarray(0, CHECKED_BYTES)));
  return { bytes, chain: segmentChain(bytes) };
}

/** What the header of a segment says before its facts. */
export interface SegmentHeader extends SegmentStart {
  readonly factsBytes: number;
  readonly factsCrc: number;
}

/** Checks the first bytes of a log, as far as there are any. @throws what `complain` makes */
export function checkMagic(bytes: Uint8Array, complain: Complain): void {
  const got = bytes.subarray(0, MAGIC.length);
  if (got.every((byte, i) => byte === MAGIC[i])) return;
  throw complain('no log of events', 0, hex(got), hex(MAGIC));
}

/** Reads the header of a segment: `HEADER_BYTES`. @throws what `complain` makes, at bytes from the segment's beginning */
export function readSegmentHeader(bytes: Uint8Array, complain: Complain): SegmentHeader {
  checkMagic(bytes, complain);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const version = word(FileHeader.version);
  if (version !== VERSION) {
    throw complain('another version of the format', FileHeader.version * 4, String(version), String(VERSION));
  }
  checkCrc('the header', bytes.subarray(0, CHECKED_BYTES), word(FileHeader.headerCrc), 0, complain);
  const factsBytes = word(FileHeader.factsBytes);
  if (factsBytes === 0 || factsBytes % 4 !== 0 || factsBytes > FACTS_BYTES_MAX) {
    const expected = `a multiple of 4 up to ${FACTS_BYTES_MAX}`;
    throw complain('bad length of the facts', FileHeader.factsBytes * 4, String(factsBytes), expected);
  }
  const zero = word(FileHeader.zero);
  if (zero !== 0) throw complain('reserved bytes are used', FileHeader.zero * 4, String(zero), '0');
  return {
    segment: word(FileHeader.segment),
    seq: word(FileHeader.seqHi) * TWO_32 + word(FileHeader.seqLo),
    chain: bytes.slice(FILE_CHAIN_AT, FILE_CHAIN_AT + CHAIN_BYTES),
    factsBytes,
    factsCrc: word(FileHeader.factsCrc),
  };
}

/** Reads the facts behind a header, which stand at `place`. @throws what `complain` makes */
export function readFacts(
  bytes: Uint8Array,
  { factsBytes, factsCrc }: SegmentHeader,
  place: Place,
  complain: Complain,
): EventsHeader {
  checkCrc('the facts of the header', bytes, factsCrc, HEADER_BYTES, complain);
  let textEnd = factsBytes;
  while (textEnd > factsBytes - 4 && bytes[textEnd - 1] === 0) textEnd--;
  let text = '';
  let json: unknown;
  try {
    text = UTF_8.decode(bytes.subarray(0, textEnd));
    json = JSON.parse(text);
  } catch {
    throw complain('the facts of the header are not JSON', HEADER_BYTES, text, '{"geometry":...} in UTF-8');
  }
  const header = parseFacts(json, place);
  const printed = JSON.stringify(header);
  if (printed === text) return header;
  throw complain('the facts of the header are written in another way', HEADER_BYTES, text, printed);
}

/** Checks that a segment goes on where the one before ended. @throws what `complain` makes */
export function checkGoesOn(header: SegmentHeader, expected: SegmentStart, complain: Complain): void {
  const bad = (what: string, word: number, got: string, want: string): P2mError => complain(what, word * 4, got, want);
  if (header.segment !== expected.segment) {
    throw bad('a segment is missing', FileHeader.segment, String(header.segment), String(expected.segment));
  }
  if (header.seq !== expected.seq) {
    throw bad('events are missing', FileHeader.seqLo, String(header.seq), String(expected.seq));
  }
  if (!sameChain(header.chain, expected.chain)) {
    throw bad('a segment of another log', FileHeader.chain, hex(header.chain), hex(expected.chain));
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
