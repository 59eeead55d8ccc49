import { usageError } from '../../events/index.js';
import { isOver, isStuck, mayStep, type Program } from './program.js';
import type { Schedule } from './schedule.js';
import { StateHash } from './state_hash.js';
import { StateTable } from './state_table.js';

/** An outcome and how it comes about. */
export interface CountedOutcome {
  readonly outcome: string;
  /** Nobody could go on, and somebody had not ended. */
  readonly deadlock: boolean;
  /** Interleavings that lead to it, exactly. */
  readonly count: bigint;
  /** Fewest changes of agent that lead to it, and a schedule with as many. */
  readonly switches: number;
  readonly schedule: Schedule;
}

/** What all interleavings of a program lead to; `complete` is false where a bound was hit, and then nothing is claimed. */
export type OutcomeCounts =
  | {
      readonly complete: true;
      readonly states: number;
      readonly interleavings: bigint;
      readonly outcomes: readonly CountedOutcome[];
    }
  | { readonly complete: false; readonly states: number };

/** Bounds of the search. */
export interface CountOptions {
  /** Most states to keep; default 2^20. */
  readonly statesMax?: number;
}

/**
 * Explores every interleaving of `program` from where it stands, and counts how many lead to each outcome.
 *
 * Depth first over states, each visited once: what can be reached from a state is the sum of what can be reached from
 * where its steps lead, so the counts are exact however many paths there are (22,706,128,848 through some 2,000 states).
 * They are as exact as the hash: see `collisionChance`. The program is left as it was, whatever happens.
 *
 * @throws {P2mError} code `usage`: a state comes back on one path, so there is no end of interleavings; or a path has more
 *   than 1000 steps
 */
export function countOutcomes(program: Program, options: CountOptions = {}): OutcomeCounts {
  return new Search(program, options.statesMax ?? 2 ** 20).result();
}

/** What can be reached from one state. Of parallel arrays, for there are many. */
interface Reach {
  /** Outcomes by their numbers. */
  readonly outcomes: number[];
  /** Interleavings from here to each. */
  readonly counts: bigint[];
  /** Fewest switches from here to outcome `i` when agent `a` steps first, at i * agents + a. */
  readonly switches: number[];
}

/** Some state on the path that is being explored: not known yet. */
const OPEN = undefined;
/** The bound was hit. */
const GIVEN_UP = -1;
/** Most steps of a path: the search is as deep as they are many, and the stack holds a few thousand. */
const STEPS_MAX = 1000;

class Search {
  readonly #program: Program;
  readonly #statesMax: number;
  readonly #agents: number;
  /** Steps of the path in hand. */
  #depth = 0;
  readonly #hash = new StateHash();
  readonly #table = new StateTable();
  /** By state. */
  readonly #reaches: (Reach | undefined)[] = [];
  readonly #names: { readonly outcome: string; readonly deadlock: boolean }[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(program: Program, statesMax: number) {
    this.#program = program;
    this.#statesMax = statesMax;
    this.#agents = program.agents.length;
  }

  result(): OutcomeCounts {
    const root = this.#visit();
    const states = this.#table.count;
    if (root === GIVEN_UP) return { complete: false, states };
    const { outcomes, counts } = this.#reachOf(root);
    return {
      complete: true,
      states,
      interleavings: counts.reduce((sum, count) => sum + count, 0n),
      outcomes: outcomes.map((number, i) => ({
        ...this.#names[number]!,
        count: counts[i]!,
        ...this.#leastSwitches(root, number),
      })),
    };
  }

  /** Explores what follows from the state in hand, unless it is known. Gives the number of the state. */
  #visit(): number {
    const known = this.#find();
    if (known >= 0) {
      if (this.#reaches[known] === OPEN) throw runsInCircles();
      return known;
    }
    if (this.#table.count >= this.#statesMax) return GIVEN_UP;
    const state = this.#table.insert(this.#hash);
    this.#reaches[state] = OPEN;
    if (isOver(this.#program)) {
      this.#reaches[state] = this.#end();
      return state;
    }
    const reach: Reach = { outcomes: [], counts: [], switches: [] };
    const places = new Map<number, number>();
    for (let agent = 0; agent < this.#agents; agent++) {
      if (!mayStep(this.#program, agent)) continue;
      const next = this.#visitAfter(agent);
      if (next === GIVEN_UP) return GIVEN_UP;
      this.#merge(reach, places, agent, this.#reachOf(next));
    }
    this.#reaches[state] = reach;
    return state;
  }

  #visitAfter(agent: number): number {
    if (this.#depth === STEPS_MAX) throw runsTooLong();
    this.#program.step(agent);
    this.#depth++;
    try {
      return this.#visit();
    } finally {
      this.#depth--;
      this.#program.undo();
    }
  }

  /** What the path that ends here leads to: itself. */
  #end(): Reach {
    const outcome = this.#program.outcome();
    const deadlock = isStuck(this.#program);
    const key = `${deadlock} ${outcome}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#names.push({ outcome, deadlock }) - 1;
      this.#numbers.set(key, number);
    }
    return { outcomes: [number], counts: [1n], switches: new Array<number>(this.#agents).fill(0) };
  }

  /** Adds what a step of `agent` leads to. */
  #merge(reach: Reach, places: Map<number, number>, agent: number, next: Reach): void {
    const agents = this.#agents;
    for (let i = 0; i < next.outcomes.length; i++) {
      const number = next.outcomes[i]!;
      let place = places.get(number);
      if (place === undefined) {
        place = reach.outcomes.push(number) - 1;
        places.set(number, place);
        reach.counts.push(0n);
        for (let a = 0; a < agents; a++) reach.switches.push(Infinity);
      }
      reach.counts[place] = reach.counts[place]! + next.counts[i]!;
      reach.switches[place * agents + agent] = fewest(next, i, agents, agent).switches;
    }
  }

  /** Walks down where the fewest switches lead. */
  #leastSwitches(root: number, number: number): { readonly switches: number; readonly schedule: Schedule } {
    const schedule: number[] = [];
    let last: number | undefined;
    let switches: number | undefined;
    for (let state = root; !isOver(this.#program); state = this.#find()) {
      const reach = this.#reachOf(state);
      const step = fewest(reach, reach.outcomes.indexOf(number), this.#agents, last);
      switches ??= step.switches;
      last = step.agent;
      this.#program.step(last);
      schedule.push(last);
    }
    for (let i = 0; i < schedule.length; i++) this.#program.undo();
    return { switches: switches ?? 0, schedule };
  }

  /** The number of the state in hand, whose hash is then in `#hash`. */
  #find(): number {
    this.#hash.clear();
    this.#program.hash(this.#hash);
    return this.#table.find(this.#hash);
  }

  #reachOf(state: number): Reach {
    return this.#reaches[state]!;
  }
}

/** Who steps first on the way with fewest switches to the `i`-th outcome, when `last` has stepped before. */
function fewest(
  { switches }: Reach,
  i: number,
  agents: number,
  last: number | undefined,
): { readonly agent: number; readonly switches: number } {
  let best = { agent: 0, switches: Infinity };
  for (let agent = 0; agent < agents; agent++) {
    const cost = switches[i * agents + agent]! + (last === undefined || agent === last ? 0 : 1);
    if (cost < best.switches) best = { agent, switches: cost };
  }
  return best;
}

function runsInCircles(): Error {
  return usageError('the program runs in circles', {
    got: 'a state that comes back on one path',
    expected: 'steps that lead on: a loop that waits is an agent that is not enabled',
  });
}

function runsTooLong(): Error {
  return usageError('a path is too long to explore', {
    got: `more than ${STEPS_MAX} steps`,
    expected: 'a small scenario: few operations and few agents show most of what can go wrong',
  });
}
