import { EventBatch } from '../batch.js';
import { inputError, type P2mError, type Place } from '../errors.js';
import { EntryCodec } from '../word.js';
import { BlockDecoder, WideValues } from './block_decoder.js';
import { checkBody, readBlockHeader, type BlockFacts } from './block_header.js';
import { blockChain, NO_CHAIN, sameChain, segmentChain } from './chain.js';
import type { EventHandler, EventReader } from './contract.js';
import type { EventsHeader } from './events_header.js';
import {
  BLOCK_CHAIN_AT,
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  BlockHeader,
  END_MAGIC,
  HEADER_BYTES,
  HEADER_WORDS,
  MAGIC,
  NEXT_MAGIC,
  RECORD_WORDS,
  swapToHost,
} from './layout.js';
import {
  checkGoesOn,
  checkMagic,
  readFacts,
  readSegmentHeader,
  type SegmentHeader,
  type SegmentStart,
} from './segment_header.js';

/** What the piece in hand is. */
type Piece = 'header' | 'facts' | 'block header' | 'block';

/** How the binary log is read. */
export interface LogReaderOptions {
  /** Checks the chain too, which takes four times as long as the checksums alone. */
  readonly chain?: boolean;
}

/**
 * Reads the binary log (layout.ts), segment after segment, piece by piece: a block is handed on once its checksum holds, as
 * one batch.
 *
 * @throws {P2mError} from `push` and `end`, with file and byte: no log, another version, a wrong checksum or chain, a record
 *   that is none, a block or segment that is missing, a log that is cut
 */
export class LogReader implements EventReader {
  readonly #handler: EventHandler;
  readonly #file: string;
  readonly #checksChain: boolean;
  /** The piece in hand, from byte `#start` of the file on; a header stays before what it is of. */
  #bytes = new Uint8Array(HEADER_BYTES + BLOCK_EVENTS * RECORD_WORDS * 4);
  #have = 0;
  #need = HEADER_BYTES;
  #start = 0;
  #piece: Piece = 'header';

  /** What the next segment must say of itself. */
  #expected: SegmentStart = { segment: 0, seq: 0, chain: NO_CHAIN };
  #segment: SegmentHeader | undefined;
  #header: EventsHeader | undefined;
  #codec = new EntryCodec(64);
  #values = new WideValues(this.#codec);
  #block: BlockFacts | undefined;
  #seq = 0;
  #chain: Uint8Array = NO_CHAIN;
  /** Magic of the last block; 0 before the first of a segment. */
  #last = 0;
  readonly #batch = new EventBatch(BLOCK_EVENTS);

  constructor(handler: EventHandler, file: string, options: LogReaderOptions = {}) {
    this.#handler = handler;
    this.#file = file;
    this.#checksChain = options.chain ?? false;
  }

  /** Events handed on. */
  get events(): number {
    return this.#seq;
  }

  /** The chain behind the last block that was read. */
  get chain(): Uint8Array {
    return this.#chain;
  }

  get pending(): number {
    return this.#have;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(this.#need - this.#have, bytes.length - at);
      this.#keep(bytes.subarray(at, at + count));
      at += count;
      if (this.#have === this.#need) this.#pieceIsHere();
    }
  }

  end(): boolean {
    const byte = this.#start + this.#have;
    if (byte === 0) throw this.#bad('no events', 0, 'an empty file', 'an event log');
    if (this.#piece === 'block header' && this.#have === 0) return this.#last === END_MAGIC;
    if (this.#piece === 'header' && this.#expected.segment === 0) {
      checkMagic(this.#bytes.subarray(0, Math.min(this.#have, MAGIC.length)), this.#complain);
    }
    const rest = `${this.#need - this.#have} bytes more of this ${this.#piece}`;
    const expected = this.#piece === 'header' && this.#have === 0 ? `segment ${this.#expected.segment}` : rest;
    throw this.#bad('the log is cut', byte, 'the end of the file', expected);
  }

  placeOf(row: number): Place {
    return { file: this.#file, byte: this.#start + HEADER_BYTES + row * RECORD_WORDS * 4 };
  }

  #keep(bytes: Uint8Array): void {
    const have = this.#have + bytes.length;
    if (have > this.#bytes.length) {
      // As bytes come, not as the header promises: nobody gets memory for a promise.
      const larger = new Uint8Array(Math.min(this.#need, Math.max(have, 2 * this.#bytes.length)));
      larger.set(this.#bytes.subarray(0, this.#have));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#have);
    this.#have = have;
  }

  #pieceIsHere(): void {
    switch (this.#piece) {
      case 'header':
        return this.#readHeader();
      case 'facts':
        return this.#readFacts();
      case 'block header':
        return this.#readBlockHeader();
      default:
        return this.#readBlock();
    }
  }

  /** What is in hand is done with: the next piece has `bytes` bytes. */
  #next(piece: Piece, bytes: number): void {
    this.#start += this.#have;
    this.#have = 0;
    this.#piece = piece;
    this.#need = bytes;
  }

  #readHeader(): void {
    const header = readSegmentHeader(this.#bytes, this.#complain);
    checkGoesOn(header, this.#expected, this.#complain);
    this.#segment = header;
    this.#piece = 'facts';
    this.#need = HEADER_BYTES + header.factsBytes;
  }

  #readFacts(): void {
    const place = { file: this.#file, byte: this.#start + HEADER_BYTES };
    const facts = readFacts(this.#bytes.subarray(HEADER_BYTES, this.#need), this.#segment!, place, this.#complain);
    this.#chain = segmentChain(this.#bytes.subarray(0, this.#need));
    const first = this.#header === undefined;
    if (first) {
      this.#header = facts;
      this.#codec = new EntryCodec(facts.entryBits);
    } else if (JSON.stringify(facts) !== JSON.stringify(this.#header)) {
      throw this.#bad('a segment with other facts', place.byte, JSON.stringify(facts), JSON.stringify(this.#header));
    }
    this.#values = new WideValues(this.#codec);
    this.#last = 0;
    this.#next('block header', HEADER_BYTES);
    if (first) this.#handler.onHeader(facts, this.#codec);
  }

  #readBlockHeader(): void {
    const block = readBlockHeader(this.#bytes, this.#seq, this.#complain);
    this.#block = block;
    this.#piece = 'block';
    this.#need = HEADER_BYTES + block.bodyBytes;
    if (block.bodyBytes === 0) this.#readBlock();
  }

  #readBlock(): void {
    const block = this.#block!;
    const bytes = this.#bytes.subarray(0, this.#need);
    checkBody(bytes.subarray(HEADER_BYTES), block, this.#complain);
    if (this.#checksChain) this.#checkChain(bytes, block);
    this.#chain = block.chain;
    this.#last = block.magic;
    if (block.magic === BLOCK_MAGIC) this.#readEvents(block);
    if (block.magic === NEXT_MAGIC) {
      this.#expected = { segment: this.#expected.segment + 1, seq: this.#seq, chain: block.chain };
      return this.#next('header', HEADER_BYTES);
    }
    this.#next('block header', HEADER_BYTES);
  }

  #checkChain(bytes: Uint8Array, { chain }: BlockFacts): void {
    if (!sameChain(blockChain(bytes, this.#chain), chain)) throw chainError(this.#complain);
  }

  #readEvents({ wideValues }: BlockFacts): void {
    const words = new Int32Array(this.#bytes.buffer, 0, this.#need / 4);
    swapToHost(words);
    const wideAt = HEADER_WORDS + RECORD_WORDS * words[BlockHeader.events]!;
    const before = this.#values.count;
    this.#values.add(words, wideAt, wideAt + 2 * wideValues, 0, this.#complain);
    try {
      new BlockDecoder(this.#values, this.#complain).decode(words, before, this.#batch);
    } finally {
      // What stands before a fault is handed on before it is told.
      this.#handOn();
    }
  }

  #handOn(): void {
    if (this.#batch.length === 0) return;
    const seq = this.#seq;
    this.#seq += this.#batch.length;
    this.#handler.onEvents(this.#batch, seq);
  }

  /** A complaint of what is wrong `byte` bytes behind the beginning of the piece in hand. */
  readonly #complain = (what: string, byte: number, got: string, expected: string): P2mError =>
    this.#bad(what, this.#start + byte, got, expected);

  #bad(what: string, byte: number, got: string, expected: string): P2mError {
    return inputError(what, { file: this.#file, byte, got, expected });
  }
}

/** A block whose chain is not that of its bytes and of what stands before. */
export function chainError(
  complain: (what: string, byte: number, got: string, expected: string) => P2mError,
): P2mError {
  return complain(
    'the chain is broken',
    BLOCK_CHAIN_AT,
    'another hash',
    'the SHA-256 of the chain before and the block',
  );
}
