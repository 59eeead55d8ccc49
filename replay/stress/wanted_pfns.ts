import type { PfnRange } from '../../src/index.js';
import type { Random } from '../explore/random.js';
import { Scatter } from './scatter.js';
import type { Skew } from './skew.js';
import { Zipf } from './zipf.js';

/** One in so many is not of the hot leaf. */
const COLD_SHARE = 16;

/** Which pfns a thread wants. */
export interface WantedPfnsOptions {
  readonly range: PfnRange;
  /** Entries of a leaf. */
  readonly perPage: number;
  readonly skew: Skew;
  /** Who may set: pfn `pfnStart + k * sharers + t` is of thread t. 1: all are of thread 0. */
  readonly sharers: number;
  /** Of the run, the same for all threads: which pfns are hot. */
  readonly seed: number;
}

/**
 * Pfns of a range by their skew. Pfns of different threads alternate, so that they share leaves; the hot ones of a thread lie
 * scattered, at the same places for all.
 */
export class WantedPfns {
  readonly #random: Random;
  readonly #pfnStart: number;
  readonly #sharers: number;
  /** Pfns of each thread; what is left over is nobody's. */
  readonly #count: number;
  readonly #zipf: Zipf | undefined;
  readonly #scatter: Scatter;
  /** Of each thread, those from `#hotStart` on are in the hot leaf; none where it has fewer pfns than there are threads. */
  readonly #hotStart: number;
  readonly #hotCount: number;

  constructor(random: Random, { range, perPage, skew, sharers, seed }: WantedPfnsOptions) {
    const pfns = range.pfnEnd - range.pfnStart;
    this.#random = random;
    this.#pfnStart = range.pfnStart;
    this.#sharers = sharers;
    this.#count = Math.floor(pfns / sharers);
    this.#zipf = skew.kind === 'zipf' ? new Zipf(random, Math.max(this.#count, 1), skew.theta) : undefined;
    this.#scatter = new Scatter(Math.max(this.#count, 1), seed);
    const leaf = this.#scatter.at(0) % Math.max(Math.floor(pfns / perPage), 1);
    // Rounded to whole turns of the threads: they may begin behind the leaf's first pfn, and end before its last.
    this.#hotStart = Math.ceil((leaf * perPage) / sharers);
    const hotEnd = Math.min(Math.floor(((leaf + 1) * perPage) / sharers), this.#count);
    this.#hotCount = skew.kind === 'hot-leaf' ? Math.max(hotEnd - this.#hotStart, 0) : 0;
  }

  /** A pfn of thread `sharer`, below `sharers`; -1: it has none. */
  of(sharer: number): number {
    if (this.#count === 0) return -1;
    return this.#pfnStart + this.#index() * this.#sharers + sharer;
  }

  /** A pfn of any thread; -1: there is none. */
  any(): number {
    return this.#sharers === 1 ? this.of(0) : this.of(this.#random.below(this.#sharers));
  }

  #index(): number {
    if (this.#zipf !== undefined) return this.#scatter.at(this.#zipf.next());
    if (this.#hotCount > 0 && this.#random.below(COLD_SHARE) > 0) {
      return this.#hotStart + this.#random.below(this.#hotCount);
    }
    return this.#random.below(this.#count);
  }
}
