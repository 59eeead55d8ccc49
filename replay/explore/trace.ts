import { Touched, type Footprint } from './footprint.js';
import { IntList } from './int_list.js';

/** There is no such event. */
export const NO_EVENT = -1;

/**
 * The path in hand as a trace: its events, 0 for the first, and which of them happened before which.
 *
 * Steps that do not depend on each other may come in any order: the paths that differ in such orders only are one trace, and
 * what they share is the partial order `happenedBefore`. It is kept as vector clocks: event `e` has a row, an integer an
 * agent, which says how long the path was after the last event of that agent that happened before `e` or is `e`.
 */
export class Trace {
  readonly #agentCount: number;
  readonly #agents = new IntList();
  readonly #footprints: Footprint[] = [];
  readonly #clocks = new IntList();
  /** By agent: its last event. By event: the one before, of the same agent. */
  readonly #lasts = new IntList();
  readonly #befores = new IntList();
  readonly #visits = new Visits();
  /** Scratch of `push`. */
  readonly #conflicts = new IntList();

  constructor(agents: number) {
    this.#agentCount = agents;
    this.#lasts.fill(agents, NO_EVENT);
  }

  /** Events so far. */
  get length(): number {
    return this.#agents.length;
  }

  agentOf(event: number): number {
    return this.#agents.at(event);
  }

  footprintOf(event: number): Footprint {
    return this.#footprints[event]!;
  }

  /** The last event of `agent`. */
  lastOf(agent: number): number {
    return this.#lasts.at(agent);
  }

  /** The event of the same agent before `event`. */
  beforeOf(event: number): number {
    return this.#befores.at(event);
  }

  /** The last event that stored to `location` (by number). */
  lastStoreTo(location: number): number {
    return this.#visits.eventOf(this.#visits.lastStoreTo(location));
  }

  /** The event that stored to `location` before `event`, which touched it. */
  storeBefore(event: number, location: number): number {
    return this.#visits.eventOf(this.#visits.storeBefore(this.#visits.find(event, location)));
  }

  /** Whether `earlier` happened before `later`, or is it. Nothing happened before `NO_EVENT`. */
  happenedBefore(earlier: number, later: number): boolean {
    return later !== NO_EVENT && this.#clocks.at(later * this.#agentCount + this.agentOf(earlier)) > earlier;
  }

  /** Adds an event. */
  push(agent: number, footprint: Footprint): void {
    const event = this.length;
    const before = this.#lasts.at(agent);
    this.#agents.push(agent);
    this.#footprints.push(footprint);
    this.#befores.push(before);
    this.#lasts.set(agent, event);
    this.#clocks.fill(this.#agentCount, 0);
    if (before !== NO_EVENT) this.#join(event, before);
    this.#visits.push(event, footprint);
    this.#joinConflicts(event);
    this.#clocks.set(event * this.#agentCount + agent, event + 1);
  }

  /** Takes the last event off. */
  pop(): void {
    const agent = this.#agents.pop();
    this.#visits.pop(this.#footprints.pop()!);
    this.#lasts.set(agent, this.#befores.pop());
    this.#clocks.length -= this.#agentCount;
  }

  agents(): number[] {
    return this.#agents.toArray();
  }

  /**
   * Adds to `into` the events of other agents that `event` is in conflict with, and that happened before it: of each agent
   * and location the last is enough. Some may come twice, and some may have happened before others.
   */
  conflictsOf(event: number, into: IntList): void {
    const { locations, touches, ends } = this.footprintOf(event);
    const visits = this.#visits;
    for (let i = 0; i < locations.length; i++) {
      const visit = visits.firstOf(event) + i;
      const store = visits.storeBefore(visit);
      this.#addOther(event, visits.eventOf(store), into);
      if ((touches[i]! & Touched.stored) === 0) continue;
      for (let read = visits.before(visit); read !== store; read = visits.before(read)) {
        this.#addOther(event, visits.eventOf(read), into);
      }
    }
    if (!ends) return;
    // Nothing comes after it, so the last event of each other agent is the last before it.
    for (let agent = 0; agent < this.#agentCount; agent++) this.#addOther(event, this.#lasts.at(agent), into);
  }

  #addOther(event: number, other: number, into: IntList): void {
    if (other !== NO_EVENT && this.agentOf(other) !== this.agentOf(event)) into.push(other);
  }

  #joinConflicts(event: number): void {
    this.#conflicts.clear();
    this.conflictsOf(event, this.#conflicts);
    for (let i = 0; i < this.#conflicts.length; i++) this.#join(event, this.#conflicts.at(i));
  }

  /** What happened before `earlier` happened before `event` too. */
  #join(event: number, earlier: number): void {
    const clocks = this.#clocks;
    const to = event * this.#agentCount;
    const from = earlier * this.#agentCount;
    for (let agent = 0; agent < this.#agentCount; agent++) {
      if (clocks.at(from + agent) > clocks.at(to + agent)) clocks.set(to + agent, clocks.at(from + agent));
    }
  }
}

/** There is no such visit. */
const NO_VISIT = -1;

/** The visits of locations by events, each linked to the visit before, so that whom an event conflicts with is soon found. */
class Visits {
  /** By location: its last visit. */
  readonly #lasts = new IntList();
  /** By event: its first visit. It has one for each location of its footprint, in that order. */
  readonly #firsts = new IntList();
  /** By visit: whose it is, the visit of the location before, the last one before that stored, and whether it stores. */
  readonly #events = new IntList();
  readonly #befores = new IntList();
  readonly #storesBefore = new IntList();
  readonly #stores = new IntList();
  readonly #locations = new IntList();

  eventOf(visit: number): number {
    return visit === NO_VISIT ? NO_EVENT : this.#events.at(visit);
  }

  firstOf(event: number): number {
    return this.#firsts.at(event);
  }

  before(visit: number): number {
    return this.#befores.at(visit);
  }

  storeBefore(visit: number): number {
    return this.#storesBefore.at(visit);
  }

  lastStoreTo(location: number): number {
    const last = location < this.#lasts.length ? this.#lasts.at(location) : NO_VISIT;
    return this.#storeFrom(last);
  }

  /** The visit of `location` by `event`; there is one. */
  find(event: number, location: number): number {
    let visit = this.#firsts.at(event);
    while (this.#locations.at(visit) !== location) visit++;
    return visit;
  }

  push(event: number, { locations, touches }: Footprint): void {
    this.#firsts.push(this.#events.length);
    for (let i = 0; i < locations.length; i++) {
      const location = locations[i]!;
      const known = this.#lasts.length;
      if (location >= known) this.#lasts.fill(location + 1 - known, NO_VISIT);
      const before = this.#lasts.at(location);
      this.#lasts.set(location, this.#events.length);
      this.#events.push(event);
      this.#locations.push(location);
      this.#befores.push(before);
      this.#storesBefore.push(this.#storeFrom(before));
      this.#stores.push(touches[i]! & Touched.stored);
    }
  }

  /** Takes the visits of the last event off, which has that footprint. */
  pop({ locations }: Footprint): void {
    this.#firsts.pop();
    // Each location once: the order does not matter.
    for (const location of locations) this.#lasts.set(location, this.#befores.at(this.#lasts.at(location)));
    for (const list of [this.#events, this.#locations, this.#befores, this.#storesBefore, this.#stores]) {
      list.length -= locations.length;
    }
  }

  /** `visit` if it stores, or the last before it that does. */
  #storeFrom(visit: number): number {
    if (visit === NO_VISIT || this.#stores.at(visit) !== 0) return visit;
    return this.#storesBefore.at(visit);
  }
}
