/** Buckets of a histogram: when they do not reach, each two become one. */
const BUCKETS = 16;

/** Counts over time in at most 16 buckets of one width, which doubles until all times fit. */
export class TimeHistogram {
  /** Of CLOCKS. */
  readonly clock: number;
  /** Where bucket 0 begins, and what one spans: nanoseconds, or what the counter counts. */
  start: number;
  width = 1;
  #counts: number[] = new Array<number>(BUCKETS).fill(0);
  #last: number;

  /** @param first the first time, to be counted too */
  constructor(clock: number, first: number) {
    this.clock = clock;
    this.start = first;
    this.#last = first;
  }

  /** Counts up to the last bucket that has a time. */
  get counts(): readonly number[] {
    return this.#counts.slice(0, Math.floor((this.#last - this.start) / this.width) + 1);
  }

  /** Counts a time; times may go back, as logs of several CPUs do. */
  count(time: number): void {
    while (time < this.start) this.#growDown();
    while (time >= this.start + this.width * BUCKETS) this.#growUp();
    this.#counts[Math.floor((time - this.start) / this.width)]!++;
    this.#last = Math.max(this.#last, time);
  }

  /** The upper half becomes room. */
  #growUp(): void {
    this.#counts = this.#halved().concat(new Array<number>(BUCKETS / 2).fill(0));
    this.width *= 2;
  }

  /** The lower half becomes room. */
  #growDown(): void {
    this.start -= this.width * BUCKETS;
    this.#counts = new Array<number>(BUCKETS / 2).fill(0).concat(this.#halved());
    this.width *= 2;
  }

  #halved(): number[] {
    return Array.from({ length: BUCKETS / 2 }, (_, i) => this.#counts[2 * i]! + this.#counts[2 * i + 1]!);
  }
}
