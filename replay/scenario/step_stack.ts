import { AssertionError } from '../../events/index.js';

/** Words of a step: see `Saved`. */
const STEP_WORDS = 14;

/** What a word of a step is; the hashes have four each. */
export const Saved = {
  agent: 0,
  events: 1,
  finished: 2,
  begun: 3,
  /** 1: no step of the operation in hand was taken. */
  fresh: 4,
  doubleFreed: 5,
  threadHash: 6,
  memoryHash: 10,
} as const;

/** Where a program was before each step of a path, as numbers: no object a step, and no bound but the memory. */
export class StepStack {
  words = new Int32Array(256 * STEP_WORDS);
  #end = 0;

  /** Steps of the path. */
  get length(): number {
    return this.#end / STEP_WORDS;
  }

  /** Adds a step and gives where its words begin. */
  push(): number {
    const at = this.#end;
    if (at === this.words.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.words);
      this.words = larger;
    }
    this.#end += STEP_WORDS;
    return at;
  }

  /** Where the words of the last step begin. */
  get last(): number {
    if (this.#end === 0) throw new AssertionError('no step was taken');
    return this.#end - STEP_WORDS;
  }

  /** Drops the last step and gives where its words stand until the next is pushed. */
  pop(): number {
    this.#end = this.last;
    return this.#end;
  }
}
