import { DeadStates } from './dead_states.js';
import { OperationKind } from './history.js';
import { NEVER, type RegisterOperations } from './register_operations.js';

/** Whether an order was found; `unknown` where the steps ran out before. */
export type SearchVerdict = 'ok' | 'violated' | 'unknown';

const NONE = -1;

/**
 * Looks for an order of one register's operations in which each finds what it found and none stands before one that had
 * ended when it began: Wing and Gong's search (1993) with Lowe's memory of states that lead nowhere (2017).
 *
 * The state is exact and small: the first return that is still to be explained; which of the operations open at that
 * moment have their place already, as bits of their slots; and the register's value. Every operation that returned before
 * has its place, every one called later has none, so nothing else of the set needs to be told.
 *
 * Three rules cut the choices and lose no order. A read that fits is taken at once: it changes nothing, so any order in
 * which it comes later has it here as well. A pending operation is tried last, and only where an open operation wants the
 * value that it writes: it need not stand elsewhere, for then the order is as good without it.
 */
export class RegisterSearch {
  /** Steps of the last run: operations that were given a place, also in vain. */
  steps = 0;
  /** Most returns that any order of the last run explained: where it is violated, the next one is what nothing explains. */
  explained = 0;

  #ops: RegisterOperations;
  /** Operations without a place, as two rings in the order of their calls, of the done and of the pending. */
  #next = new Int32Array(0);
  #prev = new Int32Array(0);
  /** The heads of the rings. */
  #doneHead = 0;
  #pendingHead = 0;
  /** By operation: it has its place. */
  #placed = new Uint8Array(0);
  /** What was given a place, in order, and what each overwrote: the value, and the first return. */
  #order = new Int32Array(0);
  #oldValue = new Int32Array(0);
  #oldReturn = new Int32Array(0);
  #depth = 0;
  /** The state. */
  #value = 0;
  #return = 0;
  #mask = new Int32Array(1);
  readonly #dead = new DeadStates();

  constructor(ops: RegisterOperations) {
    this.#ops = ops;
  }

  /** Searches among the operations loaded now, `stepsMax` steps at most. */
  run(stepsMax: number): SearchVerdict {
    this.#begin();
    const ops = this.#ops;
    let from = NONE;
    while (this.#return < ops.done) {
      // A fresh state has no place to go on from.
      let operation = from === NONE ? this.#fittingRead() : NONE;
      if (operation === NONE) operation = this.#choice(from === NONE ? this.#next[this.#doneHead]! : from);
      if (operation === NONE) {
        from = this.#giveUp();
        if (from === NONE) return 'violated';
      } else {
        if (this.steps++ >= stepsMax) return 'unknown';
        this.#place(operation);
        from = NONE;
        if (this.#dead.has(this.#return, this.#value, this.#mask)) {
          this.#unplace();
          from = this.#next[operation]!;
        }
      }
    }
    return 'ok';
  }

  /** A read that finds here what it returned. */
  #fittingRead(): number {
    const { kind, value, call } = this.#ops;
    const next = this.#next;
    for (let at = next[this.#doneHead]!; call[at]! <= this.#return; at = next[at]!) {
      if (kind[at] === OperationKind.read && value[at] === this.#value) return at;
    }
    return NONE;
  }

  /** The next operation from `from` on that writes and may come now. */
  #choice(from: number): number {
    const { kind, expected, call, done } = this.#ops;
    const next = this.#next;
    let at = from;
    if (at < done || at === this.#doneHead) {
      for (; call[at]! <= this.#return; at = next[at]!) {
        if (kind[at] === OperationKind.write || (kind[at] === OperationKind.cas && expected[at] === this.#value))
          return at;
      }
      at = next[this.#pendingHead]!;
    }
    for (; call[at]! <= this.#return; at = next[at]!) {
      const fits = kind[at] === OperationKind.write || expected[at] === this.#value;
      if (fits && this.#isWanted(at)) return at;
    }
    return NONE;
  }

  /** Whether an open operation wants to find what `writer` writes. */
  #isWanted(writer: number): boolean {
    const { kind, value, expected, call } = this.#ops;
    const wanted = value[writer]!;
    const next = this.#next;
    for (let at = next[this.#doneHead]!; call[at]! <= this.#return; at = next[at]!) {
      if (kind[at] !== OperationKind.write && (kind[at] === OperationKind.read ? value : expected)[at] === wanted)
        return true;
    }
    for (let at = next[this.#pendingHead]!; call[at]! <= this.#return; at = next[at]!) {
      if (kind[at] === OperationKind.cas && expected[at] === wanted && at !== writer) return true;
    }
    return false;
  }

  /** Nothing fits: back to the last choice. Gives where to go on from, `NONE` where there was no choice. */
  #giveUp(): number {
    const { kind } = this.#ops;
    while (this.#depth > 0) {
      const operation = this.#order[this.#depth - 1]!;
      const wasChosen = kind[operation] !== OperationKind.read;
      if (wasChosen) this.#dead.add(this.#return, this.#value, this.#mask);
      this.#unplace();
      if (wasChosen) return this.#next[operation]!;
    }
    return NONE;
  }

  #place(operation: number): void {
    const { kind, value, slot, ret, returned, done } = this.#ops;
    const depth = this.#depth++;
    this.#order[depth] = operation;
    this.#oldValue[depth] = this.#value;
    this.#oldReturn[depth] = this.#return;
    const next = this.#next[operation]!;
    const prev = this.#prev[operation]!;
    this.#next[prev] = next;
    this.#prev[next] = prev;
    this.#placed[operation] = 1;
    if (kind[operation] !== OperationKind.read) this.#value = value[operation]!;
    if (ret[operation] !== this.#return) {
      this.#flip(slot[operation]!);
      return;
    }
    // Its own return is explained, with all the next ones whose operations have their places.
    let at = this.#return + 1;
    for (; at < done && this.#placed[returned[at]!] === 1; at++) this.#flip(slot[returned[at]!]!);
    this.#return = at;
    if (at > this.explained) this.explained = at;
  }

  #unplace(): void {
    const { slot, ret, returned } = this.#ops;
    const depth = --this.#depth;
    const operation = this.#order[depth]!;
    const oldReturn = this.#oldReturn[depth]!;
    if (ret[operation] !== oldReturn) this.#flip(slot[operation]!);
    for (let at = oldReturn + 1; at < this.#return; at++) this.#flip(slot[returned[at]!]!);
    this.#return = oldReturn;
    this.#value = this.#oldValue[depth]!;
    this.#placed[operation] = 0;
    this.#next[this.#prev[operation]!] = operation;
    this.#prev[this.#next[operation]!] = operation;
  }

  #flip(slot: number): void {
    this.#mask[slot >> 5]! ^= 1 << (slot & 31);
  }

  #begin(): void {
    const { count, done, call, slots, initial } = this.#ops;
    if (this.#next.length < count + 2) this.#reserve(2 * count + 2);
    this.#doneHead = count;
    this.#pendingHead = count + 1;
    // No operation is called after the last return: the scans end at the heads.
    call[count] = NEVER;
    call[count + 1] = NEVER;
    this.#link(this.#doneHead, 0, done);
    this.#link(this.#pendingHead, done, count);
    this.#placed.fill(0, 0, count);
    this.#mask = new Int32Array(Math.max(1, (slots + 31) >> 5));
    this.#dead.clear(this.#mask.length);
    this.#value = initial;
    this.#return = 0;
    this.#depth = 0;
    this.steps = 0;
    this.explained = 0;
  }

  /** A ring of the operations from `start` to `end`, without it. */
  #link(head: number, start: number, end: number): void {
    let last = head;
    for (let at = start; at < end; at++) {
      this.#next[last] = at;
      this.#prev[at] = last;
      last = at;
    }
    this.#next[last] = head;
    this.#prev[head] = last;
  }

  #reserve(room: number): void {
    this.#next = new Int32Array(room);
    this.#prev = new Int32Array(room);
    this.#placed = new Uint8Array(room);
    this.#order = new Int32Array(room);
    this.#oldValue = new Int32Array(room);
    this.#oldReturn = new Int32Array(room);
  }
}
