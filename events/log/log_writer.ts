import { crc32 } from 'node:zlib';
import type { EventBatch } from '../batch.js';
import { assert, P2mError } from '../errors.js';
import { FAULT, type EntryCodec, type Word } from '../word.js';
import type { ByteSink, EventWriter } from './contract.js';
import { orderedFacts, type EventsHeader } from './events_header.js';
import {
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  BlockHeader,
  CHECKED_BYTES,
  END_MAGIC,
  FACTS_BYTES_MAX,
  FileHeader,
  HEADER_BYTES,
  isFull,
  MAGIC,
  PAYLOAD_RECORD_MAX,
  RECORD_WORDS,
  swapToHost,
  VERSION,
} from './layout.js';
import { badByte, describe, handlesIn, isHandle, OPERANDS_AT, payloadColumnOf } from './record.js';

const TWO_32 = 0x1_0000_0000;

/**
 * Writes the binary log (layout.ts), a block at a time. The header goes out at once.
 *
 * @throws {P2mError} from the constructor, where the facts are longer than the format takes; from `append`, where the
 *   payload of one event is (code `capacity`)
 * @throws AssertionError where a column holds what its field cannot: what is written can be read
 */
export class LogWriter implements EventWriter {
  readonly #sink: ByteSink;
  readonly #codec: EntryCodec;
  /** The block in hand: its header, its records; at its end the other sections are put behind them. */
  #block = new Int32Array(RECORD_WORDS * (1 + BLOCK_EVENTS) + 1024);
  #events = 0;
  #payload = new Int32Array(1024);
  #payloadInts = 0;
  /** Wide values first used in the block in hand: lower word, upper word. */
  readonly #wide: number[] = [];
  /** Number in the file of each handle of the codec that was used. */
  readonly #handles = new Map<Word, Word>();
  /** Events before the block in hand. */
  #seq = 0;
  #closed = false;

  constructor(sink: ByteSink, header: EventsHeader, codec: EntryCodec) {
    assert(header.entryBits === codec.bits, `the log is for entries of ${header.entryBits} bits, the codec is not`);
    this.#sink = sink;
    this.#codec = codec;
    this.#writeHeader(header);
  }

  append(batch: EventBatch): void {
    assert(!this.#closed, 'the log is closed');
    for (let i = 0; i < batch.length; i++) {
      this.#record(batch, i);
      if (isFull(this.#events, this.#payloadInts)) this.#writeBlock(BLOCK_MAGIC);
    }
  }

  close(): void {
    assert(!this.#closed, 'the log is closed');
    if (this.#events > 0) this.#writeBlock(BLOCK_MAGIC);
    this.#writeBlock(END_MAGIC);
    this.#closed = true;
  }

  #writeHeader(header: EventsHeader): void {
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
    bytes.set(facts, HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(FileHeader.version * 4, VERSION, true);
    view.setUint32(FileHeader.factsBytes * 4, factsBytes, true);
    view.setUint32(FileHeader.factsCrc * 4, crc32(bytes.subarray(HEADER_BYTES)), true);
    view.setUint32(FileHeader.headerCrc * 4, crc32(bytes.subarray(0, CHECKED_BYTES)), true);
    this.#sink(bytes);
  }

  #record(batch: EventBatch, i: number): void {
    const words = this.#block;
    const at = RECORD_WORDS * (1 + this.#events);
    const kind = batch.kind[i]!;
    const payload = payloadColumnOf(kind);
    words[at] = kind | (batch.cpu[i]! << 8);
    words[at + 1] = batch.op[i]!;
    words[at + 2] = batch.a[i]!;
    words[at + 3] = batch.b[i]!;
    words[at + 4] = batch.c[i]!;
    words[at + 5] = batch.d[i]!;
    words[at + 6] = batch.e[i]!;
    words[at + 7] = 0;
    const bad = badByte(words, at);
    if (bad >= 0) unwritable(words, at, bad);
    const handles = handlesIn(words, at);
    if (handles !== 0) this.#numberColumns(words, at, handles);
    if (payload >= 0) words[at + OPERANDS_AT + payload] = this.#keepPayload(batch.payloadAt(batch.column(payload)[i]!));
    this.#events++;
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

  /** The handle in the file of a handle of the codec. */
  #number(handle: Word): Word {
    let number = this.#handles.get(handle);
    if (number === undefined) {
      this.#wide.push(this.#codec.rawLo(handle), this.#codec.rawHi(handle));
      number = this.#handles.size + 1;
      this.#handles.set(handle, number);
    }
    return number;
  }

  #writeBlock(magic: number): void {
    const wideAt = RECORD_WORDS * (1 + this.#events);
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
    swapToHost(block.subarray(0, end));
    const bytes = new Uint8Array(block.buffer, 0, end * 4);
    const view = new DataView(block.buffer);
    view.setUint32(BlockHeader.bodyCrc * 4, crc32(bytes.subarray(HEADER_BYTES)), true);
    view.setUint32(BlockHeader.headerCrc * 4, crc32(bytes.subarray(0, CHECKED_BYTES)), true);
    this.#seq += this.#events;
    this.#events = 0;
    this.#payloadInts = 0;
    this.#wide.length = 0;
    this.#sink(bytes);
  }
}

function unwritable(words: Int32Array, at: number, byte: number): never {
  const { what, got, expected } = describe(words, at, byte);
  assert(false, `an event cannot be written: ${what}: got ${got}, want ${expected}`);
}
