import { inputError, P2mError, type Place } from '../errors.js';
import type { EntryCodec } from '../word.js';
import { WideValues, type Complain } from './block_decoder.js';
import { checkBody, readBlockHeader, type BlockFacts } from './block_header.js';
import { segmentChain } from './chain.js';
import type { EventsHeader } from './events_header.js';
import {
  BLOCK_MAGIC,
  END_MAGIC,
  FACTS_BYTES_MAX,
  HEADER_BYTES,
  NEXT_MAGIC,
  RECORD_WORDS,
  swapToHost,
} from './layout.js';
import { readBytes, type SegmentFile } from './log_storage.js';
import { checkGoesOn, readFacts, readSegmentHeader, type SegmentHeader, type SegmentStart } from './segment_header.js';

/** Bytes that are looked through at once for blocks behind a fault. */
const SEARCH_BYTES = 1 << 20;

/** The header of a segment, and the place of its first block. */
export interface OpenedSegment {
  readonly header: SegmentHeader;
  readonly facts: EventsHeader;
  /** The chain behind header and facts. */
  readonly chain: Uint8Array;
  readonly blocksAt: number;
}

/** What makes complaints of a segment. */
export function complainOf(path: string): Complain {
  return (what, byte, got, expected) => inputError(what, { file: path, byte, got, expected });
}

/**
 * Reads the header of a segment.
 * @param expected where the log goes on; undefined: at any place
 * @throws {P2mError} it is none, cut, damaged, or not the one that follows
 */
export function openSegment(file: SegmentFile, path: string, expected?: SegmentStart): OpenedSegment {
  const complain = complainOf(path);
  const bytes = readBytes(file, 0, HEADER_BYTES);
  if (bytes.length < HEADER_BYTES) throw cut(path, bytes.length, 'a header');
  const header = readSegmentHeader(bytes, complain);
  if (expected !== undefined) checkGoesOn(header, expected, complain);
  const blocksAt = HEADER_BYTES + header.factsBytes;
  const all = readBytes(file, 0, blocksAt);
  if (all.length < blocksAt) throw cut(path, all.length, 'the facts of the header');
  const facts = readFacts(all.subarray(HEADER_BYTES), header, { file: path, byte: HEADER_BYTES }, complain);
  return { header, facts, chain: segmentChain(all), blocksAt };
}

function cut(path: string, byte: number, what: string): P2mError {
  return inputError('the log is cut', { file: path, byte, got: 'the end of the file', expected: what });
}

/**
 * As `openSegment`, for the last segment of a log: why it is none, where that is what a writer leaves that is killed while it
 * begins one: no header, or half of one, and nothing behind it.
 * @throws {P2mError} it is damaged
 */
export function openOrTorn(file: SegmentFile, path: string, expected: SegmentStart): OpenedSegment | P2mError {
  try {
    return openSegment(file, path, expected);
  } catch (error) {
    const isShort = file.size() <= HEADER_BYTES + FACTS_BYTES_MAX;
    const isBad = error instanceof P2mError && error.code === 'bad-input';
    if (isBad && isShort && !hasBlocks(file)) return error;
    throw error;
  }
}

/** Whether anything was written behind a header. */
function hasBlocks(file: SegmentFile): boolean {
  const bytes = readBytes(file, 0, file.size());
  for (let at = HEADER_BYTES; at + HEADER_BYTES <= bytes.length; at += 4) {
    if (headerAt(bytes.subarray(at, at + HEADER_BYTES)) !== undefined) return true;
  }
  return false;
}

/** A block of a segment, and where it stands. */
export interface ScannedBlock extends BlockFacts {
  readonly at: number;
}

/** How the blocks of a segment end. */
export type SegmentEnd =
  | { readonly kind: 'closed' | 'open' | 'next' }
  /** Bytes from `place` on that no crash explains, or that one does: `isDamage` tells. */
  | { readonly kind: 'torn'; readonly place: Place; readonly bytes: number; readonly why: P2mError };

/**
 * The blocks of a segment, one after the other, by their headers. The bodies of the last ones, which a crash may have torn,
 * are checked when the scan gets to the end; those that a later block says were on disk before it was written are not: a
 * reader checks them when it reads them.
 */
export class SegmentScan {
  readonly path: string;
  readonly #file: SegmentFile;
  readonly #complain: Complain;
  readonly blocks: ScannedBlock[] = [];
  /** The wide values of all blocks. */
  readonly values: WideValues;
  readonly #chain: Uint8Array;
  readonly #first: number;
  #at: number;
  /** Blocks whose bodies were checked, or need not be. */
  #checked = 0;
  end: SegmentEnd = { kind: 'open' };

  constructor(file: SegmentFile, path: string, segment: OpenedSegment, codec: EntryCodec) {
    this.#file = file;
    this.path = path;
    this.#complain = complainOf(path);
    this.values = new WideValues(codec);
    this.#chain = segment.chain;
    this.#first = segment.header.seq;
    this.#at = segment.blocksAt;
  }

  /** Number of the event behind the last block. */
  get seq(): number {
    const last = this.blocks.at(-1);
    return last === undefined ? this.#first : last.seq + last.events;
  }

  /** The chain behind the last block. */
  get chain(): Uint8Array {
    return this.blocks.at(-1)?.chain ?? this.#chain;
  }

  /** Bytes up to the end of the last block. */
  get bytes(): number {
    return this.#at;
  }

  /**
   * Goes on to the end of the file as it is now.
   * @throws {P2mError} what stands there is damaged: a block follows that was written after it was on disk
   */
  read(): void {
    if (this.end.kind === 'next') return;
    const size = this.#file.size();
    const why = this.#dropBadBodies(complaintOf(() => this.#readBlocks(size)));
    if (why === undefined) return;
    if (laterBlockVouches(this.#file, this.#at, size)) throw why;
    this.end = { kind: 'torn', place: { file: this.path, byte: this.#at }, bytes: size - this.#at, why };
  }

  #readBlocks(size: number): void {
    if (this.end.kind === 'torn') this.end = { kind: this.#lastKind() };
    while (this.#at < size && this.end.kind !== 'next') this.#readBlock(size);
  }

  #readBlock(size: number): void {
    const bytes = readBytes(this.#file, this.#at, this.#at + HEADER_BYTES);
    if (bytes.length < HEADER_BYTES) throw cut(this.path, size, 'a block');
    const facts = readBlockHeader(bytes, this.seq, this.#complainAt);
    const end = this.#at + HEADER_BYTES + facts.bodyBytes;
    if (end > size) throw cut(this.path, size, `${end - size} bytes more of this block`);
    if (facts.wideValues > 0) this.#readWide(facts);
    this.blocks.push({ ...facts, at: this.#at });
    this.#at = end;
    this.end = { kind: this.#lastKind() };
  }

  #lastKind(): 'closed' | 'open' | 'next' {
    const magic = this.blocks.at(-1)?.magic;
    if (magic === NEXT_MAGIC) return 'next';
    return magic === END_MAGIC ? 'closed' : 'open';
  }

  #readWide({ events, wideValues }: BlockFacts): void {
    const start = HEADER_BYTES + events * RECORD_WORDS * 4;
    const bytes = readBytes(this.#file, this.#at + start, this.#at + start + wideValues * 8);
    const words = new Int32Array(bytes.buffer, 0, bytes.length / 4);
    swapToHost(words);
    const before = this.values.count;
    try {
      this.values.add(words, 0, words.length, start, this.#complainAt);
    } catch (error) {
      this.values.drop(this.values.count - before);
      throw error;
    }
  }

  /** Checks the bodies that no later block vouches for; what stands from the first bad one on is not there. */
  #dropBadBodies(why: P2mError | undefined): P2mError | undefined {
    const last = this.blocks.at(-1);
    let bad: P2mError | undefined;
    for (let i = this.#checked; i < this.blocks.length && bad === undefined; i++) {
      if (!vouchesFor(last!, this.blocks[i]!.at)) bad = complaintOf(() => this.#checkBody(this.blocks[i]!));
      if (bad === undefined) this.#checked = i + 1;
      else this.#dropFrom(i);
    }
    return bad ?? why;
  }

  #checkBody(block: ScannedBlock): void {
    const start = block.at + HEADER_BYTES;
    const complain: Complain = (what, byte, got, expected) => this.#complain(what, block.at + byte, got, expected);
    checkBody(readBytes(this.#file, start, start + block.bodyBytes), block, complain);
  }

  /** Forgets blocks from `index` on. */
  #dropFrom(index: number): void {
    this.#at = this.blocks[index]!.at;
    const dropped = this.blocks.splice(index);
    this.values.drop(dropped.reduce((count, { wideValues }) => count + wideValues, 0));
  }

  readonly #complainAt: Complain = (what, byte, got, expected) => this.#complain(what, this.#at + byte, got, expected);
}

/** What `act` finds wrong with the bytes; undefined: nothing. */
function complaintOf(act: () => void): P2mError | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof P2mError && error.code === 'bad-input') return error;
    throw error;
  }
  return undefined;
}

/**
 * Whether the block says that what stands at byte `at`, before it, was whole when it was written: more than `at` bytes were
 * on disk by then, or it is an end, which is written last of all.
 */
function vouchesFor({ durable, magic }: BlockFacts, at: number): boolean {
  return durable > at || magic !== BLOCK_MAGIC;
}

/** Whether a block behind byte `at` vouches for what stands there. */
function laterBlockVouches(file: SegmentFile, at: number, size: number): boolean {
  for (let start = at; start < size; start += SEARCH_BYTES) {
    const bytes = readBytes(file, start, Math.min(size, start + SEARCH_BYTES + HEADER_BYTES));
    for (let i = 0; i + HEADER_BYTES <= bytes.length; i += 4) {
      if (bytes[i] !== 0x70 || bytes[i + 1] !== 0x32 || bytes[i + 2] !== 0x6d) continue;
      const block = headerAt(bytes.subarray(i));
      if (block !== undefined && start + i > at && vouchesFor(block, at)) return true;
    }
  }
  return false;
}

function headerAt(bytes: Uint8Array): BlockFacts | undefined {
  let block: BlockFacts | undefined;
  complaintOf(() => (block = readBlockHeader(bytes, undefined, complainOf(''))));
  return block;
}
