import type { StressLayout } from './stress_layout.js';

/** Times that a thread touches a region, on average, before the next is hot. */
const TOUCHES_OF_A_THREAD = 4;

/**
 * Where nobody has been: regions of the list, of which one is hot at a time. The threads share one word, the touches so far; a
 * touch takes a ticket of it, and the tickets say where, so that threads meet where nothing is private yet:
 *
 *     region        0: T threads, K = 4 T tickets                       1 ...
 *     ticket        0 .. T-1      T .. 2T-1     2T .. 3T-1   ..         K ...
 *     leaf of it    the same      each its own  the same     ..
 */
export class Frontier {
  readonly #tickets: Int32Array;
  readonly #regions: Int32Array;
  readonly #leaves: number;
  readonly #perPage: number;
  readonly #threads: number;
  readonly #perRegion: number;

  /** @param tickets shared by all threads: its first word is advanced by `Atomics`, from 0 on */
  constructor(layout: StressLayout, threads: number, tickets: Int32Array) {
    this.#tickets = tickets;
    this.#regions = layout.regions;
    this.#perPage = layout.geometry.perPage;
    this.#leaves = layout.regionPfns / this.#perPage;
    this.#threads = threads;
    this.#perRegion = TOUCHES_OF_A_THREAD * threads;
  }

  /** First pfn of the leaf to touch now; -1: all regions are used up. */
  take(): number {
    return this.#leafOf(Atomics.add(this.#tickets, 0, 1));
  }

  /** First pfn of a leaf that is about to be touched, or just was; -1: all regions are used up. */
  peek(): number {
    return this.#leafOf(Atomics.load(this.#tickets, 0));
  }

  #leafOf(ticket: number): number {
    const region = Math.floor(ticket / this.#perRegion);
    const first = this.#regions[region];
    if (first === undefined) return -1;
    const within = ticket - region * this.#perRegion;
    const turn = Math.floor(within / this.#threads);
    return first + ((turn % 2 === 0 ? turn : within) % this.#leaves) * this.#perPage;
  }
}
