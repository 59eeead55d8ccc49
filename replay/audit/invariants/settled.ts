import type { OpenOperations } from '../open_operations.js';
import type { Breach } from './invariant.js';

/** Pfns that something is said of. */
export interface PfnSpan {
  readonly pfnStart: number;
  readonly pfnEnd: number;
}

/**
 * What an operation in the middle may break and puts right before it returns: it counts once none is in the middle there,
 * and then from the event on since which it has been wrong. Things are numbered by whoever asks: leaves, slots.
 */
export class Settled {
  readonly #operations: OpenOperations;
  readonly #spanOf: (thing: number) => PfnSpan;
  readonly #judge: (thing: number) => string | undefined;
  /** Since which event a thing is wrong. */
  readonly #since = new Map<number, number>();

  constructor(
    operations: OpenOperations,
    spanOf: (thing: number) => PfnSpan,
    judge: (thing: number) => string | undefined,
  ) {
    this.#operations = operations;
    this.#spanOf = spanOf;
    this.#judge = judge;
  }

  /** Things that are wrong while somebody is in the middle. */
  get undecided(): number {
    return this.#since.size;
  }

  /** The event has changed what the thing is judged by. */
  touch(thing: number, seq: number): Breach | undefined {
    if (this.#judge(thing) === undefined) {
      this.#since.delete(thing);
      return undefined;
    }
    if (!this.#since.has(thing)) this.#since.set(thing, seq);
    return this.#decide(thing);
  }

  /** An operation has ended. */
  decide(): Breach | undefined {
    for (const thing of this.#since.keys()) {
      const breach = this.#decide(thing);
      if (breach !== undefined) return breach;
    }
    return undefined;
  }

  #decide(thing: number): Breach | undefined {
    const { pfnStart, pfnEnd } = this.#spanOf(thing);
    if (!this.#operations.isQuiet(pfnStart, pfnEnd)) return undefined;
    return { seq: this.#since.get(thing)!, says: this.#judge(thing)! };
  }
}
