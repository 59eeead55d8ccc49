import { crc32 } from 'node:zlib';
import { EventBatch } from '../batch.js';
import { inputError, type P2mError, type Place } from '../errors.js';
import { EntryCodec, FAULT, INVALID, type Word } from '../word.js';
import type { EventHandler, EventReader } from './contract.js';
import { parseFacts } from './events_header.js';
import {
  BLOCK_EVENTS,
  BLOCK_MAGIC,
  BLOCK_PAYLOAD,
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
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the piece in hand is. */
type Piece = 'header' | 'facts' | 'block header' | 'block' | 'nothing';

/**
 * Reads the binary log (layout.ts) piece by piece: a block is handed on once its checksum holds, as one batch.
 *
 * @throws {P2mError} from `push` and `end`, with file and byte: no log, another version, a wrong checksum, a record that
 *   is none, a block that is missing, bytes behind the end, a log that is cut
 */
export class LogReader implements EventReader {
  readonly #handler: EventHandler;
  readonly #file: string;
  /** The piece in hand, from byte `#start` of the file on; a block's header stays before its body. */
  #bytes = new Uint8Array(HEADER_BYTES + BLOCK_EVENTS * RECORD_WORDS * 4);
  #have = 0;
  #need = HEADER_BYTES;
  #start = 0;
  #piece: Piece = 'header';
  #factsCrc = 0;

  #codec = new EntryCodec(64);
  /** The word in `#codec` of each handle of the file. */
  readonly #words: Word[] = [INVALID];
  readonly #known = new Set<Word>();
  /** Handles of the file that some event has named. */
  #named = 0;
  #seq = 0;
  /** The block before was not full: only the end may follow. */
  #last = false;
  readonly #batch = new EventBatch(BLOCK_EVENTS);
  /** Words of the payload section that the records so far have named. */
  #payloadUsed = 0;

  constructor(handler: EventHandler, file: string) {
    this.#handler = handler;
    this.#file = file;
  }

  /** Events handed on. */
  get events(): number {
    return this.#seq;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#piece === 'nothing') throw this.#bad('bytes behind the end of the log', this.#start, 'a byte', 'none');
      const count = Math.min(this.#need - this.#have, bytes.length - at);
      this.#keep(bytes.subarray(at, at + count));
      at += count;
      if (this.#have === this.#need) this.#pieceIsHere();
    }
  }

  end(): void {
    if (this.#piece === 'nothing') return;
    const byte = this.#start + this.#have;
    if (byte === 0) throw this.#bad('no events', 0, 'an empty file', 'an event log');
    if (this.#piece === 'header') this.#checkMagic(Math.min(this.#have, MAGIC.length));
    const rest = `${this.#need - this.#have} bytes more of this ${this.#piece}`;
    const expected = this.#piece === 'block header' && this.#have === 0 ? 'a block, or the end block' : rest;
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

  /** The piece is done with: the next one has `bytes` bytes. */
  #next(piece: Piece, bytes: number): void {
    this.#start += this.#have;
    this.#have = 0;
    this.#piece = piece;
    this.#need = bytes;
  }

  #readHeader(): void {
    this.#checkMagic(MAGIC.length);
    const view = new DataView(this.#bytes.buffer);
    const word = (index: number): number => view.getUint32(index * 4, true);
    if (word(FileHeader.version) !== VERSION) {
      const got = String(word(FileHeader.version));
      throw this.#bad('another version of the format', FileHeader.version * 4, got, String(VERSION));
    }
    this.#checkCrc('the header', word(FileHeader.headerCrc), 0, CHECKED_BYTES);
    const factsBytes = word(FileHeader.factsBytes);
    const [zero, crc] = [word(FileHeader.zero0) | word(FileHeader.zero1), word(FileHeader.factsCrc)];
    if (factsBytes === 0 || factsBytes % 4 !== 0 || factsBytes > FACTS_BYTES_MAX) {
      const expected = `a multiple of 4 up to ${FACTS_BYTES_MAX}`;
      throw this.#bad('bad length of the facts', FileHeader.factsBytes * 4, String(factsBytes), expected);
    }
    if (zero !== 0) throw this.#bad('reserved bytes are used', FileHeader.zero0 * 4, String(zero), '0');
    this.#factsCrc = crc;
    this.#next('facts', factsBytes);
  }

  #readFacts(): void {
    this.#checkCrc('the facts of the header', this.#factsCrc, 0, this.#need);
    const place = { file: this.#file, byte: this.#start };
    let textEnd = this.#need;
    while (textEnd > this.#need - 4 && this.#bytes[textEnd - 1] === 0) textEnd--;
    let text = '';
    let json: unknown;
    try {
      text = UTF_8.decode(this.#bytes.subarray(0, textEnd));
      json = JSON.parse(text);
    } catch {
      const expected = '{"geometry":...} in UTF-8';
      throw inputError('the facts of the header are not JSON', { ...place, got: text, expected });
    }
    const header = parseFacts(json, place);
    if (JSON.stringify(header) !== text) {
      const expected = JSON.stringify(header);
      throw inputError('the facts of the header are written in another way', { ...place, got: text, expected });
    }
    this.#codec = new EntryCodec(header.entryBits);
    this.#next('block header', HEADER_BYTES);
    this.#handler.onHeader(header, this.#codec);
  }

  #readBlockHeader(): void {
    const view = new DataView(this.#bytes.buffer);
    const word = (index: number): number => view.getUint32(index * 4, true);
    this.#checkCrc('the header of a block', word(BlockHeader.headerCrc), 0, CHECKED_BYTES);
    const [magic, events] = [word(BlockHeader.magic), word(BlockHeader.events)];
    const [wideValues, payloadInts] = [word(BlockHeader.wideValues), word(BlockHeader.payloadInts)];
    const seq = word(BlockHeader.seqHi) * TWO_32 + word(BlockHeader.seqLo);
    const isEnd = magic === END_MAGIC;
    this.#check(isEnd || magic === BLOCK_MAGIC, 'no block', BlockHeader.magic, magic, `${BLOCK_MAGIC} or ${END_MAGIC}`);
    this.#check(seq === this.#seq, 'events are missing', BlockHeader.seqLo, seq, `event ${this.#seq}`);
    if (isEnd) {
      const [sections, crc] = [events + wideValues + payloadInts, word(BlockHeader.bodyCrc)];
      this.#check(sections + crc === 0, 'the end block is not empty', BlockHeader.events, sections + crc, '0');
      return this.#next('nothing', 0);
    }
    const expected = `1 to ${BLOCK_EVENTS}`;
    this.#check(events > 0 && events <= BLOCK_EVENTS, 'bad number of events', BlockHeader.events, events, expected);
    this.#check(!this.#last, 'a block follows one that is not full', BlockHeader.events, events, 'the end block');
    const payloadMax = BLOCK_PAYLOAD + PAYLOAD_RECORD_MAX;
    this.#check(
      payloadInts <= payloadMax,
      'payload too long',
      BlockHeader.payloadInts,
      payloadInts,
      `at most ${payloadMax}`,
    );
    const wideMax = events * 5 + payloadInts;
    this.#check(
      wideValues <= wideMax,
      'too many wide values',
      BlockHeader.wideValues,
      wideValues,
      `at most ${wideMax}`,
    );
    this.#last = !isFull(events, payloadInts);
    this.#need = HEADER_BYTES + (events * RECORD_WORDS + wideValues * 2 + payloadInts) * 4;
    this.#piece = 'block';
  }

  #readBlock(): void {
    const bodyCrc = new DataView(this.#bytes.buffer).getUint32(BlockHeader.bodyCrc * 4, true);
    this.#checkCrc('a block', bodyCrc, HEADER_BYTES, this.#need);
    const words = new Int32Array(this.#bytes.buffer, 0, this.#need / 4);
    swapToHost(words);
    const events = words[BlockHeader.events]!;
    const wideAt = RECORD_WORDS * (1 + events);
    const payloadAt = wideAt + 2 * words[BlockHeader.wideValues]!;
    this.#batch.clear();
    this.#payloadUsed = 0;
    try {
      this.#takeWide(words, wideAt, payloadAt);
      this.#takeRecords(words, events, payloadAt);
      this.#checkAllNamed(words.length - payloadAt, wideAt, payloadAt);
    } finally {
      // What stands before a fault is handed on before it is told.
      this.#handOn(words.subarray(payloadAt, payloadAt + this.#payloadUsed));
    }
    this.#next('block header', HEADER_BYTES);
  }

  #handOn(payload: Int32Array): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    if (payload.length > batch.payload.length) batch.payload = new Int32Array(2 * payload.length);
    batch.payload.set(payload);
    batch.payloadLength = payload.length;
    const seq = this.#seq;
    this.#seq += batch.length;
    this.#handler.onEvents(batch, seq);
  }

  /** Interns the wide values of the block, words [start, end). */
  #takeWide(words: Int32Array, start: number, end: number): void {
    for (let at = start; at < end; at += 2) {
      const [lo, hi] = [words[at]! >>> 0, words[at + 1]! >>> 0];
      const word = hi === 0 || this.#codec.bits === 64 ? this.#codec.fromRaw(hi, lo) : INVALID;
      if (!isHandle(word) || this.#known.has(word)) {
        const got = `0x${hi.toString(16)}${lo.toString(16).padStart(8, '0')}`;
        throw this.#bad('bad wide value', this.#start + at * 4, got, 'a raw entry that has no short form, once');
      }
      this.#known.add(word);
      this.#words.push(word);
    }
  }

  /** Puts the records into the batch, up to the first that is none. */
  #takeRecords(words: Int32Array, events: number, payloadAt: number): void {
    const batch = this.#batch;
    const { kind, cpu, op, a, b, c, d, e } = batch;
    for (let i = 0; i < events; i++) {
      const at = RECORD_WORDS * (1 + i);
      const bad = badByte(words, at);
      if (bad >= 0) throw this.#badRecord(words, at, bad);
      const id = words[at]! & 0xff;
      const handles = handlesIn(words, at);
      if (handles !== 0) this.#nameColumns(words, at + OPERANDS_AT, handles);
      const payload = payloadColumnOf(id);
      if (payload >= 0) this.#takePayload(words, at + OPERANDS_AT + payload, payloadAt, i === events - 1);
      kind[i] = id;
      cpu[i] = (words[at]! >>> 8) & 0xff;
      op[i] = words[at + 1]!;
      a[i] = words[at + 2]!;
      b[i] = words[at + 3]!;
      c[i] = words[at + 4]!;
      d[i] = words[at + 5]!;
      e[i] = words[at + 6]!;
      batch.length = i + 1;
    }
  }

  /** Checks the payload record that word `column` names, and gives its words the handles of the codec. */
  #takePayload(words: Int32Array, column: number, payloadAt: number, isLast: boolean): void {
    const place = this.#payloadUsed;
    const length = words[payloadAt + place] ?? -1;
    const end = payloadAt + place + 1 + length;
    this.#check(words[column] === place, 'bad place of a payload record', column, words[column]!, String(place));
    const fits = length >= 0 && length % 3 === 0 && end <= words.length;
    this.#check(fits, 'bad length of a payload record', payloadAt + place, length, 'runs of three, in the section');
    for (let at = payloadAt + place + 2; at < end; at += 3) {
      this.#check(words[at - 1]! > 0, 'bad count of a run', at - 1, words[at - 1]!, 'a count from 1 on');
      this.#check(words[at] !== FAULT, 'bad word of a run', at, FAULT, 'an entry');
      if (isHandle(words[at]!)) this.#nameWide(words, at);
    }
    this.#payloadUsed = place + 1 + length;
    const goesOn = !isLast && this.#payloadUsed >= BLOCK_PAYLOAD;
    this.#check(!goesOn, 'a block goes on after it is full', column, this.#payloadUsed, 'another block');
  }

  /** As `#nameWide` for the columns in `mask`, the first of which stands at word `column`. */
  #nameColumns(words: Int32Array, column: number, mask: number): void {
    for (let c = column, left = mask; left !== 0; c++, left >>>= 1) {
      if ((left & 1) !== 0) this.#nameWide(words, c);
    }
  }

  /** Puts the word of the codec for the handle of the file that stands in `words`. Handles are named in their order. */
  #nameWide(words: Int32Array, place: number): void {
    const handle = words[place]!;
    if (handle > this.#named) {
      const next = this.#named + 1;
      this.#check(handle === next && next < this.#words.length, 'bad handle of a wide value', place, handle, `${next}`);
      this.#named = next;
    }
    words[place] = this.#words[handle]!;
  }

  /** What nobody names has no place in a block. */
  #checkAllNamed(payloadInts: number, wideAt: number, payloadAt: number): void {
    const unused = this.#words.length - 1 - this.#named;
    this.#check(unused === 0, 'wide values that no event names', wideAt, unused, '0');
    const unread = payloadInts - this.#payloadUsed;
    this.#check(unread === 0, 'payload that no event names', payloadAt + this.#payloadUsed, unread, '0');
  }

  #check(holds: boolean, what: string, word: number, got: number, expected: string): void {
    if (!holds) throw this.#bad(what, this.#start + word * 4, String(got), expected);
  }

  #checkMagic(count: number): void {
    const got = this.#bytes.subarray(0, count);
    if (MAGIC.subarray(0, count).every((byte, i) => byte === got[i])) return;
    throw this.#bad('no log of events', 0, hex(got), hex(MAGIC));
  }

  /** The checksum of bytes [start, end) of the piece in hand. */
  #checkCrc(of: string, expected: number, start: number, end: number): void {
    const got = crc32(this.#bytes.subarray(start, end));
    if (got === expected) return;
    const byte = this.#start + start;
    throw this.#bad(`${of} is damaged`, byte, `CRC-32 ${crcText(got)} of ${end - start} bytes`, crcText(expected));
  }

  #badRecord(words: Int32Array, at: number, byte: number): P2mError {
    const { what, got, expected } = describe(words, at, byte);
    return this.#bad(what, this.#start + at * 4 + byte, got, expected);
  }

  #bad(what: string, byte: number, got: string, expected: string): P2mError {
    return inputError(what, { file: this.#file, byte, got, expected });
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
