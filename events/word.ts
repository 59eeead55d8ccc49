import { assert, usageError } from './errors.js';

/**
 * A p2m entry as one 32-bit word (design 6), so that no 64-bit value is ever loaded, stored or compared in two halves:
 *
 *     31 30 | 29 ........ 0
 *      0  0 | 0               INVALID_P2M_ENTRY (so untouched memory is a missing entry)
 *      0  0 | h > 0           handle of a value that has no short form, interned by value
 *      0  1 | mfn             plain machine frame
 *      1  0 | pfn             IDENTITY_FRAME(pfn)
 *      1  1 | mfn             FOREIGN_FRAME(mfn)
 *
 * A value with a short form is never interned, and a wide value has one handle: equal words are equal values.
 * Words are signed 32-bit integers, as an `Int32Array` gives them.
 */
export type Word = number;

/** INVALID_P2M_ENTRY. */
export const INVALID: Word = 0;
/** No value: the load faulted. Never stored. */
export const FAULT: Word = 0x3fff_ffff;

/** The payload's bits of a short word. */
export const PAYLOAD_MASK = 0x3fff_ffff;
const TAG_MFN = 0x4000_0000;
const TAG_IDENTITY = 0x8000_0000 | 0;
const TAG_FOREIGN = 0xc000_0000 | 0;
const HANDLE_END = 0x3fff_0000;
/** Payloads of short words are below this. */
export const PAYLOAD_END = 0x4000_0000;

const TWO_32 = 0x1_0000_0000;
/** Bit 62 / bit 63 of a 64-bit entry, seen in its upper half; bit 30 / 31 of a 32-bit one. */
const IDENTITY_BIT = 0x4000_0000;
const FOREIGN_BIT = 0x8000_0000;

export type EntryBits = 32 | 64;

/** The word of a plain mfn below 2^30. */
export function mfnWord(mfn: number): Word {
  return TAG_MFN | mfn;
}

/** Whether the word is a plain mfn in its short form. */
export function isShortMfn(word: Word): boolean {
  return word >>> 30 === 1;
}

/**
 * Turns entry values into words and back, for entries of 64 or 32 bits, and keeps the values that have no short form.
 * The table of wide values only grows; its handles mean something only beside this codec.
 */
export class EntryCodec {
  readonly bits: EntryBits;
  readonly #wideHi: number[] = [0];
  readonly #wideLo: number[] = [0];
  readonly #handles = new Map<number, Map<number, Word>>();

  constructor(bits: EntryBits) {
    this.bits = bits;
  }

  /** Wide values that are kept; their words are 1 to this, in the order in which they were met. */
  get wideCount(): number {
    return this.#wideHi.length - 1;
  }

  /** The word of a raw entry given as unsigned halves (`hi` is 0 for 32-bit entries). */
  fromRaw(hi: number, lo: number): Word {
    const bits64 = this.bits === 64;
    const top = bits64 ? hi : lo;
    if (lo === 0xffff_ffff && (!bits64 || hi === 0xffff_ffff)) return INVALID;
    const tag = top >>> 30;
    const short = bits64 ? (hi & PAYLOAD_MASK) === 0 && lo < PAYLOAD_END : true;
    if (short && tag < 3) {
      const payload = bits64 ? lo : lo & PAYLOAD_MASK;
      return (tag === 0 ? TAG_MFN : tag === 1 ? TAG_IDENTITY : TAG_FOREIGN) | payload;
    }
    return this.#intern(hi, lo);
  }

  /** Upper 32 bits of the entry, unsigned; 0 for 32-bit entries. */
  rawHi(word: Word): number {
    if (this.bits === 32) return 0;
    const tag = word >>> 30;
    if (tag === 1) return 0;
    if (tag === 2) return IDENTITY_BIT;
    if (tag === 3) return FOREIGN_BIT;
    return word === INVALID ? 0xffff_ffff : this.#wide(this.#wideHi, word);
  }

  /** Lower 32 bits of the entry, unsigned. */
  rawLo(word: Word): number {
    const tag = word >>> 30;
    if (tag === 0) return word === INVALID ? 0xffff_ffff : this.#wide(this.#wideLo, word);
    const payload = word & PAYLOAD_MASK;
    if (this.bits === 64 || tag === 1) return payload;
    return (payload | (tag === 2 ? IDENTITY_BIT : FOREIGN_BIT)) >>> 0;
  }

  /** IDENTITY_FRAME(pfn): `pfn` with the identity bit, for any pfn below 2^52. */
  identityOf(pfn: number): Word {
    if (pfn < PAYLOAD_END) return TAG_IDENTITY | pfn;
    const hi = Math.floor(pfn / TWO_32);
    const lo = pfn >>> 0;
    return this.bits === 64 ? this.fromRaw((hi | IDENTITY_BIT) >>> 0, lo) : this.fromRaw(0, (lo | IDENTITY_BIT) >>> 0);
  }

  /** FOREIGN_FRAME(entry): the entry with the foreign bit. */
  foreignOf(word: Word): Word {
    if (isShortMfn(word)) return TAG_FOREIGN | (word & PAYLOAD_MASK);
    if (this.bits === 64) return this.fromRaw((this.rawHi(word) | FOREIGN_BIT) >>> 0, this.rawLo(word));
    return this.fromRaw(0, (this.rawLo(word) | FOREIGN_BIT) >>> 0);
  }

  /** The entry without its two indicator bits, as pfn_to_mfn answers it; INVALID stays INVALID. */
  clearBits(word: Word): Word {
    const tag = word >>> 30;
    if (tag > 1) return TAG_MFN | (word & PAYLOAD_MASK);
    if (tag === 1 || word === INVALID) return word;
    const bits64 = this.bits === 64;
    const hi = this.rawHi(word);
    const lo = this.rawLo(word);
    return bits64 ? this.fromRaw(hi & PAYLOAD_MASK, lo) : this.fromRaw(0, lo & PAYLOAD_MASK);
  }

  /** Whether the indicator bit is set. INVALID has both bits, and every test for one must exclude it first: so it is false. */
  isIdentity(word: Word): boolean {
    return word >>> 30 === 2 || (this.#isWide(word) && (this.#top(word) & IDENTITY_BIT) !== 0);
  }

  /** As `isIdentity`, for FOREIGN_FRAME_BIT. */
  isForeign(word: Word): boolean {
    return word >>> 30 === 3 || (this.#isWide(word) && (this.#top(word) & FOREIGN_BIT) !== 0);
  }

  /** The frame number of the entry without its indicator bits; exact below 2^53. */
  frameOf(word: Word): number {
    const tag = word >>> 30;
    if (tag !== 0) return word & PAYLOAD_MASK;
    assert(word !== INVALID, 'INVALID_P2M_ENTRY has no frame number');
    if (this.bits === 32) return this.rawLo(word) & PAYLOAD_MASK;
    return (this.rawHi(word) & PAYLOAD_MASK) * TWO_32 + this.rawLo(word);
  }

  /** The entry plus `delta`, as the machine adds; INVALID stays INVALID (vectors: "INVALID is not incremented"). */
  add(word: Word, delta: number): Word {
    if (word === INVALID || delta === 0) return word;
    const sum = (word & PAYLOAD_MASK) + delta;
    if (word >>> 30 !== 0 && sum >= 0 && sum < PAYLOAD_END) return (word & ~PAYLOAD_MASK) | sum;
    const raw = BigInt.asUintN(this.bits, this.#big(word) + BigInt(delta));
    return this.fromRaw(Number(raw >> 32n), Number(raw & 0xffff_ffffn));
  }

  /** Writes `word`, `word + stride`, ... to words[start, end). */
  writeRun(words: Int32Array, start: number, end: number, word: Word, stride: number): void {
    if (word === INVALID || stride === 0) {
      words.fill(word, start, end);
      return;
    }
    const last = (word & PAYLOAD_MASK) + stride * (end - start - 1);
    if (word >>> 30 !== 0 && last >= 0 && last < PAYLOAD_END) {
      for (let i = start, w = word; i < end; i++, w = (w + stride) | 0) words[i] = w;
      return;
    }
    for (let i = start, w = word; i < end; i++, w = this.add(w, stride)) words[i] = w;
  }

  /** Words as runs `[count, word, stride]`: values that count up by one, or one value over and over. */
  runsOf(words: Int32Array): number[] {
    const runs: number[] = [];
    for (let i = 0; i < words.length;) {
      const first = words[i]!;
      const second = words[i + 1];
      const stride = second !== undefined && second !== first && second === this.add(first, 1) ? 1 : 0;
      let next = i + 1;
      let expected = this.add(first, stride);
      while (next < words.length && words[next] === expected) {
        next++;
        expected = this.add(expected, stride);
      }
      runs.push(next - i, first, stride);
      i = next;
    }
    return runs;
  }

  /** `0x` and the raw entry in hexadecimal, as the kernel's tools print it. */
  toHex(word: Word): string {
    const lo = this.rawLo(word);
    const hi = this.rawHi(word);
    return hi === 0 ? `0x${lo.toString(16)}` : `0x${hi.toString(16)}${lo.toString(16).padStart(8, '0')}`;
  }

  /** The word of a raw entry in hexadecimal. @throws P2mError when it is not one, or does not fit the entry. */
  fromHex(text: string): Word {
    if (!/^0x[0-9a-f]{1,16}$/i.test(text)) {
      throw usageError('bad raw entry', {
        got: JSON.stringify(text),
        expected: 'hexadecimal such as 0x40000000000fed00',
      });
    }
    return this.fromBig(BigInt(text), text);
  }

  /** The value as the vectors write it: `~`, `m:N`, `i:N`, `f:N`, `fi:N`, N decimal. */
  format(word: Word): string {
    if (word === INVALID) return '~';
    const prefix = `${this.isForeign(word) ? 'f' : ''}${this.isIdentity(word) ? 'i' : ''}`;
    const number = this.#big(word) & (this.bits === 64 ? 0x3fff_ffff_ffff_ffffn : 0x3fff_ffffn);
    return `${prefix === '' ? 'm' : prefix}:${number}`;
  }

  /** Reads what `format` writes, N decimal or 0x-hexadecimal. @throws P2mError when it is not a value of this entry size. */
  parse(text: string): Word {
    if (text === '~') return INVALID;
    const match = /^(m|i|f|fi):(0x[0-9a-fA-F]+|[0-9]+)$/.exec(text);
    if (match === null) {
      throw usageError('bad value', { got: JSON.stringify(text), expected: '~, m:N, i:N, f:N or fi:N' });
    }
    const shift = BigInt(this.bits - 2);
    const number = BigInt(match[2]!);
    if (number >> shift !== 0n) {
      throw usageError('bad value', { got: JSON.stringify(text), expected: `N below 2^${shift}` });
    }
    const kind = match[1]!;
    const indicators = (kind.includes('i') ? 1n : 0n) | (kind.includes('f') ? 2n : 0n);
    return this.fromBig((indicators << shift) | number, text);
  }

  /** The word of a raw entry; `text` is what a complaint shows. @throws P2mError when it does not fit the entry. */
  fromBig(raw: bigint, text: string): Word {
    if (raw < 0n || raw >> BigInt(this.bits) !== 0n) {
      throw usageError('value does not fit the entry', { got: text, expected: `${this.bits} bits` });
    }
    return this.fromRaw(Number(raw >> 32n), Number(raw & 0xffff_ffffn));
  }

  #big(word: Word): bigint {
    return (BigInt(this.rawHi(word)) << 32n) | BigInt(this.rawLo(word));
  }

  #isWide(word: Word): boolean {
    return word > 0 && word < HANDLE_END;
  }

  #top(word: Word): number {
    return this.bits === 64 ? this.rawHi(word) : this.rawLo(word);
  }

  #wide(half: number[], handle: Word): number {
    const value = half[handle];
    assert(value !== undefined, `word ${handle} is a handle that this codec never gave out`);
    return value;
  }

  #intern(hi: number, lo: number): Word {
    let byLo = this.#handles.get(hi);
    if (byLo === undefined) this.#handles.set(hi, (byLo = new Map<number, Word>()));
    let handle = byLo.get(lo);
    if (handle === undefined) {
      handle = this.#wideHi.length;
      assert(handle < HANDLE_END, 'the table of wide values is full');
      this.#wideHi.push(hi);
      this.#wideLo.push(lo);
      byLo.set(lo, handle);
    }
    return handle;
  }
}
