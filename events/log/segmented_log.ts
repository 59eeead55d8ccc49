import { EventBatch } from '../batch.js';
import { assert, inputError, P2mError } from '../errors.js';
import { EntryCodec } from '../word.js';
import { BlockDecoder } from './block_decoder.js';
import { checkBody } from './block_header.js';
import { chainText, NO_CHAIN } from './chain.js';
import type { EventsHeader } from './events_header.js';
import { BLOCK_MAGIC, HEADER_BYTES, swapToHost } from './layout.js';
import { readBytes, type LogStorage, type SegmentFile } from './log_storage.js';
import { complainOf, openOrTorn, openSegment, SegmentScan, type ScannedBlock } from './segment_scan.js';
import type { SegmentStart } from './segment_header.js';
import { lastAtMost, type LogEnd, type StoredLog } from './stored_log.js';

/** Decoded blocks that are kept: a look-up often asks for one that was asked for lately. */
const CACHED_BLOCKS = 64;

/** A block of events, and the segment that it is in. */
interface Indexed {
  readonly scan: number;
  readonly block: ScannedBlock;
  /** Wide values that the segment named before it. */
  readonly wideBefore: number;
}

/** A binary log in its files, read at any place; it may grow meanwhile. What it keeps of a block is its header. */
export class SegmentedLog implements StoredLog {
  readonly name: string;
  readonly header: EventsHeader;
  readonly codec: EntryCodec;
  readonly #storage: LogStorage;
  readonly #files: SegmentFile[] = [];
  readonly #scans: SegmentScan[] = [];
  /** Blocks of each scan that are in `#blocks`. */
  #indexed = 0;
  readonly #blocks: Indexed[] = [];
  /** Number of the first event of each block, and behind them of all. */
  readonly #seqs: number[] = [0];
  readonly #cache = new Map<number, EventBatch>();
  #wide = 0;
  /** The last segment has no header yet. */
  #tornNext: LogEnd | undefined;

  /**
   * Opens a log as far as it is there.
   * @throws {P2mError} code `bad-input`, with file and byte: it is none, it is damaged, or a segment of it is missing
   */
  constructor(name: string, storage: LogStorage) {
    this.name = name;
    this.#storage = storage;
    const [first] = storage.list();
    if (first === undefined)
      throw inputError('no log of events', { file: name, got: 'no segment', expected: '.p2mlog' });
    const file = storage.open(first);
    const opened = openSegment(file, storage.pathOf(first), { segment: 0, seq: 0, chain: NO_CHAIN });
    this.header = opened.facts;
    this.codec = new EntryCodec(opened.facts.entryBits);
    this.#files.push(file);
    this.#scans.push(new SegmentScan(file, storage.pathOf(first), opened, this.codec));
    this.refresh();
  }

  get events(): number {
    return this.#seqs.at(-1)!;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  get end(): LogEnd {
    const { end, seq } = this.#scans.at(-1)!;
    // The writer was stopped before it began the next segment.
    if (end.kind === 'next') return this.#tornNext ?? { kind: 'open' };
    if (end.kind !== 'torn') return { kind: end.kind };
    const { place, bytes, why } = end;
    return { kind: 'torn', place, bytes, why: why.message, events: seq };
  }

  /** The chain behind the last block, an end among them, as hexadecimal digits. */
  get head(): string {
    return chainText(this.#scans.at(-1)!.chain);
  }

  seqOf(block: number): number {
    return this.#seqs[block]!;
  }

  blockOf(seq: number): number {
    return lastAtMost(this.#seqs, this.blocks, seq);
  }

  chainAt(block: number): string {
    return chainText(this.#blocks[block]!.block.chain);
  }

  read(block: number): EventBatch {
    const cached = this.#cache.get(block);
    if (cached !== undefined) return cached;
    const batch = this.#decode(this.#blocks[block]!);
    if (this.#cache.size === CACHED_BLOCKS) this.#cache.delete(this.#cache.keys().next().value!);
    this.#cache.set(block, batch);
    return batch;
  }

  refresh(): boolean {
    const before = this.events;
    for (;;) {
      const scan = this.#scans.at(-1)!;
      scan.read();
      this.#index(scan);
      if (scan.end.kind !== 'next' || !this.#openNext(scan)) break;
    }
    return this.events > before;
  }

  /** Gives the files back. */
  close(): void {
    for (const file of this.#files.splice(0)) file.close();
  }

  #openNext(scan: SegmentScan): boolean {
    const segment = this.#scans.length;
    const name = this.#storage.list()[segment];
    if (name === undefined) return false;
    const file = this.#storage.open(name);
    const path = this.#storage.pathOf(name);
    const start: SegmentStart = { segment, seq: scan.seq, chain: scan.chain };
    const isLast = this.#storage.list().length === segment + 1;
    const opened = isLast ? openOrTorn(file, path, start) : openSegment(file, path, start);
    if (opened instanceof P2mError) {
      // It is being begun, or its writer was killed meanwhile: there is nothing in it.
      const place = { file: path, byte: 0 };
      this.#tornNext = { kind: 'torn', place, bytes: file.size(), why: opened.message, events: scan.seq };
      file.close();
      return false;
    }
    this.#tornNext = undefined;
    const [facts, expected] = [JSON.stringify(opened.facts), JSON.stringify(this.header)];
    if (facts !== expected) throw inputError('a segment with other facts', { file: path, got: facts, expected });
    this.#files.push(file);
    this.#scans.push(new SegmentScan(file, path, opened, this.codec));
    this.#indexed = 0;
    this.#wide = 0;
    return true;
  }

  #index({ blocks }: SegmentScan): void {
    for (; this.#indexed < blocks.length; this.#indexed++) {
      const block = blocks[this.#indexed]!;
      if (block.magic !== BLOCK_MAGIC) continue;
      this.#blocks.push({ scan: this.#scans.length - 1, block, wideBefore: this.#wide });
      this.#seqs.push(block.seq + block.events);
      this.#wide += block.wideValues;
    }
  }

  #decode({ scan, block, wideBefore }: Indexed): EventBatch {
    const { path, values } = this.#scans[scan]!;
    const complainOfFile = complainOf(path);
    const complain: typeof complainOfFile = (what, byte, got, want) => complainOfFile(what, block.at + byte, got, want);
    const end = block.at + HEADER_BYTES + block.bodyBytes;
    const bytes = readBytes(this.#files[scan]!, block.at, end);
    if (block.at + bytes.length < end) throw complain('the log is cut', bytes.length, 'the end of the file', 'a block');
    checkBody(bytes.subarray(HEADER_BYTES), block, complain);
    const words = new Int32Array(bytes.buffer, 0, bytes.length / 4);
    swapToHost(words);
    const batch = new EventBatch(block.events);
    new BlockDecoder(values, complain).decode(words, wideBefore, batch);
    assert(batch.length === block.events, 'a block that was decoded is whole');
    return batch;
  }
}
