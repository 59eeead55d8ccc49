import { assert } from '../../events/index.js';
import { depend, Touched, type Footprint } from './footprint.js';
import { PathWalk } from './path_walk.js';
import type { Program } from './program.js';
import { NO_LOCK, NO_RACE, PENDING, Races } from './races.js';
import type { Schedule } from './schedule.js';
import { NO_EVENT, Trace } from './trace.js';
import { Standing, WakeupBranch, WakeupSequence } from './wakeup_tree.js';

/**
 * Optimal dynamic partial order reduction (Abdulla, Aronis, Jonsson, Sagonas: "Optimal dynamic partial order reduction",
 * POPL 2014; "Source sets", JACM 2017): one execution of each trace, and none that is begun in vain.
 *
 *      an execution                  its race (e, f) reversed           where that goes
 *
 *      A  .                          A  .                               A  .
 *      A  e: x = 1                                                     / \
 *      B  g: y = 1   (not after e)   B  g: y = 1    kept               e   g   a branch of the wakeup tree
 *      A  h: z = 1   (after e)                      dropped            |   |   at that point
 *      B  f: r = x   (after e)       B  f: r = x    now first         ...  f
 *
 * An execution is run to its end; then each of its races is reversed: what came after `e` and did not have to, and then the
 * step that raced with it. This wakeup sequence is put into the tree of the point before `e`, from which the search goes on
 * when it comes back there, unless one of two things has what it leads to already: a branch of the tree, or a step that
 * was explored from there and has slept since, because nothing was done that depends on it.
 *
 * What is found is exact where steps that touch nothing in common (`Program.accesses`) can change places and nobody can
 * tell, `outcome` and `broken` least of all. A check that looks at every state on the way breaks that, unless a step that
 * changes what it looks at says that it stores to a location which stands for the check. The program is left as it was,
 * whatever happens.
 *
 * @throws {P2mError} code `usage`: a path has more than 65,536 steps
 */
export function exploreTraces(program: Program, options: TraceOptions = {}): TraceSearch {
  return new Search(program, options).result();
}

/** Bounds of the search, and who looks on. */
export interface TraceOptions {
  /** Most executions; default: no bound. */
  readonly executionsMax?: number;
  /** Goes on after a violation, to the last trace; default false. */
  readonly goOn?: boolean;
  /** Told of each execution, with the program at its end; it leaves the program as it is. */
  readonly onExecution?: (schedule: Schedule) => void;
}

/** What a search came to. */
export interface TraceSearch {
  /** Every trace was explored: it was not stopped, by a bound or by a violation. */
  readonly complete: boolean;
  /** Executions that were run to their end: one a trace. */
  readonly executions: number;
  /** Executions that were begun in vain: there is none, or the search is not the optimal one that it should be. */
  readonly blocked: number;
  /** Steps of all executions; what an execution shares with the one before it counts once. */
  readonly steps: number;
  /** One path for each set of broken checks (`Program.broken`), in the order in which they were found. */
  readonly violations: readonly { readonly bits: number; readonly schedule: Schedule }[];
}

/** All agents. */
const EVERYBODY = -1;
/** Nobody may step. */
const OVER = -1;
/** Somebody may step, but whoever may is asleep. */
const ASLEEP = -2;

class Search {
  readonly #program: Program;
  readonly #options: TraceOptions;
  readonly #agents: number;
  readonly #trace: Trace;
  readonly #races: Races;
  readonly #walk: PathWalk;
  readonly #sequence = new WakeupSequence();
  /** By number of steps taken: what is left to be explored from there. */
  readonly #branches: WakeupBranch[] = [new WakeupBranch(NO_EVENT)];
  /** By number of steps taken, then by agent: what its next step touches, if that sleeps. */
  readonly #sleep: (Footprint | undefined)[];
  readonly #violations = new Map<number, Schedule>();
  #executions = 0;
  #blocked = 0;
  #steps = 0;

  constructor(program: Program, options: TraceOptions) {
    this.#program = program;
    this.#options = options;
    this.#agents = program.agents.length;
    this.#trace = new Trace(this.#agents);
    this.#races = new Races(this.#trace);
    this.#walk = new PathWalk(program, this.#trace);
    this.#sleep = program.agents.map(() => undefined);
  }

  result(): TraceSearch {
    const complete = this.#explore();
    const violations = [...this.#violations].map(([bits, schedule]) => ({ bits, schedule }));
    return { complete, executions: this.#executions, blocked: this.#blocked, steps: this.#steps, violations };
  }

  /** Runs all executions; false where it stops before. Whatever happens, the steps are taken back. */
  #explore(): boolean {
    const { executionsMax = Infinity, goOn = false } = this.#options;
    try {
      do {
        if (this.#executions >= executionsMax) return false;
        if (this.#runToEnd()) this.#note();
        if (!goOn && this.#violations.size > 0) return false;
        this.#reverseRaces();
      } while (this.#goBack());
      return true;
    } finally {
      this.#walk.takeBackTo(0);
    }
  }

  /** Runs on to the end of an execution; false where it was begun in vain. */
  #runToEnd(): boolean {
    for (;;) {
      const branch = this.#branches[this.#trace.length]!.take();
      const agent = branch?.agent ?? this.#anyone();
      if (agent < 0) {
        if (agent === ASLEEP) this.#blocked++;
        return agent === OVER;
      }
      this.#step(agent, branch ?? new WakeupBranch(agent));
    }
  }

  /** Somebody who may step and does not sleep: who stepped last, if he can, for a path of few switches is read best. */
  #anyone(): number {
    const { agents, ended } = this.#program;
    if (ended) return OVER;
    const { length } = this.#trace;
    let found: number = OVER;
    const last = length > 0 ? this.#trace.agentOf(length - 1) : 0;
    for (let i = 0; i < this.#agents; i++) {
      const agent = (last + i) % this.#agents;
      if (!agents[agent]!.enabled) continue;
      if (this.#sleep[length * this.#agents + agent] === undefined) return agent;
      found = ASLEEP;
    }
    return found;
  }

  #step(agent: number, branch: WakeupBranch): void {
    const { length } = this.#trace;
    const footprint = this.#walk.step(agent);
    this.#steps++;
    this.#trace.push(agent, footprint);
    this.#branches[length + 1] = branch;
    const here = length * this.#agents;
    for (let other = 0; other < this.#agents; other++) {
      const asleep = this.#sleep[here + other];
      const wakes = asleep === undefined || depend(asleep, footprint);
      this.#sleep[here + this.#agents + other] = wakes ? undefined : asleep;
    }
  }

  /** The program is at the end of an execution. */
  #note(): void {
    this.#executions++;
    const bits = this.#program.broken();
    if (bits !== 0 && !this.#violations.has(bits)) this.#violations.set(bits, this.#trace.agents());
    this.#options.onExecution?.(this.#trace.agents());
  }

  /** Goes back to the last point from which something is left to be explored; false where there is none. */
  #goBack(): boolean {
    while (this.#trace.length > 0) {
      const event = this.#trace.length - 1;
      const asleep = event * this.#agents + this.#trace.agentOf(event);
      this.#sleep[asleep] = this.#trace.footprintOf(event);
      this.#trace.pop();
      if (!this.#branches[event]!.isLeaf) {
        this.#walk.moveTo(event);
        return true;
      }
    }
    return false;
  }

  /**
   * Reverses the races of the execution; those of its beginning too, which an execution before had: what could come before
   * the second step may be something else now.
   */
  #reverseRaces(): void {
    const trace = this.#trace;
    const races = this.#races;
    races.begin();
    for (let event = 0; event < trace.length; event++) races.addThoseOf(event);
    this.#addPending();
    // From the last on, so that the program only has to be taken back; and what is added meanwhile comes later.
    for (let event = trace.length - 1; event >= 0; event--) {
      for (let race = races.of(event); race !== NO_RACE; race = races.next(race)) {
        this.#reverse(event, race);
      }
    }
  }

  /** Adds the races of those who have a step left where the execution ends. */
  #addPending(): void {
    const last = this.#trace.length - 1;
    const { agents, ended } = this.#program;
    if (ended && last < 0) return;
    // Whoever could have stepped before the path was ended could have come before the step that ended it.
    if (ended) this.#walk.moveTo(last);
    for (let agent = 0; agent < this.#agents; agent++) {
      const { at, enabled, waitsFor } = agents[agent]!;
      if (at === undefined || (ended && agent === this.#trace.agentOf(last))) continue;
      if (enabled) this.#races.add(last, agent, PENDING, NO_LOCK);
      else this.#races.addWaiting(agent, this.#lockAt(waitsFor));
    }
  }

  #lockAt(location: number | undefined): number {
    assert(location !== undefined, 'an agent cannot step, and does not say which lock it waits for');
    return this.#walk.footprints.numberOf(location) ?? NO_LOCK;
  }

  /** Puts what begins with the race reversed into the tree before `event`, unless it is there or sleeps there. */
  #reverse(event: number, race: number): void {
    const trace = this.#trace;
    const sequence = this.#sequence;
    sequence.clear();
    for (let later = event + 1; later < trace.length; later++) {
      if (!trace.happenedBefore(event, later)) sequence.push(trace.agentOf(later), trace.footprintOf(later));
    }
    const agent = this.#races.agentOf(race);
    // Mostly this much decides, and the step need not be tried.
    if (this.#isAsleep(event, agent)) return;
    const footprint = this.#footprintOfReversed(event, race);
    if (footprint === undefined) {
      this.#races.retreat(event, race);
      return;
    }
    sequence.push(agent, footprint);
    if (!this.#isAsleep(event, EVERYBODY)) this.#branches[event]!.insert(sequence);
  }

  /**
   * Whether some step that sleeps before `event` could be the first of the sequence, or come before it all: what is to be
   * reached was reached through that step. Of those that are not in the sequence only `lone` counts.
   */
  #isAsleep(event: number, lone: number): boolean {
    for (let agent = 0; agent < this.#agents; agent++) {
      const asleep = this.#sleep[event * this.#agents + agent];
      if (asleep === undefined) continue;
      const standing = this.#sequence.standing(agent, asleep);
      if (standing === Standing.first || (standing === Standing.free && (lone === agent || lone === EVERYBODY)))
        return true;
    }
    return false;
  }

  /** What the second step of a race touches after the sequence, before the first; undefined where its lock is taken there. */
  #footprintOfReversed(event: number, race: number): Footprint | undefined {
    const second = this.#races.secondOf(race);
    if (second !== PENDING) {
      const footprint = this.#trace.footprintOf(second);
      if (isSameBefore(this.#trace.footprintOf(event), footprint)) return footprint;
    }
    return this.#walk.tryAfter(event, this.#sequence, this.#races.agentOf(race));
  }
}

/**
 * Whether the second step of a race touches the same if it comes before the first. It does where the first stores nothing
 * that it could see, or where all that it did was to take a lock that the first took: that was free before.
 */
function isSameBefore(first: Footprint, { locations, touches }: Footprint): boolean {
  const isLockOnly = locations.length === 1 && (first.at(locations[0]!) & touches[0]! & Touched.took) !== 0;
  return isLockOnly || locations.every((location) => (first.at(location) & Touched.stored) === 0);
}
