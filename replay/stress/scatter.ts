/** Odd numbers with bits all over, from the golden ratio and from MurmurHash3 (public domain). */
const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca6b;

/**
 * A permutation of 0 .. n - 1 without a table, that leaves no two neighbours beside each other: two multiplications by odd
 * numbers and a shift permute the next power of two, and who falls behind n goes round again.
 */
export class Scatter {
  readonly #n: number;
  readonly #mask: number;
  readonly #shift: number;
  readonly #offset: number;

  /** @param n at least 1, at most 2^30 */
  constructor(n: number, seed: number) {
    const bits = 32 - Math.clz32(n - 1);
    this.#n = n;
    this.#mask = 2 ** bits - 1;
    this.#shift = (bits + 1) >>> 1;
    this.#offset = Math.imul(seed, SECOND) & this.#mask;
  }

  /** Where `index` (0 .. n - 1) lies. */
  at(index: number): number {
    const mask = this.#mask;
    let at = index;
    do {
      at = (Math.imul(at + this.#offset, FIRST) + this.#offset) & mask;
      at ^= at >>> this.#shift;
      at = Math.imul(at, SECOND) & mask;
    } while (at >= this.#n);
    return at;
  }
}
