import type { Word } from '../../events/index.js';

/** So many are looked through one by one; for more there is a table. */
const LISTED_MAX = 8;
const SLOTS_MIN = 64;
/** A larger table is given back when the set is cleared. */
const SLOTS_KEPT = 1 << 16;
/** Words before the mask. */
const HEAD = 2;

/**
 * A set of states of a register, as the just-in-time search has them: its value, when that was written, and which of the
 * open accesses have their place already, as bits of a mask. Two with the same value and mask are one: the later write is
 * kept. No state stands for another by its hash.
 */
export class Configurations {
  /** States in the set. */
  count = 0;
  /** By state: value, event at which it was written, words of the mask. */
  cells: Int32Array;
  /** Words of a state. */
  readonly width: number;
  readonly #maskWords: number;
  /** State + 1, 0 where empty; in use where there are more states than `LISTED_MAX`. */
  #slots = new Int32Array(SLOTS_MIN);
  #isTabled = false;

  constructor(maskWords: number) {
    this.#maskWords = maskWords;
    this.width = HEAD + maskWords;
    this.cells = new Int32Array(16 * this.width);
  }

  valueOf(state: number): Word {
    return this.cells[state * this.width]!;
  }

  /** The event at which its value was written. */
  writtenAt(state: number): number {
    return this.cells[state * this.width + 1]!;
  }

  /** Whether bit `bit` of its mask is set. */
  has(state: number, bit: number): boolean {
    return (this.cells[state * this.width + HEAD + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
  }

  /** Sets a bit of a state's mask. Nothing can be added then before the set is cleared: the state is not found any more. */
  set(state: number, bit: number): void {
    this.cells[state * this.width + HEAD + (bit >>> 5)]! |= 1 << (bit & 31);
  }

  /** Copies the mask of a state. */
  copyMask(state: number, into: Int32Array): void {
    const at = state * this.width + HEAD;
    for (let i = 0; i < this.#maskWords; i++) into[i] = this.cells[at + i]!;
  }

  /** Forgets all states. */
  clear(): void {
    this.count = 0;
    if (!this.#isTabled) return;
    if (this.#slots.length > SLOTS_KEPT) this.#slots = new Int32Array(SLOTS_MIN);
    else this.#slots.fill(0);
    this.#isTabled = false;
  }

  /** Adds a state. */
  add(value: Word, writtenAt: number, mask: Int32Array): void {
    const slot = this.#isTabled ? this.#slotOf(value, mask, 0) : -1;
    const state = slot < 0 ? this.#listed(value, mask) : this.#slots[slot]! - 1;
    if (state >= 0) {
      const at = state * this.width + 1;
      if (this.cells[at]! < writtenAt) this.cells[at] = writtenAt;
      return;
    }
    this.#push(value, writtenAt, mask);
    if (slot >= 0) this.#slots[slot] = this.count;
    if (this.count > LISTED_MAX && (!this.#isTabled || 2 * this.count > this.#slots.length)) this.#makeTable();
  }

  #push(value: Word, writtenAt: number, mask: Int32Array): void {
    const at = this.count++ * this.width;
    if (at === this.cells.length) {
      const cells = new Int32Array(2 * this.cells.length);
      cells.set(this.cells);
      this.cells = cells;
    }
    this.cells[at] = value;
    this.cells[at + 1] = writtenAt;
    for (let i = 0; i < this.#maskWords; i++) this.cells[at + HEAD + i] = mask[i]!;
  }

  #listed(value: Word, mask: Int32Array): number {
    for (let state = 0; state < this.count; state++) if (this.#is(state, value, mask, 0)) return state;
    return -1;
  }

  /** Whether the state has that value, and that mask, which stands in `mask` from `from` on. */
  #is(state: number, value: Word, mask: Int32Array, from: number): boolean {
    const { cells } = this;
    const at = state * this.width;
    if (cells[at] !== value) return false;
    for (let i = 0; i < this.#maskWords; i++) if (cells[at + HEAD + i] !== mask[from + i]) return false;
    return true;
  }

  #makeTable(): void {
    this.#isTabled = true;
    let size = this.#slots.length;
    while (size < 4 * this.count) size *= 2;
    if (size === this.#slots.length) this.#slots.fill(0);
    else this.#slots = new Int32Array(size);
    for (let state = 0; state < this.count; state++) {
      const slot = this.#slotOf(this.valueOf(state), this.cells, state * this.width + HEAD);
      this.#slots[slot] = state + 1;
    }
  }

  /** Where the state is, or the empty slot where it belongs. */
  #slotOf(value: Word, mask: Int32Array, from: number): number {
    let hash = Math.imul(value, 0x9e3779b1);
    for (let i = 0; i < this.#maskWords; i++) hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) + mask[from + i]!;
    hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f);
    const last = this.#slots.length - 1;
    for (let slot = (hash ^ (hash >>> 15)) & last; ; slot = (slot + 1) & last) {
      const state = this.#slots[slot]! - 1;
      if (state < 0 || this.#is(state, value, mask, from)) return slot;
    }
  }
}
