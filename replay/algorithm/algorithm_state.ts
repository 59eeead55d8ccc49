import { StateHash } from '../explore/state_hash.js';
import type { StateSink } from '../explore/program.js';

/** Words of an entry of the log: address, old value, new value. */
const ENTRY = 3;

/**
 * The whole state of an algorithm: one array of words. A log of what each step changed takes steps back.
 *
 * The hash is by address and follows the log, step by step, when somebody asks for it: who never asks pays nothing, and
 * what was mixed for a step is kept for as long as the step is.
 */
export class AlgorithmState {
  readonly words: Int32Array;
  #log = new Int32Array(ENTRY * 256);
  #logged = 0;
  /** By step: where its entries begin. */
  #starts = new Int32Array(64);
  #depth = 0;
  readonly #hash = new StateHash();
  /** Four words a depth: the hash of the state after that many steps. */
  #sums = new Int32Array(4 * 64);
  /** Depth up to which there is one. */
  #hashed = 0;

  /** @param words the initial state, which is taken over; `settle` when it is complete */
  constructor(words: Int32Array) {
    this.words = words;
  }

  /** What is stored now is where all paths begin. */
  settle(): void {
    this.#logged = 0;
    this.#depth = 0;
    this.#hashed = 0;
    this.#hash.clear();
    this.state(this.#hash);
    this.#keepSum(0);
  }

  /** What is stored from here on is one step. */
  begin(): void {
    if (this.#depth + 1 >= this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#sums = doubled(this.#sums);
    }
    this.#starts[this.#depth++] = this.#logged;
  }

  /** Stores a word; it is cut to 32 bits. */
  set(address: number, value: number): void {
    const old = this.words[address]!;
    const now = value | 0;
    if (old === now) return;
    const at = this.#logged;
    if (at + ENTRY > this.#log.length) this.#log = doubled(this.#log);
    const log = this.#log;
    log[at] = address;
    log[at + 1] = old;
    log[at + 2] = now;
    this.#logged = at + ENTRY;
    this.words[address] = now;
  }

  /** Takes the last `steps` back. There are as many. */
  rewind(steps: number): void {
    if (steps === 0) return;
    this.#depth -= steps;
    const start = this.#starts[this.#depth]!;
    const log = this.#log;
    for (let at = this.#logged - ENTRY; at >= start; at -= ENTRY) this.words[log[at]!] = log[at + 1]!;
    this.#logged = start;
    if (this.#hashed > this.#depth) this.#hashed = this.#depth;
  }

  /** Steps that can be taken back. */
  get depth(): number {
    return this.#depth;
  }

  /** Mixes the state into `into`. */
  hash(into: StateHash): void {
    const { lanes } = this.#hash;
    for (let lane = 0; lane < 4; lane++) lanes[lane] = this.#sums[4 * this.#hashed + lane]!;
    while (this.#hashed < this.#depth) this.#hashStep();
    into.join(this.#hash);
  }

  /** Gives every word that is not 0. */
  state(into: StateSink): void {
    for (let address = 0; address < this.words.length; address++) {
      const value = this.words[address]!;
      if (value !== 0) into.add(address, value);
    }
  }

  #hashStep(): void {
    const step = this.#hashed++;
    const end = this.#hashed === this.#depth ? this.#logged : this.#starts[this.#hashed]!;
    for (let at = this.#starts[step]!; at < end; at += ENTRY) {
      const address = this.#log[at]!;
      const old = this.#log[at + 1]!;
      const now = this.#log[at + 2]!;
      if (old !== 0) this.#hash.take(address, old);
      if (now !== 0) this.#hash.add(address, now);
    }
    this.#keepSum(this.#hashed);
  }

  #keepSum(depth: number): void {
    for (let lane = 0; lane < 4; lane++) this.#sums[4 * depth + lane] = this.#hash.lanes[lane]!;
  }
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(2 * words.length);
  more.set(words);
  return more;
}
