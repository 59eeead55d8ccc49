const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
/** Places of the directory for each key, at most. */
const PLACES_PER_KEY = 2;

/**
 * Numbers of events by key: those of one key stand together, in their order.
 *
 *     keys    | k0 | k1 | ... |              ascending
 *     starts  | 0  | s1 | ... | seqs.length  where the events of each key begin
 *     seqs    | events of k0 | events of k1 | ...
 */
export class Postings {
  readonly keys: Int32Array;
  readonly starts: Int32Array;
  readonly seqs: Int32Array;
  /** Place q: index of the first key from q << shift on. Where keys stand close, a place is a key, and there is no search. */
  readonly #places: Int32Array;
  readonly #shift: number;

  /** @param starts one more than there are keys */
  constructor(keys: Int32Array, starts: Int32Array, seqs: Int32Array) {
    this.keys = keys;
    this.starts = starts;
    this.seqs = seqs;
    const last = keys.at(-1) ?? 0;
    let shift = 0;
    while (last >>> shift > PLACES_PER_KEY * keys.length) shift++;
    this.#shift = shift;
    this.#places = new Int32Array((last >>> shift) + 2).fill(keys.length);
    for (let i = keys.length - 1; i >= 0; i--) this.#places[keys[i]! >>> this.#shift] = i;
    for (let q = this.#places.length - 2; q >= 0; q--) {
      if (this.#places[q] === keys.length) this.#places[q] = this.#places[q + 1]!;
    }
  }

  /** What they take in memory. */
  get bytes(): number {
    return 4 * (this.keys.length + this.starts.length + this.seqs.length + this.#places.length);
  }

  /** The last event of the key that is below `end`; -1: none. */
  lastBefore(key: number, end: number): number {
    const at = this.#find(key);
    if (at < 0) return -1;
    const start = this.starts[at]!;
    const last = this.#firstFrom(at, end) - 1;
    return last < start ? -1 : this.seqs[last]!;
  }

  /** Adds `base` + each event of the key that is below `end` to `to`, in their order. */
  eventsOf(key: number, end: number, base: number, to: number[]): void {
    const at = this.#find(key);
    if (at < 0) return;
    const last = this.#firstFrom(at, end);
    for (let i = this.starts[at]!; i < last; i++) to.push(base + this.seqs[i]!);
  }

  /** Index of the first key from `key` on; `keys.length` where there is none. */
  indexFrom(key: number): number {
    const q = key >>> this.#shift;
    if (q >= this.#places.length - 1) return this.keys.length;
    let low = this.#places[q]!;
    if (this.#shift === 0) return low;
    let high = this.#places[q + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #find(key: number): number {
    const at = this.indexFrom(key);
    return at < this.keys.length && this.keys[at] === key ? at : -1;
  }

  /** Index of the first event from `end` on among those of key `at`. */
  #firstFrom(at: number, end: number): number {
    const { seqs, starts } = this;
    let low = starts[at]!;
    let high = starts[at + 1]!;
    // Mostly asked for the end of the log.
    if (seqs[high - 1]! < end) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (seqs[middle]! < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Collects events by key, in the order in which they happen, and sorts them into `Postings`. */
export class PostingList {
  #keys = new Int32Array(1024);
  #seqs = new Int32Array(1024);
  #length = 0;

  /** Goes on with what was collected before. */
  static from({ keys, starts, seqs }: Postings): PostingList {
    const list = new PostingList();
    for (let at = 0; at < keys.length; at++) {
      for (let i = starts[at]!; i < starts[at + 1]!; i++) list.push(keys[at]!, seqs[i]!);
    }
    return list;
  }

  get length(): number {
    return this.#length;
  }

  /** @param key 0 to 2^31 - 1 @param seq not below those of the same key before */
  push(key: number, seq: number): void {
    const i = this.#length;
    if (i === this.#keys.length) this.#grow();
    this.#keys[i] = key;
    this.#seqs[i] = seq;
    this.#length = i + 1;
  }

  sorted(): Postings {
    const [keys, seqs] = this.#sortedPairs();
    let count = 0;
    for (let i = 0; i < keys.length; i++) if (i === 0 || keys[i] !== keys[i - 1]) count++;
    const distinct = new Int32Array(count);
    const starts = new Int32Array(count + 1);
    let at = 0;
    for (let i = 0; i < keys.length; i++) {
      if (i > 0 && keys[i] === keys[i - 1]) continue;
      distinct[at] = keys[i]!;
      starts[at++] = i;
    }
    starts[count] = keys.length;
    return new Postings(distinct, starts, seqs);
  }

  /** By digits, the lowest first; each pass keeps the order of equal ones, so that events stay in theirs. */
  #sortedPairs(): [keys: Int32Array, seqs: Int32Array] {
    let keys = this.#keys.slice(0, this.#length);
    let seqs = this.#seqs.slice(0, this.#length);
    let toKeys = new Int32Array(keys.length);
    let toSeqs = new Int32Array(keys.length);
    let all = 0;
    for (const key of keys) all |= key;
    const places = new Int32Array(DIGITS + 1);
    for (let shift = 0; all >>> shift > 0; shift += DIGIT_BITS) {
      places.fill(0);
      for (let i = 0; i < keys.length; i++) places[((keys[i]! >>> shift) & (DIGITS - 1)) + 1]!++;
      for (let digit = 0; digit < DIGITS; digit++) places[digit + 1]! += places[digit]!;
      for (let i = 0; i < keys.length; i++) {
        const place = places[(keys[i]! >>> shift) & (DIGITS - 1)]!++;
        toKeys[place] = keys[i]!;
        toSeqs[place] = seqs[i]!;
      }
      [keys, toKeys] = [toKeys, keys];
      [seqs, toSeqs] = [toSeqs, seqs];
    }
    return [keys, seqs];
  }

  #grow(): void {
    const keys = new Int32Array(2 * this.#keys.length);
    keys.set(this.#keys);
    this.#keys = keys;
    const seqs = new Int32Array(keys.length);
    seqs.set(this.#seqs);
    this.#seqs = seqs;
  }
}
