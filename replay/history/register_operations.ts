import { EventType, NO_VALUE, OperationKind, type History } from './history.js';

/** A return that never came: later than any. */
export const NEVER = 0x7fffffff;

/**
 * The operations of one register, ready to be ordered. Real time is counted in returns: `a` ended before `b` began where
 * `ret[a] < call[b]`. The operations that are done come first, in the order of their calls, then the pending ones, which
 * may or may not have taken effect. One object serves key after key; its columns only grow.
 */
export class RegisterOperations {
  /** Operations, and those of them that are done. */
  count = 0;
  done = 0;
  /** By operation: its number in the history. */
  operation = new Int32Array(0);
  kind = new Uint8Array(0);
  /** What a read returned, what a write or a cas wrote. */
  value = new Int32Array(0);
  /** What a cas found. */
  expected = new Int32Array(0);
  /** How many operations had returned when it was called. */
  call = new Int32Array(0);
  /** The place of its return among the returns, or `NEVER`. */
  ret = new Int32Array(0);
  /** No two operations that are open at a time have the same slot; a pending one keeps its own. Below `slots`. */
  slot = new Int32Array(0);
  slots = 0;
  /** The operations in the order of their returns. */
  returned = new Int32Array(0);
  /** The value of the register before all of them. */
  initial = 0;

  readonly #history: History;
  /** By operation of the history: its place here. */
  readonly #places: Int32Array;
  /** By value: the last load in which some operation wants to find it. */
  readonly #wanted: Int32Array;
  readonly #freeSlots: number[] = [];
  #load = 0;

  constructor(history: History) {
    this.#history = history;
    this.#places = new Int32Array(history.count);
    this.#wanted = new Int32Array(history.values.count + 1);
  }

  /**
   * Takes the operations of a key, whose `events` are as `KeyEvents` has them, or some of them. A pending write of a value
   * that nobody wants to find is left out: an order with it is as good without.
   */
  load(events: Int32Array, initial: number): void {
    this.initial = initial;
    this.#reserve(events.length);
    this.#findWanted(events);
    const { outcome } = this.#history;
    let done = 0;
    for (const event of events) if (event < 0) done++;
    this.done = done;
    this.count = done;
    let calls = 0;
    let returns = 0;
    for (const event of events) {
      if (event < 0) this.#return(this.#places[~event]!, returns++);
      else if (outcome.cells[event] === EventType.ok) this.#call(event, calls++, returns);
      else if (this.#isWanted(event)) this.#call(event, this.count++, returns);
    }
  }

  #call(operation: number, at: number, returns: number): void {
    const { kind, value, expected } = this.#history;
    this.#places[operation] = at;
    this.operation[at] = operation;
    this.value[at] = value.cells[operation]!;
    this.expected[at] = expected.cells[operation]!;
    this.kind[at] = this.#history.mayWrite(operation) ? kind.cells[operation]! : OperationKind.read;
    this.call[at] = returns;
    this.ret[at] = NEVER;
    this.slot[at] = this.#freeSlots.pop() ?? this.slots++;
  }

  #return(at: number, returns: number): void {
    this.ret[at] = returns;
    this.returned[returns] = at;
    this.#freeSlots.push(this.slot[at]!);
  }

  #isWanted(operation: number): boolean {
    return this.#wanted[this.#history.value.cells[operation]!] === this.#load;
  }

  #findWanted(events: Int32Array): void {
    this.#load++;
    for (const operation of events) {
      const found = operation < 0 ? NO_VALUE : this.#history.found(operation);
      if (found !== NO_VALUE) this.#wanted[found] = this.#load;
    }
  }

  #reserve(size: number): void {
    this.slots = 0;
    this.#freeSlots.length = 0;
    // Two cells behind the last operation are the search's, for the ends of its lists.
    const needed = size + 2;
    if (needed <= this.kind.length) return;
    const room = 2 * needed;
    this.kind = new Uint8Array(room);
    this.operation = new Int32Array(room);
    this.value = new Int32Array(room);
    this.expected = new Int32Array(room);
    this.call = new Int32Array(room);
    this.ret = new Int32Array(room);
    this.slot = new Int32Array(room);
    this.returned = new Int32Array(room);
  }
}
