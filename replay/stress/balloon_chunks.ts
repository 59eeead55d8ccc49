import type { PfnRange } from '../../src/index.js';
import type { Random } from '../explore/random.js';

/** Most pfns of one balloon operation. */
export const BALLOON_PFNS_MAX = 16;

/**
 * The part of a range that one thread's balloon owns, in chunks of at most 16 pfns: chunk `k * threads + thread` each. What is
 * down of a chunk comes up as a whole, before any of it goes down again.
 */
export class BalloonChunks {
  readonly #random: Random;
  readonly #chunkPfns: number;
  /** First pfn of each chunk; those that are down stand first. */
  readonly #chunks: Int32Array;
  /** What is down of them. */
  readonly #counts: Int32Array;
  #down = 0;
  /** The pfns that the last `inflate` or `deflate` found: `count` of them, from `pfn` on. */
  pfn = 0;
  /** As `pfn`. */
  count = 0;

  constructor(random: Random, range: PfnRange, thread: number, threads: number) {
    const pfns = range.pfnEnd - range.pfnStart;
    let chunkPfns = BALLOON_PFNS_MAX;
    while (chunkPfns > 1 && chunkPfns * threads > pfns) chunkPfns /= 2;
    const count = Math.floor(pfns / chunkPfns / threads);
    this.#random = random;
    this.#chunkPfns = chunkPfns;
    this.#chunks = Int32Array.from({ length: count }, (_, k) => range.pfnStart + (k * threads + thread) * chunkPfns);
    this.#counts = new Int32Array(count);
  }

  /** Finds pfns that can go down. False: all are down, or it owns none. */
  inflate(): boolean {
    const up = this.#chunks.length - this.#down;
    if (up === 0) return false;
    const chunk = this.#down + this.#random.below(up);
    this.count = 1 + this.#random.below(this.#chunkPfns);
    this.#swap(chunk, this.#down);
    this.#counts[this.#down] = this.count;
    this.pfn = this.#chunks[this.#down++]!;
    return true;
  }

  /** Finds pfns that are down. False: none is. */
  deflate(): boolean {
    if (this.#down === 0) return false;
    this.#swap(this.#random.below(this.#down), --this.#down);
    this.pfn = this.#chunks[this.#down]!;
    this.count = this.#counts[this.#down]!;
    return true;
  }

  #swap(a: number, b: number): void {
    swap(this.#chunks, a, b);
    swap(this.#counts, a, b);
  }
}

function swap(words: Int32Array, a: number, b: number): void {
  const word = words[a]!;
  words[a] = words[b]!;
  words[b] = word;
}
