/** A seeded generator of 32 bit numbers: the same seed gives the same numbers for ever (mulberry32, public domain). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 to `end` - 1; `end` at most 2^32. */
  below(end: number): number {
    // Scaled, not taken modulo: the upper bits are the better ones.
    return Math.floor(this.unit() * end);
  }

  /** A number from 0 on, below 1: a multiple of 2^-32. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
