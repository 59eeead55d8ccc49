import { assert } from '../../events/index.js';
import { Touched } from './footprint.js';
import { IntList } from './int_list.js';
import { NO_EVENT, type Trace } from './trace.js';

/** The second step of a race has not been taken: its agent could not, or the path ended first. */
export const PENDING = -1;

/** The second step of a race takes no lock that could hinder it, or one that no step has touched. */
export const NO_LOCK = -1;

/** There is no such race. */
export const NO_RACE = -1;

/**
 * The races of a trace: pairs of an event and a step of another agent that could have come first, and would have mattered.
 *
 * An event races with one that is in conflict with it and happened before it, with nothing between the two. Where it takes
 * a lock, that one may be the release that made it possible, and taking the lock before that cannot be: then it races with
 * the store that made the lock taken, whatever lies between. So does an agent that waits where the path ends: otherwise
 * what comes of its going first would never be seen.
 */
export class Races {
  readonly #trace: Trace;
  /** By event: the last race that was added of those in which it is first. By race: the one added before it. */
  readonly #lasts = new IntList();
  readonly #befores = new IntList();
  readonly #agents = new IntList();
  readonly #seconds = new IntList();
  readonly #locks = new IntList();
  readonly #conflicts = new IntList();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Forgets all races, to begin with those of the trace as it is now. */
  begin(): void {
    for (const list of [this.#lasts, this.#befores, this.#agents, this.#seconds, this.#locks]) list.clear();
    this.#lasts.fill(this.#trace.length, NO_RACE);
  }

  /** One of the races in which `event` is first; then `next` of it, until there is none. */
  of(event: number): number {
    return this.#lasts.at(event);
  }

  next(race: number): number {
    return this.#befores.at(race);
  }

  /** Whose step is second. */
  agentOf(race: number): number {
    return this.#agents.at(race);
  }

  /** The event that is second, or `PENDING`. */
  secondOf(race: number): number {
    return this.#seconds.at(race);
  }

  /** Adds the races in which `event` is second. */
  addThoseOf(event: number): void {
    const trace = this.#trace;
    const agent = trace.agentOf(event);
    const { locations, touches } = trace.footprintOf(event);
    this.#conflicts.clear();
    trace.conflictsOf(event, this.#conflicts);
    for (let i = 0; i < this.#conflicts.length; i++) {
      if (!this.#isNext(i, event)) continue;
      const first = this.#conflicts.at(i);
      const footprint = trace.footprintOf(first);
      const lock = locations.findIndex(
        (location, k) => (touches[k]! & Touched.took) !== 0 && (footprint.at(location) & Touched.stored) !== 0,
      );
      if (lock < 0) this.add(first, agent, event, NO_LOCK);
      else this.#addLocked(first, agent, event, locations[lock]!);
    }
  }

  /** Adds the race of `agent`, which waits at the end of the trace for a lock (its number as a location, or `NO_LOCK`). */
  addWaiting(agent: number, lock: number): void {
    if (lock !== NO_LOCK) this.#addLocked(this.#trace.lastStoreTo(lock), agent, PENDING, lock);
  }

  /** It turned out that the lock is taken before `event`, which is first in `race`: adds the race with the store before. */
  retreat(event: number, race: number): void {
    const lock = this.#locks.at(race);
    assert(lock !== NO_LOCK, 'a step cannot be taken, and takes no lock');
    this.#addLocked(this.#trace.storeBefore(event, lock), this.agentOf(race), this.secondOf(race), lock);
  }

  /** Adds a race. @param lock location (by number) of the lock that `second` takes and `first` stores to, or `NO_LOCK` */
  add(first: number, agent: number, second: number, lock: number): void {
    this.#befores.push(this.#lasts.at(first));
    this.#lasts.set(first, this.#agents.length);
    this.#agents.push(agent);
    this.#seconds.push(second);
    this.#locks.push(lock);
  }

  /**
   * Adds the race of a step that takes `lock`: with the last store to it, from event `from` back, before which it may have
   * been free, unless what the agent did until then depends on that store.
   */
  #addLocked(from: number, agent: number, second: number, lock: number): void {
    const trace = this.#trace;
    const own = second === PENDING ? trace.lastOf(agent) : trace.beforeOf(second);
    for (let store = from; store !== NO_EVENT && !trace.happenedBefore(store, own);) {
      const before = trace.storeBefore(store, lock);
      const wasTaken = before !== NO_EVENT && (trace.footprintOf(before).at(lock) & Touched.kept) !== 0;
      if (!wasTaken) {
        this.add(store, agent, second, lock);
        return;
      }
      store = before;
    }
  }

  /** Whether nothing lies between conflict `i` and `event`, and it is the first time that this conflict is listed. */
  #isNext(i: number, event: number): boolean {
    const trace = this.#trace;
    const first = this.#conflicts.at(i);
    if (trace.happenedBefore(first, trace.beforeOf(event))) return false;
    for (let k = 0; k < this.#conflicts.length; k++) {
      const other = this.#conflicts.at(k);
      if (other === first ? k < i : trace.happenedBefore(first, other)) return false;
    }
    return true;
  }
}
