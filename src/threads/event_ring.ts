import { assert, P2mError } from '../../events/index.js';
import { Control, ThreadWord, threadWords } from './control.js';

/** Ints of a row: sequence number, kind | cpu << 8, op, a, b, c, d, e. */
export const ROW_INTS = 8;
/** Rows that a ring holds unless it is told otherwise. */
export const RING_ROWS = 1 << 14;
/** A thread that waits for room looks again after so long, and gives up after so many times: a minute. */
const SLEEP_MS = 5;
const SLEEPS_MAX = 12_000;

/**
 * Where one thread records its events, until somebody drains them (ring_merge.ts). The thread is its only writer.
 *
 *     rows   | drained | published, in order of their numbers | the row in hand | free |
 *                      ^ tail                                 ^ head
 *
 * A row is written whole before what it says is done, and published after: whoever finds a thread dead between the two knows
 * what was begun (recovery.ts). A thread that finds no room waits before it takes a sequence number or a lock.
 */
export class EventRing {
  readonly #control: Int32Array;
  readonly #rows: Int32Array;
  readonly #mask: number;
  readonly #words: number;
  #head: number;
  /** Not newer than what was drained. */
  #tail: number;

  /** The ring of `thread`, whose rows are `rows`: a power of two of them. */
  constructor(control: Int32Array, rows: Int32Array, thread: number) {
    const count = rows.length / ROW_INTS;
    assert(Number.isInteger(Math.log2(count)), 'a ring has a power of two of rows');
    this.#control = control;
    this.#rows = rows;
    this.#mask = count - 1;
    this.#words = threadWords(thread);
    this.#head = control[this.#words + ThreadWord.head]!;
    this.#tail = control[this.#words + ThreadWord.tail]!;
  }

  /** Waits until there is room for a row. @throws P2mError `stuck` when nothing was drained for a minute */
  reserve(): void {
    if (((this.#head - this.#tail) | 0) > this.#mask) this.#waitForRoom();
  }

  /** Takes the next sequence number and writes the row; it is not published yet. There is room for it. */
  put(kind: number, cpu: number, op: number, a: number, b: number, c: number, d: number, e: number): void {
    const rows = this.#rows;
    const at = (this.#head & this.#mask) * ROW_INTS;
    this.#control[this.#words + ThreadWord.taking] = (this.#head + 1) | 0;
    rows[at] = Atomics.add(this.#control, Control.next, 1);
    rows[at + 1] = kind | (cpu << 8);
    rows[at + 2] = op;
    rows[at + 3] = a;
    rows[at + 4] = b;
    rows[at + 5] = c;
    rows[at + 6] = d;
    rows[at + 7] = e;
  }

  /** The row in hand is whole, and is being done from here on; so many attempts to allocate were counted before. */
  intend(attempts: number): void {
    this.#control[this.#words + ThreadWord.attempts] = attempts;
    this.#control[this.#words + ThreadWord.intent] = (this.#head + 1) | 0;
  }

  /** What the row in hand says is done. */
  publish(): void {
    this.#head = (this.#head + 1) | 0;
    Atomics.store(this.#control, this.#words + ThreadWord.head, this.#head);
  }

  #waitForRoom(): void {
    const control = this.#control;
    const tail = this.#words + ThreadWord.tail;
    for (let sleeps = 0; sleeps < SLEEPS_MAX; sleeps++) {
      // Said before the tail is read: whoever drains after that wakes us.
      Atomics.store(control, this.#words + ThreadWord.full, 1);
      this.#tail = Atomics.load(control, tail);
      if (((this.#head - this.#tail) | 0) <= this.#mask) {
        Atomics.store(control, this.#words + ThreadWord.full, 0);
        return;
      }
      Atomics.wait(control, tail, this.#tail, SLEEP_MS);
    }
    throw new P2mError('stuck', 'nobody takes events out of the ring of a thread', {
      got: `${this.#mask + 1} rows that have waited for a minute`,
      hint: 'the log behind it takes no more, or whoever writes it has ended',
    });
  }
}
