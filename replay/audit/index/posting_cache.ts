import type { PfnPostings } from './pfn_postings.js';

/** Postings of one stretch of the log, which begins at event `seqStart`. */
export interface IndexedStretch {
  readonly seqStart: number;
  readonly postings: PfnPostings;
}

/** The stretches asked for last, within a bound of bytes; the newest one is always kept. */
export class PostingCache {
  readonly #bytesMax: number;
  readonly #stretches: (IndexedStretch | undefined)[] = [];
  /** When each was asked for last: a count of all questions. */
  readonly #asked: number[] = [];
  #questions = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(index: number): IndexedStretch | undefined {
    this.#asked[index] = ++this.#questions;
    return this.#stretches[index];
  }

  set(index: number, stretch: IndexedStretch): void {
    this.#remove(index);
    this.#stretches[index] = stretch;
    this.#asked[index] = ++this.#questions;
    this.#bytes += stretch.postings.bytes;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#oldest();
      if (oldest === index) break;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#stretches.length = 0;
    this.#bytes = 0;
  }

  #oldest(): number {
    let oldest = -1;
    this.#stretches.forEach((stretch, index) => {
      if (stretch === undefined) return;
      if (oldest < 0 || this.#asked[index]! < this.#asked[oldest]!) oldest = index;
    });
    return oldest;
  }

  #remove(index: number): void {
    this.#bytes -= this.#stretches[index]?.postings.bytes ?? 0;
    this.#stretches[index] = undefined;
  }
}
