import type { StateHash } from './state_hash.js';

const ABSENT = -1;

/**
 * The states that were visited, by their hashes: each gets a number, 0 for the first, 1 for the second. Open addressing
 * over typed arrays, at most half full; no object a state.
 */
export class StateTable {
  /** Four words a state, in the order of their numbers. */
  #hashes = new Int32Array(4 * 1024);
  /** Slot -> state + 1; 0 is an empty slot. A power of two. */
  #slots = new Int32Array(2048);
  #count = 0;

  /** States so far. */
  get count(): number {
    return this.#count;
  }

  /** The number of the state with that hash; -1 where none has it. */
  find(hash: StateHash): number {
    return this.#slots[this.#slotOf(hash.lanes, 0)]! - 1;
  }

  /** Gives the state, which is not there yet, its number. */
  insert(hash: StateHash): number {
    if (2 * (this.#count + 1) > this.#slots.length) this.#grow();
    const state = this.#count++;
    this.#hashes.set(hash.lanes, 4 * state);
    this.#slots[this.#slotOf(hash.lanes, 0)] = state + 1;
    return state;
  }

  /** The slot that holds the hash of four words from `at` on, or the empty one where it belongs. */
  #slotOf(words: Int32Array, at: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = words[at]! & mask; ; slot = (slot + 1) & mask) {
      const state = this.#slots[slot]! - 1;
      if (state === ABSENT || this.#isAt(state, words, at)) return slot;
    }
  }

  #isAt(state: number, words: Int32Array, at: number): boolean {
    const hashes = this.#hashes;
    const own = 4 * state;
    return (
      hashes[own] === words[at] &&
      hashes[own + 1] === words[at + 1] &&
      hashes[own + 2] === words[at + 2] &&
      hashes[own + 3] === words[at + 3]
    );
  }

  #grow(): void {
    const hashes = new Int32Array(2 * this.#hashes.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let state = 0; state < this.#count; state++) this.#slots[this.#slotOf(hashes, 4 * state)] = state + 1;
  }
}
