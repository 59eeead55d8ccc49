import type { History } from './history.js';
import type { RegisterCheck } from './register_check.js';
import { Removal } from './removal.js';

/** Some operations that have no order by themselves. */
export interface FailingCore {
  /** Numbers of operations, in the order in which they began. */
  readonly core: readonly number[];
  /** None can be left out: without any of them, and without those that find what it wrote, there is an order. */
  readonly isMinimal: boolean;
}

/** What all checks of one core may cost: events looked at and steps taken, a few seconds of them. */
const COST_MAX = 1 << 25;
/** Steps of one check, beyond one an event. */
const STEPS_MAX = 1 << 20;

/** So many of the last operations are tried first, then as many times more. */
const LAST = 32;

/**
 * Makes a failing set of a register's operations as small as it can: by halves, quarters and so on down to single ones
 * (Zeller and Hildebrandt 2002), each time leaving out only what is certain not to be the reason (`Removal`). So whoever
 * is convinced that the core has no order knows that the history has none.
 *
 * @param events  of the key, as `KeyEvents` has them
 * @param guilty  operations of it that have no order
 */
export function coreOf(
  history: History,
  check: RegisterCheck,
  events: Int32Array,
  guilty: ReadonlySet<number>,
  initial: number,
): FailingCore {
  return new CoreSearch(history, check, events, guilty, initial).result();
}

class CoreSearch {
  readonly #check: RegisterCheck;
  readonly #removal: Removal;
  /** Of the kept ones only; so is `#core`. */
  #events: Int32Array;
  #core: readonly number[];
  #cost = 0;
  #isCertain = true;

  constructor(
    history: History,
    check: RegisterCheck,
    events: Int32Array,
    guilty: ReadonlySet<number>,
    initial: number,
  ) {
    this.#check = check;
    this.#removal = new Removal(history, initial);
    this.#events = eventsOf(events, guilty);
    this.#core = [...this.#events].filter((event) => event >= 0);
  }

  result(): FailingCore {
    this.#dropBeginning();
    for (let size = this.#core.length >> 1; size > 1; size >>= 1) this.#dropChunks(size);
    while (this.#dropSingly());
    return { core: this.#core, isMinimal: this.#isCertain };
  }

  /** Most histories break for what happened a moment ago: that saves looking at all of it again and again. */
  #dropBeginning(): void {
    const all = this.#core;
    for (let kept = LAST; kept < all.length; kept *= LAST) {
      if (this.#try(this.#removal.without(all, new Set(all.slice(0, -kept))))) return;
    }
  }

  #dropChunks(size: number): void {
    const all = this.#core;
    for (let at = 0; at < all.length; at += size) {
      this.#try(this.#removal.without(this.#core, new Set(all.slice(at, at + size))));
    }
  }

  /** Whether any could be left out. */
  #dropSingly(): boolean {
    const before = this.#core.length;
    // What was not certain before may be so among fewer.
    this.#isCertain = true;
    for (const operation of this.#core) {
      // Out of patience: with many operations left even asking is slow.
      if (this.#cost > COST_MAX) break;
      if (!this.#core.includes(operation)) continue;
      if (!this.#try(this.#removal.without(this.#core, new Set([operation])))) {
        this.#try(this.#removal.withoutReaders(this.#core, operation));
      }
    }
    if (this.#cost > COST_MAX) this.#isCertain = false;
    return this.#core.length < before && this.#isCertain;
  }

  /** Keeps `fewer`, where they are fewer and have no order either. */
  #try(fewer: readonly number[]): boolean {
    if (fewer.length === this.#core.length) return false;
    if (this.#cost > COST_MAX) {
      this.#isCertain = false;
      return false;
    }
    const events = eventsOf(this.#events, new Set(fewer));
    const verdict = this.#check.verdict(events, events.length + STEPS_MAX);
    this.#cost += this.#core.length + this.#check.steps;
    if (verdict === 'unknown') this.#isCertain = false;
    if (verdict !== 'violated') return false;
    this.#events = events;
    this.#core = fewer;
    return true;
  }
}

/** The events of some operations. */
function eventsOf(events: Int32Array, operations: ReadonlySet<number>): Int32Array {
  return events.filter((event) => operations.has(event < 0 ? ~event : event));
}
