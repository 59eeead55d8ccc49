import { IntList } from './int_list.js';
import type { Program, StateSink } from './program.js';
import type { States } from './states.js';

/**
 * States kept as they are, two words for each of their pairs, so that none is taken for another. Two are equal where their
 * sorted pairs are, however often a pair is in them.
 */
export class ExactStates implements States {
  readonly #pairs = new Pairs();
  /** The sorted pairs of state 0, of state 1, ... */
  readonly #kept = new IntList();
  /** By state: where its pairs begin in `#kept`; after the last, where they end. */
  readonly #starts = new IntList();
  /** Slot -> state + 1; 0 is an empty slot. A power of two, at most half full. */
  #slots = new Int32Array(2048);
  /** By state: what its slot is looked for by. */
  readonly #scatters = new IntList();
  /** The empty slot that the state looked for last belongs in. */
  #slot = 0;

  constructor() {
    this.#starts.push(0);
  }

  get count(): number {
    return this.#scatters.length;
  }

  get words(): number {
    return this.#kept.length;
  }

  find(program: Program): number {
    this.#pairs.clear();
    program.state(this.#pairs);
    this.#pairs.sort();
    const mask = this.#slots.length - 1;
    for (this.#slot = this.#pairs.scatter & mask; ; this.#slot = (this.#slot + 1) & mask) {
      const state = this.#slots[this.#slot]! - 1;
      if (state < 0 || this.#isAt(state)) return state;
    }
  }

  add(): number {
    const state = this.count;
    const { words, length, scatter } = this.#pairs;
    for (let i = 0; i < length; i++) this.#kept.push(words[i]!);
    this.#starts.push(this.#kept.length);
    this.#scatters.push(scatter);
    this.#slots[this.#slot] = state + 1;
    if (2 * this.count >= this.#slots.length) this.#grow();
    return state;
  }

  /** Whether the state in hand is that one. */
  #isAt(state: number): boolean {
    const { words, length, scatter } = this.#pairs;
    const start = this.#starts.at(state);
    if (this.#scatters.at(state) !== scatter || this.#starts.at(state + 1) - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#kept.at(start + i) !== words[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let state = 0; state < this.count; state++) {
      let slot = this.#scatters.at(state) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = state + 1;
    }
    this.#slots = slots;
  }
}

/** The pairs of one state: value and key by turns. */
class Pairs implements StateSink {
  words = new Int32Array(256);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(key: number, value: number): void {
    if (this.length === this.words.length) this.#grow();
    this.words[this.length++] = value;
    this.words[this.length++] = key;
  }

  /** Brings equal sets of pairs into one order; each pair is sorted as one number of 64 bits. */
  sort(): void {
    new BigInt64Array(this.words.buffer, 0, this.length / 2).sort();
  }

  /** A hash of them in their order; it only spreads them, so it need not be a good one. */
  get scatter(): number {
    let hash = 0;
    for (let i = 0; i < this.length; i++) hash = Math.imul(hash ^ this.words[i]!, 0x9e3779b1) ^ (hash >>> 15);
    return hash ^ (hash >>> 16);
  }

  #grow(): void {
    const words = new Int32Array(2 * this.length);
    words.set(this.words);
    this.words = words;
  }
}
