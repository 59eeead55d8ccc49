import type { Program } from './program.js';
import { StateHash } from './state_hash.js';
import { StateTable } from './state_table.js';

/** Numbers the states that a search comes to: 0 is the first. */
export interface States {
  readonly count: number;
  /** Words of 32 bits that the states themselves take; 0 where hashes stand for them. */
  readonly words: number;
  /** The number of the state that the program is in; -1 where it has none yet. */
  find(program: Program): number;
  /** Gives the state that was looked for last, and not found, the next number. */
  add(): number;
}

/** States by their hashes of 128 bits: 16 bytes each, and a chance that two are taken for one (`collisionChance`). */
export class HashedStates implements States {
  readonly words = 0;
  readonly #hash = new StateHash();
  readonly #table = new StateTable();

  get count(): number {
    return this.#table.count;
  }

  find(program: Program): number {
    this.#hash.clear();
    program.hash(this.#hash);
    return this.#table.find(this.#hash);
  }

  add(): number {
    return this.#table.insert(this.#hash);
  }
}
