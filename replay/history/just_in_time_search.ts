import type { Word } from '../../events/index.js';
import { AccessKind } from './access_store.js';
import { Configurations } from './configurations.js';
import type { RegisterAccesses } from './register_accesses.js';
import { NEVER } from './register_operations.js';
import type { SearchVerdict } from './register_search.js';

const NONE = -1;
const BITS = 32;
/** When the value before all accesses was written. */
const BEFORE_ALL = -1;
/** More are open at a time than a mask has bits. */
const TOO_MANY = 'too many open';

/**
 * Looks for an order of one register's accesses, event by event (Lowe 2017, "just-in-time linearizability"): an access is
 * given its place no sooner than somebody returns who needs it, and what is kept is the set of all states that the accesses
 * so far can have led to. It never goes back, so its memory is that set, however long the history.
 *
 * The set stays small, because of four rules that lose no order:
 *
 * - A read that fits the value has its place at once: it changes nothing, so any order in which it comes later has it here
 *   as well.
 * - A write is placed only where a read that is open wants its value, or where it returns. Else it waits.
 * - A write that was open when another took its place need not be placed: it may have come directly before, and nobody
 *   has seen it. So a state says when its value was written, and of two that are the same but for that the later one is
 *   as good as both.
 * - Of open writes of one value the one is placed that returns first: whatever the others can do later, it could do.
 *
 * Where nothing is open and one value is possible, the past is decided: from there on it is told like a history of its own.
 */
export class JustInTimeSearch {
  /** States that the last run looked at. */
  steps = 0;
  /** After a `violated`: what stands from access `decided` on has no order if the register held `decidedValue` before ... */
  decided = 0;
  decidedValue: Word = 0;
  /** ... up to the event `failed`, the return that no order explains. */
  failed = 0;

  readonly #ops: RegisterAccesses;
  /** By slot, a bit of the masks: the access that is open there, or NONE. */
  #open = new Int32Array(BITS).fill(NONE);
  /** Slots below it were used. */
  #slots = 0;
  #states = new Configurations(1);
  #next = new Configurations(1);
  #work = new Configurations(1);
  #mask = new Int32Array(1);

  constructor(ops: RegisterAccesses) {
    this.#ops = ops;
  }

  /** Searches among the accesses loaded now, `stepsMax` steps at most; `initial` is the value before them. */
  run(initial: Word, stepsMax: number): SearchVerdict {
    this.steps = 0;
    this.#useMasks(1);
    for (;;) {
      const verdict = this.#run(initial, stepsMax);
      if (verdict !== TOO_MANY) return verdict;
      this.#useMasks(2 * this.#mask.length);
    }
  }

  #run(initial: Word, stepsMax: number): SearchVerdict | typeof TOO_MANY {
    this.decidedValue = initial;
    for (let at = 0; ;) {
      at = this.#alone(at);
      this.decided = at;
      if (at === this.#ops.count) return 'ok';
      const verdict = this.#together(at, stepsMax);
      if (typeof verdict !== 'number') return verdict;
      at = verdict;
    }
  }

  /** Goes on from access `from` while one access is open at a time. Gives the first that is not alone, or does not fit. */
  #alone(from: number): number {
    const ops = this.#ops;
    const { kind, value, call, end, count } = ops;
    let current = this.decidedValue;
    let at = from;
    for (; at < count && end[at] !== NEVER; at++) {
      if (at + 1 < count && call[at + 1]! < end[at]!) break;
      if (kind[at] === AccessKind.write) current = value[at]!;
      else if (!ops.fits(at, current)) break;
    }
    this.decidedValue = current;
    return at;
  }

  /** Goes on from access `from` until nothing is open and one value is possible. Gives the next access. */
  #together(from: number, stepsMax: number): SearchVerdict | typeof TOO_MANY | number {
    const { call, end, count } = this.#ops;
    this.#open.fill(NONE);
    this.#slots = 0;
    this.#mask.fill(0);
    this.#states.clear();
    this.#states.add(this.decidedValue, BEFORE_ALL, this.#mask);
    let openCount = 0;
    for (let at = from; ;) {
      const slot = this.#firstToReturn();
      const now = slot === NONE ? NEVER : end[this.#open[slot]!]!;
      if (at < count && call[at]! <= now) {
        if (!this.#call(at++)) return TOO_MANY;
        openCount++;
        continue;
      }
      if (slot === NONE) return 'ok';
      if (!this.#return(slot, now, stepsMax)) return 'unknown';
      openCount--;
      if (this.#states.count === 0) {
        this.failed = now;
        return 'violated';
      }
      if (openCount > 0 || this.#states.count > 1) continue;
      this.decidedValue = this.#states.valueOf(0);
      return at;
    }
  }

  /** The slot of the open access that returns next; NONE where none does. */
  #firstToReturn(): number {
    const { end } = this.#ops;
    let first = NONE;
    let earliest = NEVER;
    for (let slot = 0; slot < this.#slots; slot++) {
      const access = this.#open[slot]!;
      if (access === NONE || end[access]! >= earliest) continue;
      earliest = end[access]!;
      first = slot;
    }
    return first;
  }

  /** An access begins. False where there is no bit for it. */
  #call(access: number): boolean {
    const ops = this.#ops;
    const slot = this.#open.indexOf(NONE);
    if (slot === NONE) return false;
    this.#open[slot] = access;
    if (slot >= this.#slots) this.#slots = slot + 1;
    if (ops.kind[access] === AccessKind.write) return true;
    const states = this.#states;
    for (let s = 0; s < states.count; s++) if (ops.fits(access, states.valueOf(s))) states.set(s, slot);
    return true;
  }

  /**
   * The access in `slot` returns: the states in which it has its place, and those that giving it one leads to. False where
   * the steps run out.
   */
  #return(slot: number, now: number, stepsMax: number): boolean {
    const { kind, call } = this.#ops;
    const access = this.#open[slot]!;
    const isWrite = kind[access] === AccessKind.write;
    const states = this.#states;
    const next = this.#next;
    const work = this.#work;
    const mask = this.#mask;
    next.clear();
    work.clear();
    for (let s = 0; s < states.count; s++) {
      const value = states.valueOf(s);
      const writtenAt = states.writtenAt(s);
      const isPlaced = states.has(s, slot);
      states.copyMask(s, mask);
      if (isPlaced) mask[slot >>> 5]! &= ~(1 << (slot & 31));
      else work.add(value, writtenAt, mask);
      // A write that was open when that value was written may have come directly before.
      if (isPlaced || (isWrite && call[access]! < writtenAt)) next.add(value, writtenAt, mask);
    }
    this.steps += states.count;
    for (let s = 0; s < work.count; s++) {
      if (this.steps++ >= stepsMax) return false;
      this.#widen(s, slot, now, isWrite);
    }
    this.#open[slot] = NONE;
    this.#states = next;
    this.#next = states;
    return true;
  }

  /** What state `s` of `#work` leads to, where the access in `slot` has no place yet and returns now. */
  #widen(s: number, slot: number, now: number, isWrite: boolean): void {
    const { kind, value } = this.#ops;
    if (isWrite) {
      this.#place(s, slot);
      this.#mask[slot >>> 5]! &= ~(1 << (slot & 31));
      this.#next.add(value[this.#open[slot]!]!, now, this.#mask);
    }
    for (let other = 0; other < this.#slots; other++) {
      const access = this.#open[other]!;
      if (access === NONE || other === slot || kind[access] !== AccessKind.write) continue;
      if (!this.#isCandidate(s, other)) continue;
      this.#place(s, other);
      const isExplained = !isWrite && (this.#mask[slot >>> 5]! & (1 << (slot & 31))) !== 0;
      if (isExplained) this.#mask[slot >>> 5]! &= ~(1 << (slot & 31));
      (isExplained ? this.#next : this.#work).add(value[access]!, now, this.#mask);
    }
  }

  /** Whether the write in `slot` has no place in state `s`, an open read wants its value, and no other gives it sooner. */
  #isCandidate(s: number, slot: number): boolean {
    const ops = this.#ops;
    const work = this.#work;
    if (work.has(s, slot)) return false;
    const access = this.#open[slot]!;
    const value = ops.value[access]!;
    let isWanted = false;
    for (let other = 0; other < this.#slots; other++) {
      const rival = this.#open[other]!;
      if (rival === NONE || other === slot || work.has(s, other)) continue;
      if (ops.kind[rival] !== AccessKind.write) isWanted ||= ops.fits(rival, value);
      else if (ops.value[rival] === value && this.#returnsBefore(rival, other, access, slot)) return false;
    }
    return isWanted;
  }

  #returnsBefore(rival: number, other: number, access: number, slot: number): boolean {
    const { end } = this.#ops;
    return end[rival]! < end[access]! || (end[rival] === end[access] && other < slot);
  }

  /** Puts into `#mask` that of state `s` of `#work` behind the write in `slot`, and the open reads that it lets go on. */
  #place(s: number, slot: number): void {
    const ops = this.#ops;
    const mask = this.#mask;
    const value = ops.value[this.#open[slot]!]!;
    this.#work.copyMask(s, mask);
    mask[slot >>> 5]! |= 1 << (slot & 31);
    for (let other = 0; other < this.#slots; other++) {
      const access = this.#open[other]!;
      if (access === NONE || ops.kind[access] === AccessKind.write || !ops.fits(access, value)) continue;
      mask[other >>> 5]! |= 1 << (other & 31);
    }
  }

  #useMasks(words: number): void {
    if (this.#mask.length === words) return;
    this.#mask = new Int32Array(words);
    this.#open = new Int32Array(BITS * words).fill(NONE);
    this.#states = new Configurations(words);
    this.#next = new Configurations(words);
    this.#work = new Configurations(words);
  }
}
