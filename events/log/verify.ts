import { inputError, P2mError } from '../errors.js';
import { EntryCodec } from '../word.js';
import { BlockDecoder, WideValues, type Complain } from './block_decoder.js';
import { checkBody, readBlockHeader, type BlockFacts } from './block_header.js';
import { blockChain, chainText, NO_CHAIN, sameChain } from './chain.js';
import type { EventsHeader } from './events_header.js';
import {
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  END_MAGIC,
  FACTS_BYTES_MAX,
  HEADER_BYTES,
  HEADER_WORDS,
  NEXT_MAGIC,
  RECORD_WORDS,
  swapToHost,
} from './layout.js';
import { chainError } from './log_reader.js';
import { readBytes, type LogStorage, type SegmentFile } from './log_storage.js';
import { checkGoesOn, type SegmentStart } from './segment_header.js';
import { complainOf, openSegment, type OpenedSegment } from './segment_scan.js';

/** Bytes that are looked through at once for the next block behind a damaged one. */
const SEARCH_BYTES = 1 << 20;

/** What a verified log is. */
export interface LogSummary {
  readonly segments: number;
  readonly blocks: number;
  /** Events in blocks that are in order. */
  readonly events: number;
  readonly findings: number;
  /** The chain behind the last block, 64 hexadecimal digits; undefined where there is no block to speak of. */
  readonly head: string | undefined;
  /** `torn`: the last finding is what a crash leaves, and `repair` cuts. */
  readonly end: 'closed' | 'open' | 'torn' | 'damaged';
  /** Of the chain that was asked for: events before it, and findings before it; undefined: it is not in the log. */
  readonly sealed: { readonly events: number; readonly findings: number } | undefined;
}

/**
 * Reads all of a log and checks every byte of it: headers, checksums, the chain, each record, that nothing is missing.
 * Tells of each finding as it comes, goes on behind it where a next block can be found, and returns what the log is.
 *
 * @throws {P2mError} code `bad-input`: there is no log
 * @param head a chain, 64 hexadecimal digits: looked for, so that it can be said whether anything before it has changed
 */
export function* verifyLog(storage: LogStorage, head?: string): Generator<P2mError, LogSummary, undefined> {
  return yield* new Verification(storage, head).run();
}

class Verification {
  readonly #storage: LogStorage;
  readonly #wanted: string | undefined;
  #facts: EventsHeader | undefined;
  #codec = new EntryCodec(64);
  #segments = 0;
  #blocks = 0;
  #events = 0;
  #findings = 0;
  #next: SegmentStart = { segment: 0, seq: 0, chain: NO_CHAIN };
  #sealed: LogSummary['sealed'];
  /** Magic of the last block. */
  #last = 0;
  /** Findings that no crash explains: a whole block stands behind them, or they are in one that is whole. */
  #damage = 0;

  constructor(storage: LogStorage, wanted: string | undefined) {
    this.#storage = storage;
    this.#wanted = wanted;
  }

  *run(): Generator<P2mError, LogSummary, undefined> {
    const names = this.#storage.list();
    if (names.length === 0)
      throw inputError('no log of events', { file: this.#storage.pathOf(''), expected: 'a segment' });
    for (const [segment, name] of names.entries()) {
      if (this.#segments > 0 && this.#last !== NEXT_MAGIC && this.#findings === 0) {
        yield this.#found(complainOf(this.#storage.pathOf(name))('a segment that nobody announced', 0, 'it', 'none'));
      }
      const file = this.#storage.open(name);
      try {
        yield* this.#segment(file, this.#storage.pathOf(name), segment === names.length - 1);
      } finally {
        file.close();
      }
    }
    return this.#summary();
  }

  #summary(): LogSummary {
    const { segment, chain } = this.#next;
    return {
      segments: this.#segments,
      blocks: this.#blocks,
      events: this.#events,
      findings: this.#findings,
      head: segment === 0 && chain === NO_CHAIN ? undefined : chainText(chain),
      end: this.#end(),
      sealed: this.#sealed,
    };
  }

  #end(): LogSummary['end'] {
    if (this.#findings > 0) return this.#damage > 0 ? 'damaged' : 'torn';
    return this.#last === END_MAGIC ? 'closed' : 'open';
  }

  *#segment(file: SegmentFile, path: string, isLast: boolean): Generator<P2mError, void, undefined> {
    this.#segments++;
    let opened: OpenedSegment;
    try {
      opened = openSegment(file, path);
      checkGoesOn(opened.header, this.#next, complainOf(path));
    } catch (error) {
      yield this.#found(error);
      const isBegun = isLast && file.size() < HEADER_BYTES + FACTS_BYTES_MAX;
      if (!isBegun || nextBlock(file, HEADER_BYTES, file.size()) !== undefined) this.#damage++;
      return;
    }
    this.#facts ??= opened.facts;
    if (this.#segments === 1) this.#codec = new EntryCodec(opened.facts.entryBits);
    const [facts, expected] = [JSON.stringify(opened.facts), JSON.stringify(this.#facts)];
    if (facts !== expected) {
      yield this.#found(complainOf(path)('a segment with other facts', HEADER_BYTES, facts, expected));
      this.#damage++;
    }
    this.#next = { ...this.#next, chain: opened.chain };
    yield* this.#blocksOf(file, path, opened.blocksAt, isLast);
    this.#next = { ...this.#next, segment: this.#next.segment + 1 };
  }

  *#blocksOf(file: SegmentFile, path: string, start: number, isLast: boolean): Generator<P2mError, void, undefined> {
    const size = file.size();
    const blocks = new SegmentBlocks(file, path, this.#codec);
    for (let at = start; at < size; at = blocks.end) {
      try {
        this.#block(blocks, at, size);
      } catch (error) {
        yield this.#found(error);
      }
      // The header is no good: it does not say how long the block is.
      if (blocks.end > at) continue;
      const next = nextBlock(file, at + 4, size);
      blocks.skipTo(next?.at ?? size);
      if (next !== undefined) this.#next = { ...this.#next, seq: next.seq };
    }
    if (!isLast && this.#findings > 0) this.#damage = this.#findings;
    if (isLast || this.#last === NEXT_MAGIC) return;
    yield this.#found(
      complainOf(path)('the log is cut', size, 'the end of the file', 'the mark that a segment follows'),
    );
    this.#damage = this.#findings;
  }

  /** Checks the block at byte `at`. */
  #block(blocks: SegmentBlocks, at: number, size: number): void {
    const facts = blocks.open(at, size, this.#next.seq);
    const before = this.#next.chain;
    // Whatever is wrong with the block, the next one goes on behind it.
    this.#next = { ...this.#next, seq: facts.seq + facts.events, chain: facts.chain };
    this.#last = facts.magic;
    blocks.checkBody(facts);
    // A whole block: what was wrong before it, no crash has done.
    this.#damage = this.#findings;
    this.#tried(() => blocks.checkContent(facts, before));
    this.#blocks++;
    this.#events += facts.events;
    if (this.#wanted !== undefined && chainText(facts.chain) === this.#wanted) {
      this.#sealed = { events: facts.seq + facts.events, findings: this.#findings };
    }
  }

  /** What is wrong inside a block that is whole is damage too. */
  #tried(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#damage++;
      throw error;
    }
  }

  #found(error: unknown): P2mError {
    if (!(error instanceof P2mError) || error.code !== 'bad-input') throw error;
    this.#findings++;
    return error;
  }
}

/** The blocks of a segment, checked one by one. */
class SegmentBlocks {
  readonly #file: SegmentFile;
  readonly #complain: Complain;
  readonly #values: WideValues;
  /** Some block before could not be read: handles are not known any more. */
  #forgot = false;
  readonly #decoder: BlockDecoder;
  #bytes = new Uint8Array(HEADER_BYTES + BLOCK_EVENTS * RECORD_WORDS * 4);
  #at = 0;
  /** The byte behind the block in hand; of one whose header is no good, its first. */
  end = 0;

  constructor(file: SegmentFile, path: string, codec: EntryCodec) {
    this.#file = file;
    const complain = complainOf(path);
    this.#complain = (what, byte, got, expected) => complain(what, this.#at + byte, got, expected);
    this.#values = new WideValues(codec);
    this.#decoder = new BlockDecoder(this.#values, this.#complain);
  }

  /** Goes on at byte `at`: what stands before it is no block. */
  skipTo(at: number): void {
    this.end = at;
    this.#forgot = true;
  }

  open(at: number, size: number, seq: number): BlockFacts {
    this.#at = at;
    this.end = at;
    const head = readBytes(this.#file, at, at + HEADER_BYTES);
    if (head.length < HEADER_BYTES) throw this.#cut(size - at);
    const facts = readBlockHeader(head, seq, this.#complain);
    const bytes = HEADER_BYTES + facts.bodyBytes;
    if (at + bytes > size) throw this.#cut(size - at);
    if (bytes > this.#bytes.length) this.#bytes = new Uint8Array(bytes);
    this.#bytes.set(head);
    for (let have = HEADER_BYTES; have < bytes;) {
      have += this.#file.read(this.#bytes.subarray(have, bytes), at + have);
    }
    this.end = at + bytes;
    return facts;
  }

  checkBody(facts: BlockFacts): void {
    this.#keepingValues(facts, (bytes) => checkBody(bytes.subarray(HEADER_BYTES), facts, this.#complain));
  }

  /** Checks the chain, and each record. */
  checkContent(facts: BlockFacts, before: Uint8Array): void {
    this.#keepingValues(facts, (bytes) => {
      if (!sameChain(blockChain(bytes, before), facts.chain)) throw chainError(this.#complain);
      if (facts.magic === BLOCK_MAGIC) this.#records(facts);
    });
  }

  #keepingValues({ wideValues }: BlockFacts, check: (bytes: Uint8Array) => void): void {
    try {
      check(this.#bytes.subarray(0, this.end - this.#at));
    } catch (error) {
      if (wideValues > 0) this.#forgot = true;
      throw error;
    }
  }

  #records({ events, wideValues }: BlockFacts): void {
    if (this.#forgot) return;
    const words = new Int32Array(this.#bytes.buffer, 0, (this.end - this.#at) / 4);
    swapToHost(words);
    const before = this.#values.count;
    const wideAt = HEADER_WORDS + RECORD_WORDS * events;
    this.#values.add(words, wideAt, wideAt + 2 * wideValues, 0, this.#complain);
    this.#decoder.check(words, before);
  }

  #cut(have: number): P2mError {
    return this.#complain('the log is cut', have, 'the end of the file', 'a whole block');
  }
}

/** The first block from byte `from` on whose header is in order. */
function nextBlock(file: SegmentFile, from: number, size: number): { at: number; seq: number } | undefined {
  for (let start = from; start < size; start += SEARCH_BYTES) {
    const bytes = readBytes(file, start, Math.min(size, start + SEARCH_BYTES + HEADER_BYTES));
    for (let i = 0; i + HEADER_BYTES <= bytes.length; i += 4) {
      if (bytes[i] !== 0x70 || bytes[i + 1] !== 0x32 || bytes[i + 2] !== 0x6d) continue;
      try {
        const { seq } = readBlockHeader(bytes.subarray(i, i + HEADER_BYTES), undefined, complainOf(''));
        return { at: start + i, seq };
      } catch {
        // Bytes of events that look like a block's.
      }
    }
  }
  return undefined;
}
