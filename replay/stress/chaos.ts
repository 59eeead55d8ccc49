import { usageError } from '../../events/index.js';
import { Random } from '../explore/random.js';

/** A count down stays a small integer, which costs least. */
const LEFT_MAX = 2 ** 30 - 1;
/** A pause is below 2^(this + 1) us. */
const DOUBLINGS = 10;

/**
 * Where one thread pauses, to widen the windows between its rows: after `percent` of them, at random. A call that says 0 counts
 * down and does nothing else. Short pauses and long ones are as frequent as each other: 1 us, 2-3, 4-7, .. 1024-2047.
 */
export class Chaos {
  readonly #random: Random;
  /** Logarithm of the chance that a row has no pause. */
  readonly #log: number;
  #left: number;

  /** @param percent of the rows that a pause follows, 0 to 100 */
  constructor(percent: number, seed: number) {
    this.#random = new Random(seed);
    this.#log = Math.log(1 - percent / 100);
    this.#left = this.#gap();
  }

  /** To be called after each row: how long to wait there, in microseconds. */
  pause(): number {
    if (this.#left-- > 0) return 0;
    this.#left = this.#gap();
    if (this.#log === 0) return 0;
    const doubled = 2 ** this.#random.below(DOUBLINGS + 1);
    return doubled + this.#random.below(doubled);
  }

  /** Rows until the next pause: geometric. */
  #gap(): number {
    if (this.#log === 0) return LEFT_MAX;
    if (this.#log === -Infinity) return 0;
    return Math.min(Math.floor(Math.log(1 - this.#random.unit()) / this.#log), LEFT_MAX);
  }
}

/** Percent of rows as a command line has them: 0 to 100, a fraction allowed. @throws P2mError (usage) */
export function parseChaos(text: string): number {
  const percent = /^\d{1,3}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
  if (!(percent <= 100)) {
    throw usageError('bad chaos', {
      got: JSON.stringify(text),
      expected: '0 to 100, the percent of rows with a pause',
    });
  }
  return percent;
}
