import { AssertionError, type EventBatch } from '../../events/index.js';
import { Control, ThreadWord, threadWords } from './control.js';
import { ROW_INTS } from './event_ring.js';

/**
 * Takes events out of the rings of all threads in the order of their numbers: the order of memory. One at a time drains.
 *
 * A number that nobody has published yet is in the hands of a thread that will; the merge waits for it. Only a thread that died
 * can leave a number for good: it is passed over once no living thread can have it. The log counts events by their place, so
 * it has no hole there.
 */
export class RingMerge {
  readonly #control: Int32Array;
  readonly #rings: readonly Int32Array[];
  readonly #mask: number;
  /** Number of the event to come, as int32. */
  #next: number;
  /** Numbers that were passed over. */
  #lost = 0;
  #events = 0;

  /** @param rings rows of the ring of each thread */
  constructor(control: Int32Array, rings: readonly Int32Array[]) {
    this.#control = control;
    this.#rings = rings;
    this.#mask = rings[0]!.length / ROW_INTS - 1;
    this.#next = Atomics.load(control, Control.next);
  }

  /** Events that were taken out so far. */
  get events(): number {
    return this.#events;
  }

  /** Appends what is ready to the batch, at most `max` events. Returns how many; 0: nothing is ready now. */
  drain(batch: EventBatch, max: number): number {
    let taken = 0;
    for (let idle = 0; idle < this.#rings.length && taken < max;) {
      idle = 0;
      for (let thread = 0; thread < this.#rings.length; thread++) {
        const count = this.#take(thread, batch, max - taken);
        taken += count;
        if (count === 0) idle++;
      }
      if (taken === 0 && idle === this.#rings.length && this.#passOver()) idle = 0;
    }
    this.#events += taken;
    return taken;
  }

  /** Whether all numbers that were given out were taken out: once no thread runs, nothing is to come. */
  get isDrained(): boolean {
    return Atomics.load(this.#control, Control.next) === this.#next || this.#passesRest();
  }

  /** Takes the events of a thread that follow each other without a gap. */
  #take(thread: number, batch: EventBatch, max: number): number {
    const control = this.#control;
    const rows = this.#rings[thread]!;
    const words = threadWords(thread);
    const first = control[words + ThreadWord.tail]!;
    const head = Atomics.load(control, words + ThreadWord.head);
    let tail = first;
    let next = this.#next;
    for (let taken = 0; taken < max && tail !== head; taken++) {
      const at = (tail & this.#mask) * ROW_INTS;
      if (rows[at] !== next) break;
      const kindCpu = rows[at + 1]!;
      batch.push(
        kindCpu & 0xff,
        kindCpu >>> 8,
        rows[at + 2]!,
        rows[at + 3],
        rows[at + 4],
        rows[at + 5],
        rows[at + 6],
        rows[at + 7],
      );
      next = (next + 1) | 0;
      tail = (tail + 1) | 0;
    }
    if (tail === first) return 0;
    this.#next = next;
    Atomics.store(control, words + ThreadWord.tail, tail);
    if (Atomics.load(control, words + ThreadWord.full) !== 0) {
      Atomics.store(control, words + ThreadWord.full, 0);
      Atomics.notify(control, words + ThreadWord.tail);
    }
    return (tail - first) | 0;
  }

  /** Passes over the number to come, if it is that of an event which a dead thread did not live to record. */
  #passOver(): boolean {
    const control = this.#control;
    if (Atomics.load(control, Control.next) === this.#next || this.#lost >= this.#lostMost()) return false;
    for (let thread = 0; thread < this.#rings.length; thread++) {
      if (this.#mayHold(thread)) return false;
    }
    // Whoever had it in hand has published it since we looked for it.
    for (let thread = 0; thread < this.#rings.length; thread++) {
      if (this.#isNextOf(thread)) return true;
    }
    this.#lost++;
    this.#next = (this.#next + 1) | 0;
    return true;
  }

  #passesRest(): boolean {
    while (Atomics.load(this.#control, Control.next) !== this.#next) {
      const before = this.#next;
      if (!this.#passOver() || this.#next === before) return false;
    }
    return true;
  }

  /** Numbers that dead threads may have taken and not used. */
  #lostMost(): number {
    let count = 0;
    for (let thread = 0; thread < this.#rings.length; thread++) {
      count += Atomics.load(this.#control, threadWords(thread) + ThreadWord.lost);
    }
    return count;
  }

  /** Whether a living thread may have the number in hand: it has one, and all that it has published is drained. */
  #mayHold(thread: number): boolean {
    const control = this.#control;
    const words = threadWords(thread);
    if (Atomics.load(control, words + ThreadWord.dead) !== 0) return false;
    const head = Atomics.load(control, words + ThreadWord.head);
    if (Atomics.load(control, words + ThreadWord.taking) === head) return false;
    return head === control[words + ThreadWord.tail];
  }

  #isNextOf(thread: number): boolean {
    const words = threadWords(thread);
    const tail = this.#control[words + ThreadWord.tail]!;
    if (Atomics.load(this.#control, words + ThreadWord.head) === tail) return false;
    const found = this.#rings[thread]![(tail & this.#mask) * ROW_INTS]!;
    if (((found - this.#next) | 0) < 0) throw new AssertionError(`thread ${thread} published event ${found} twice`);
    return found === this.#next;
  }
}
