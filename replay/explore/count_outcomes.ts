import { usageError } from '../../events/index.js';
import { ExactStates } from './exact_states.js';
import { IntList } from './int_list.js';
import { PathCounts } from './path_counts.js';
import { isStuck, mayStep, type Program } from './program.js';
import type { Schedule } from './schedule.js';
import { StateGraph } from './state_graph.js';
import { HashedStates, type States } from './states.js';
import { SwitchCounts } from './switch_counts.js';

/** An outcome and how it comes about. Ends that differ in text, deadlock or broken checks are different outcomes. */
export interface CountedOutcome {
  readonly outcome: string;
  /** Nobody could go on, and somebody had not ended. */
  readonly deadlock: boolean;
  /** Bits of the checks that are broken where it ends (`Program.broken`). */
  readonly broken: number;
  /** Interleavings that lead to it, exactly. */
  readonly count: bigint;
  /** Fewest changes of agent that lead to it, and a schedule with as many. */
  readonly switches: number;
  readonly schedule: Schedule;
}

/** Checks that a path breaks, which may stop before its end, and that path. */
export interface SeenViolation {
  readonly bits: number;
  readonly schedule: Schedule;
}

/** What all interleavings of a program lead to; `complete` is false where a bound was hit, and then nothing is counted. */
export type OutcomeCounts =
  | {
      readonly complete: true;
      readonly states: number;
      /** Words of 32 bits that the states take where they are kept; 0 where hashes stand for them. */
      readonly stateWords: number;
      readonly interleavings: bigint;
      /** In the order in which they were found. */
      readonly outcomes: readonly CountedOutcome[];
    }
  | {
      readonly complete: false;
      readonly states: number;
      readonly stateWords: number;
      /** Steps of the longest path so far. */
      readonly deepest: number;
      /** One path for each set of broken checks that was seen so far. */
      readonly seen: readonly SeenViolation[];
    };

/** Bounds of the search. */
export interface CountOptions {
  /** Most states to keep; default 2^20. */
  readonly statesMax?: number;
  /** Keeps the states themselves, so that what is counted does not rest on a hash; default false. */
  readonly exact?: boolean;
}

/**
 * Explores every interleaving of `program` from where it stands, and counts how many lead to each outcome.
 *
 * Depth first over states, each visited once. What is left is a graph without circles, and as many paths lead to a state
 * as lead to all that it comes from: so the counts are exact however many paths there are (22,706,128,848 through some
 * 2,000 states). They are as exact as the hash: see `collisionChance`, or `exact`. The program is left as it was, whatever
 * happens.
 *
 * @throws {P2mError} code `usage`: a state comes back on one path, so there is no end of interleavings
 */
export function countOutcomes(program: Program, options: CountOptions = {}): OutcomeCounts {
  return new Search(program, options).result();
}

/** An outcome, and the states in which a path may end with it. */
interface Ends {
  readonly outcome: string;
  readonly deadlock: boolean;
  readonly broken: number;
  readonly states: number[];
}

class Search {
  readonly #program: Program;
  readonly #statesMax: number;
  readonly #agents: number;
  readonly #states: States;
  readonly #graph: StateGraph;
  readonly #ends = new Map<string, Ends>();
  readonly #seen = new Map<number, SeenViolation>();
  /** The path in hand: its steps, the states they start from and the state it has come to, and who is next there. */
  readonly #path = new IntList();
  readonly #visited = new IntList();
  readonly #cursors = new IntList();
  #deepest = 0;

  constructor(program: Program, { statesMax = 2 ** 20, exact = false }: CountOptions) {
    this.#program = program;
    this.#statesMax = statesMax;
    this.#agents = program.agents.length;
    this.#states = exact ? new ExactStates() : new HashedStates();
    this.#graph = new StateGraph(this.#agents);
  }

  result(): OutcomeCounts {
    const complete = this.#explore();
    const { count: states, words: stateWords } = this.#states;
    if (!complete) return { complete, states, stateWords, deepest: this.#deepest, seen: [...this.#seen.values()] };
    const outcomes = this.#outcomes();
    const interleavings = outcomes.reduce((sum, { count }) => sum + count, 0n);
    return { complete, states, stateWords, interleavings, outcomes };
  }

  /** Visits every state; false where they are more than the bound. Whatever happens, the steps are taken back. */
  #explore(): boolean {
    try {
      this.#states.find(this.#program);
      if (!this.#arrive()) return false;
      while (this.#visited.length > 0) {
        const agent = this.#nextAgent();
        if (agent === undefined) this.#leave();
        else if (!this.#step(agent)) return false;
      }
      return true;
    } finally {
      while (this.#path.length > 0) this.#takeBack();
    }
  }

  /** Who steps next from the state in hand; undefined where all have that may. */
  #nextAgent(): number | undefined {
    const top = this.#cursors.length - 1;
    for (let agent = this.#cursors.at(top); agent < this.#agents; agent++) {
      if (!mayStep(this.#program, agent)) continue;
      this.#cursors.set(top, agent + 1);
      return agent;
    }
    return undefined;
  }

  /** Steps to where the agent leads, and stays there if it is a new state; false where the bound is hit. */
  #step(agent: number): boolean {
    const from = this.#visited.at(this.#visited.length - 1);
    this.#program.step(agent);
    this.#path.push(agent);
    const known = this.#states.find(this.#program);
    if (known < 0) {
      this.#graph.link(from, agent, this.#states.count);
      return this.#arrive();
    }
    if (!this.#graph.isClosed(known)) throw runsInCircles();
    this.#graph.link(from, agent, known);
    this.#takeBack();
    return true;
  }

  /** Makes the state in hand, which is new, the next to go on from; false where the bound is hit. */
  #arrive(): boolean {
    this.#deepest = Math.max(this.#deepest, this.#path.length);
    if (this.#states.count >= this.#statesMax) {
      this.#note(this.#program.broken());
      return false;
    }
    this.#graph.open();
    this.#visited.push(this.#states.add());
    this.#cursors.push(0);
    return true;
  }

  /** Closes the state in hand, and goes back to the one before. */
  #leave(): void {
    const state = this.#visited.pop();
    this.#cursors.pop();
    if (this.#graph.isEnd(state)) this.#end(state);
    this.#graph.close(state);
    if (this.#path.length > 0) this.#takeBack();
  }

  #takeBack(): void {
    this.#program.undo();
    this.#path.pop();
  }

  /** The path in hand ends here. */
  #end(state: number): void {
    const outcome = this.#program.outcome();
    const deadlock = isStuck(this.#program);
    const broken = this.#program.broken();
    const key = `${deadlock} ${broken} ${outcome}`;
    const ends = this.#ends.get(key);
    if (ends === undefined) this.#ends.set(key, { outcome, deadlock, broken, states: [state] });
    else ends.states.push(state);
    this.#note(broken);
  }

  #note(bits: number): void {
    if (bits !== 0 && !this.#seen.has(bits)) this.#seen.set(bits, { bits, schedule: this.#path.toArray() });
  }

  #outcomes(): CountedOutcome[] {
    const paths = new PathCounts(this.#graph);
    const switches = new SwitchCounts(this.#graph);
    return [...this.#ends.values()].map(({ outcome, deadlock, broken, states }) => {
      const count = states.reduce((sum, state) => sum + paths.at(state), 0n);
      const nearest = states.reduce((best, state) => (switches.at(state) < switches.at(best) ? state : best));
      const schedule = switches.schedule(nearest);
      return { outcome, deadlock, broken, count, switches: switches.at(nearest), schedule };
    });
  }
}

function runsInCircles(): Error {
  return usageError('the program runs in circles', {
    got: 'a state that comes back on one path',
    expected: 'steps that lead on: a loop that waits is an agent that is not enabled',
  });
}
