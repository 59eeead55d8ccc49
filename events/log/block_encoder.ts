import { crc32 } from 'node:zlib';
import type { EventBatch } from '../batch.js';
import { assert, P2mError } from '../errors.js';
import { FAULT, type EntryCodec, type Word } from '../word.js';
import { blockChain } from './chain.js';
import {
  BLOCK_CHAIN_AT,
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  BLOCK_PAYLOAD,
  BlockHeader,
  CHECKED_BYTES,
  HEADER_BYTES,
  HEADER_WORDS,
  isFull,
  PAYLOAD_RECORD_MAX,
  RECORD_WORDS,
  swapToHost,
} from './layout.js';
import { badByte, describe, handlesIn, isHandle, isPlain, OPERANDS_AT, payloadColumnOf } from './record.js';

const TWO_32 = 0x1_0000_0000;

/** Where a segment stands between two blocks. */
export interface SegmentState {
  /** Events before. */
  readonly seq: number;
  /** The chain behind the last block, or behind the header. */
  readonly chain: Uint8Array;
  /** The wide values that the segment has named, in order: words of the codec of whoever goes on. */
  readonly wide: readonly Word[];
}

/**
 * Makes the blocks of a segment (layout.ts) of events, one after the other.
 *
 * @throws {P2mError} from `add`: the payload of one event is longer than the format takes (code `capacity`)
 * @throws AssertionError from `add`: a column holds what its field cannot; what is written can be read
 */
export class BlockEncoder {
  readonly #codec: EntryCodec;
  /** The block in hand: its header, its records; at its end the other sections are put behind them. */
  #block = new Int32Array(HEADER_WORDS + RECORD_WORDS * BLOCK_EVENTS + 1024);
  #events = 0;
  #payload = new Int32Array(1024);
  #payloadInts = 0;
  /** Wide values first used in the block in hand: lower word, upper word. */
  readonly #wide: number[] = [];
  /** Number in the segment of each handle of the codec that was used. */
  readonly #handles = new Map<Word, Word>();
  #seq: number;
  #chain: Uint8Array;

  /** @param state where the segment stands; the words of events belong to `codec` */
  constructor(codec: EntryCodec, state: SegmentState) {
    this.#codec = codec;
    this.#seq = state.seq;
    this.#chain = state.chain;
    for (const word of state.wide) this.#handles.set(word, this.#handles.size + 1);
  }

  /** Events in the block in hand. */
  get events(): number {
    return this.#events;
  }

  /** Events before the block in hand. */
  get seq(): number {
    return this.#seq;
  }

  /** The chain behind the last block. */
  get chain(): Uint8Array {
    return this.#chain;
  }

  /**
   * Adds the events of the batch from row `start` on to the block in hand, until that is full. Gives the row behind the last
   * that was added.
   */
  add(batch: EventBatch, start: number): number {
    const words = this.#block;
    const { kind, cpu, op, a, b, c, d, e, length } = batch;
    const end = Math.min(length, start + BLOCK_EVENTS - this.#events);
    let at = HEADER_WORDS + RECORD_WORDS * this.#events;
    let i = start;
    for (let full = false; i < end && !full; i++, at += RECORD_WORDS) {
      const envelope = kind[i]! | (cpu[i]! << 8);
      const number = op[i]!;
      const va = a[i]!;
      const vb = b[i]!;
      const vc = c[i]!;
      const vd = d[i]!;
      const ve = e[i]!;
      words[at] = envelope;
      words[at + 1] = number;
      words[at + 2] = va;
      words[at + 3] = vb;
      words[at + 4] = vc;
      words[at + 5] = vd;
      words[at + 6] = ve;
      words[at + 7] = 0;
      if (!isPlain(envelope, number, va, vb, vc, vd, ve, 0)) full = this.#resolve(batch, i, at);
    }
    this.#events += i - start;
    return i;
  }

  /** Checks the record at word `at`, of row `i`, and numbers what it names. Returns whether the block is full with it. */
  #resolve(batch: EventBatch, i: number, at: number): boolean {
    const words = this.#block;
    const bad = badByte(words, at);
    if (bad >= 0) unwritable(words, at, bad);
    const handles = handlesIn(words, at);
    if (handles !== 0) this.#numberColumns(words, at, handles);
    const payload = payloadColumnOf(batch.kind[i]!);
    if (payload < 0) return false;
    const kept = this.#keepPayload(batch.payloadAt(batch.column(payload)[i]!));
    words[at + OPERANDS_AT + payload] = kept;
    return this.#payloadInts >= BLOCK_PAYLOAD;
  }

  /** Whether the block in hand must be taken before another event is added. */
  get isFull(): boolean {
    return isFull(this.#events, this.#payloadInts);
  }

  /**
   * Ends the block in hand, and gives its bytes: valid until the next event is added.
   * @param durable bytes of the segment that are on disk
   * @param magic   which kind of block; only one of events has any
   */
  take(durable: number, magic: number = BLOCK_MAGIC): Uint8Array {
    assert((magic === BLOCK_MAGIC) === this.#events > 0, 'a block of events has some, the others have none');
    const wideAt = HEADER_WORDS + RECORD_WORDS * this.#events;
    const payloadAt = wideAt + this.#wide.length;
    const end = payloadAt + this.#payloadInts;
    if (end > this.#block.length) {
      const larger = new Int32Array(end + 1024);
      larger.set(this.#block.subarray(0, wideAt));
      this.#block = larger;
    }
    const block = this.#block;
    block.set(this.#wide, wideAt);
    block.set(this.#payload.subarray(0, this.#payloadInts), payloadAt);
    block[BlockHeader.magic] = magic;
    block[BlockHeader.events] = this.#events;
    block[BlockHeader.seqLo] = this.#seq;
    block[BlockHeader.seqHi] = Math.floor(this.#seq / TWO_32);
    block[BlockHeader.wideValues] = this.#wide.length / 2;
    block[BlockHeader.payloadInts] = this.#payloadInts;
    block[BlockHeader.durableLo] = durable;
    block[BlockHeader.durableHi] = Math.floor(durable / TWO_32);
    swapToHost(block.subarray(0, end));
    return this.#sealed(new Uint8Array(block.buffer, 0, end * 4));
  }

  /** Puts checksums and chain into the block, and begins the next. */
  #sealed(bytes: Uint8Array): Uint8Array {
    const view = new DataView(bytes.buffer);
    const isEmpty = bytes.length === HEADER_BYTES;
    view.setUint32(BlockHeader.bodyCrc * 4, isEmpty ? 0 : crc32(bytes.subarray(HEADER_BYTES)), true);
    this.#chain = blockChain(bytes, this.#chain);
    bytes.set(this.#chain, BLOCK_CHAIN_AT);
    view.setUint32(BlockHeader.headerCrc * 4, crc32(bytes.subarray(0, CHECKED_BYTES)), true);
    this.#seq += this.#events;
    this.#events = 0;
    this.#payloadInts = 0;
    this.#wide.length = 0;
    return bytes;
  }

  #numberColumns(words: Int32Array, at: number, mask: number): void {
    for (let c = OPERANDS_AT, left = mask; left !== 0; c++, left >>>= 1) {
      if ((left & 1) !== 0) words[at + c] = this.#number(words[at + c]!);
    }
  }

  /** Puts a payload record, runs `[count, word, stride]`, into the section; gives its place there. */
  #keepPayload(runs: Int32Array): number {
    if (runs.length > PAYLOAD_RECORD_MAX) {
      throw new P2mError('capacity', 'an event is too long for the log', {
        got: `${runs.length / 3} runs of entries`,
        expected: `at most ${Math.floor(PAYLOAD_RECORD_MAX / 3)}`,
      });
    }
    const place = this.#payloadInts;
    const end = place + 1 + runs.length;
    if (end > this.#payload.length) {
      const larger = new Int32Array(Math.max(end, 2 * this.#payload.length));
      larger.set(this.#payload.subarray(0, place));
      this.#payload = larger;
    }
    const kept = this.#payload;
    kept[place] = runs.length;
    kept.set(runs, place + 1);
    for (let at = place + 2; at < end; at += 3) {
      assert(kept[at] !== FAULT && kept[at - 1]! > 0, 'a run has entries that can be stored');
      if (isHandle(kept[at]!)) kept[at] = this.#number(kept[at]!);
    }
    assert(runs.length % 3 === 0, 'a payload record is runs of three');
    this.#payloadInts = end;
    return place;
  }

  /** The handle in the segment of a handle of the codec. */
  #number(handle: Word): Word {
    let number = this.#handles.get(handle);
    if (number === undefined) {
      this.#wide.push(this.#codec.rawLo(handle), this.#codec.rawHi(handle));
      number = this.#handles.size + 1;
      this.#handles.set(handle, number);
    }
    return number;
  }
}

function unwritable(words: Int32Array, at: number, byte: number): never {
  const { what, got, expected } = describe(words, at, byte);
  assert(false, `an event cannot be written: ${what}: got ${got}, want ${expected}`);
}
