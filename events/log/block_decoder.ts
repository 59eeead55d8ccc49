import type { EventBatch } from '../batch.js';
import type { P2mError } from '../errors.js';
import { FAULT, INVALID, type EntryCodec, type Word } from '../word.js';
import { BLOCK_PAYLOAD, BlockHeader, HEADER_WORDS, RECORD_WORDS } from './layout.js';
import { badByte, describe, handlesIn, isHandle, isPlain, OPERANDS_AT, payloadColumnOf } from './record.js';

/** Makes the complaint of what is wrong `byte` bytes behind the beginning of a block. */
export type Complain = (what: string, byte: number, got: string, expected: string) => P2mError;

/** The wide values that a segment has named so far. */
export class WideValues {
  readonly #codec: EntryCodec;
  /** The word of the codec of each handle; that of 0 is none. */
  readonly #words: Word[] = [INVALID];
  readonly #known = new Set<Word>();

  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  get count(): number {
    return this.#words.length - 1;
  }

  /** The words, in the order of their handles, from 1 on. */
  get words(): readonly Word[] {
    return this.#words.slice(1);
  }

  /** Forgets the last `count`. */
  drop(count: number): void {
    for (const word of this.#words.splice(this.#words.length - count)) this.#known.delete(word);
  }

  /** The word of the codec for handle `handle`, 1 to `count`. */
  wordOf(handle: number): Word {
    return this.#words[handle]!;
  }

  /**
   * Adds those of a section, words [start, end); `byteOf` says how far behind the beginning of their block word 0 stands.
   * @throws what `complain` makes
   */
  add(words: Int32Array, start: number, end: number, byteOf: number, complain: Complain): void {
    for (let at = start; at < end; at += 2) {
      const [lo, hi] = [words[at]! >>> 0, words[at + 1]! >>> 0];
      const word = hi === 0 || this.#codec.bits === 64 ? this.#codec.fromRaw(hi, lo) : INVALID;
      if (!isHandle(word) || this.#known.has(word)) {
        const got = `0x${hi.toString(16)}${lo.toString(16).padStart(8, '0')}`;
        throw complain('bad wide value', byteOf + at * 4, got, 'a raw entry that has no short form, once');
      }
      this.#known.add(word);
      this.#words.push(word);
    }
  }
}

/** Makes events of the blocks of a segment. Checksums are somebody else's business; everything else is checked here. */
export class BlockDecoder {
  readonly #values: WideValues;
  readonly #complain: Complain;
  #words: Int32Array = new Int32Array(0);
  /** Handles that may be named; the one that is named next, if it is a new one. */
  #handlesEnd = 0;
  #named = 0;
  #payloadAt = 0;
  /** Words of the payload section that the records so far have named. */
  #payloadUsed = 0;

  /** @param values at least those of all blocks up to the one that is decoded */
  constructor(values: WideValues, complain: Complain) {
    this.#values = values;
    this.#complain = complain;
  }

  /**
   * Fills `batch`, which has room for the block's events, with the events of a block; its words are changed. What stands
   * before a fault is in the batch when it throws.
   * @param before wide values that the segment named before this block
   * @throws what `complain` makes
   */
  decode(words: Int32Array, before: number, batch: EventBatch): void {
    const events = this.#begin(words, before);
    batch.clear();
    try {
      this.#takeRecords(events, batch);
      this.#end(events);
    } finally {
      const payload = words.subarray(this.#payloadAt, this.#payloadAt + this.#payloadUsed);
      if (payload.length > batch.payload.length) batch.payload = new Int32Array(payload.length);
      batch.payload.set(payload);
      batch.payloadLength = payload.length;
    }
  }

  /** As `decode`, where nobody wants the events. */
  check(words: Int32Array, before: number): void {
    const events = this.#begin(words, before);
    this.#checkRecords(events);
    this.#end(events);
  }

  /** Returns how many events the block has. */
  #begin(words: Int32Array, before: number): number {
    const events = words[BlockHeader.events]!;
    const wideAt = HEADER_WORDS + RECORD_WORDS * events;
    this.#words = words;
    this.#named = before;
    this.#handlesEnd = before + words[BlockHeader.wideValues]! + 1;
    this.#payloadAt = wideAt + 2 * words[BlockHeader.wideValues]!;
    this.#payloadUsed = 0;
    return events;
  }

  /** Nothing in the sections is left over. */
  #end(events: number): void {
    const wideAt = HEADER_WORDS + RECORD_WORDS * events;
    const unused = this.#handlesEnd - 1 - this.#named;
    this.#check(unused === 0, 'wide values that no event names', wideAt, unused, '0');
    const unread = this.#words.length - this.#payloadAt - this.#payloadUsed;
    this.#check(unread === 0, 'payload that no event names', this.#payloadAt + this.#payloadUsed, unread, '0');
  }

  /** Puts the records into the batch, up to the first that is none. */
  #takeRecords(events: number, batch: EventBatch): void {
    const words = this.#words;
    const { kind, cpu, op, a, b, c, d, e } = batch;
    for (let i = 0; i < events; i++) {
      const at = HEADER_WORDS + RECORD_WORDS * i;
      const envelope = words[at]!;
      const number = words[at + 1]!;
      let va = words[at + 2]!;
      let vb = words[at + 3]!;
      let vc = words[at + 4]!;
      let vd = words[at + 5]!;
      let ve = words[at + 6]!;
      if (!isPlain(envelope, number, va, vb, vc, vd, ve, words[at + 7]!)) {
        batch.length = i;
        this.#resolve(at, i === events - 1);
        va = words[at + 2]!;
        vb = words[at + 3]!;
        vc = words[at + 4]!;
        vd = words[at + 5]!;
        ve = words[at + 6]!;
      }
      kind[i] = envelope & 0xff;
      cpu[i] = (envelope >>> 8) & 0xff;
      op[i] = number;
      a[i] = va;
      b[i] = vb;
      c[i] = vc;
      d[i] = vd;
      e[i] = ve;
    }
    batch.length = events;
  }

  #checkRecords(events: number): void {
    const words = this.#words;
    for (let i = 0; i < events; i++) {
      const at = HEADER_WORDS + RECORD_WORDS * i;
      const plain = isPlain(
        words[at]!,
        words[at + 1]!,
        words[at + 2]!,
        words[at + 3]!,
        words[at + 4]!,
        words[at + 5]!,
        words[at + 6]!,
        words[at + 7]!,
      );
      if (!plain) this.#resolve(at, i === events - 1);
    }
  }

  /** Checks the record at word `at`, and gives what it names the handles of the codec. */
  #resolve(at: number, isLast: boolean): void {
    const words = this.#words;
    const bad = badByte(words, at);
    if (bad >= 0) throw this.#badRecord(at, bad);
    const handles = handlesIn(words, at);
    if (handles !== 0) this.#nameColumns(at + OPERANDS_AT, handles);
    const payload = payloadColumnOf(words[at]! & 0xff);
    if (payload >= 0) this.#takePayload(at + OPERANDS_AT + payload, isLast);
  }

  /** Checks the payload record that word `column` names, and gives its words the handles of the codec. */
  #takePayload(column: number, isLast: boolean): void {
    const words = this.#words;
    const place = this.#payloadUsed;
    const start = this.#payloadAt + place;
    const length = words[start] ?? -1;
    const end = start + 1 + length;
    this.#check(words[column] === place, 'bad place of a payload record', column, words[column]!, String(place));
    const fits = length >= 0 && length % 3 === 0 && end <= words.length;
    this.#check(fits, 'bad length of a payload record', start, length, 'runs of three, in the section');
    for (let at = start + 2; at < end; at += 3) {
      this.#check(words[at - 1]! > 0, 'bad count of a run', at - 1, words[at - 1]!, 'a count from 1 on');
      this.#check(words[at] !== FAULT, 'bad word of a run', at, FAULT, 'an entry');
      if (isHandle(words[at]!)) this.#nameWide(at);
    }
    this.#payloadUsed = place + 1 + length;
    const goesOn = !isLast && this.#payloadUsed >= BLOCK_PAYLOAD;
    this.#check(!goesOn, 'a block goes on after it is full', column, this.#payloadUsed, 'another block');
  }

  /** As `#nameWide` for the columns in `mask`, the first of which stands at word `column`. */
  #nameColumns(column: number, mask: number): void {
    for (let c = column, left = mask; left !== 0; c++, left >>>= 1) if ((left & 1) !== 0) this.#nameWide(c);
  }

  /** Puts the word of the codec for the handle of the segment that stands at `place`. Handles are named in their order. */
  #nameWide(place: number): void {
    const handle = this.#words[place]!;
    if (handle > this.#named) {
      const next = this.#named + 1;
      const fits = handle === next && next < this.#handlesEnd;
      this.#check(fits, 'bad handle of a wide value', place, handle, `${next}`);
      this.#named = next;
    }
    this.#words[place] = this.#values.wordOf(handle);
  }

  #check(holds: boolean, what: string, word: number, got: number, expected: string): void {
    if (!holds) throw this.#complain(what, word * 4, String(got), expected);
  }

  #badRecord(at: number, byte: number): P2mError {
    const { what, got, expected } = describe(this.#words, at, byte);
    return this.#complain(what, at * 4 + byte, got, expected);
  }
}
