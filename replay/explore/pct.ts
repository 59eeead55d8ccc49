import type { IntList } from './int_list.js';
import { NOBODY, type Picker } from './picker.js';
import type { Agent, Program } from './program.js';
import type { Random } from './random.js';

/**
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized Scheduler with Probabilistic
 * Guarantees of Finding Bugs, ASPLOS 2010). Agents get priorities by lot, and whoever has the highest of those who may
 * step does. At depth - 1 steps of a path, drawn beforehand, the agent that is about to step falls below all others;
 * the i-th drawn has the i-th lowest priority, whichever comes first.
 *
 * A bug of depth d is one that d orderings of two steps each make sure of. See `pctBound` for the chance of a hit.
 */
export class PctPicker implements Picker {
  /** Steps of a path, at most: changes are drawn among the first so many. At least 1. */
  steps = 1;
  readonly #random: Random;
  readonly #changes: number;
  /** By agent: the higher goes first. `#changes` + 1 and above at the begin of a path. */
  readonly #priorities: Int32Array;
  /** By step of the path: what the priority of the agent about to take it becomes; 0: it stays. */
  #falls = new Int32Array(64);
  /** The steps at which there is one. */
  readonly #points: Int32Array;

  /** @param depth of the bugs it is after, at least 1 */
  constructor(random: Random, agents: number, depth: number) {
    this.#random = random;
    this.#changes = depth - 1;
    this.#points = new Int32Array(this.#changes);
    this.#priorities = new Int32Array(agents);
  }

  run(program: Program, path: IntList): void {
    const { agents } = program;
    this.#drawPriorities();
    this.#drawPoints();
    path.clear();
    while (!program.ended) {
      const agent = this.#pick(agents, path.length);
      if (agent === NOBODY) return;
      program.step(agent);
      path.push(agent);
    }
  }

  /** Who takes the step after `steps`. */
  #pick(agents: readonly Agent[], steps: number): number {
    const first = this.#highest(agents);
    const fall = steps < this.#falls.length ? this.#falls[steps]! : 0;
    if (fall === 0 || first === NOBODY) return first;
    this.#priorities[first] = fall;
    return this.#highest(agents);
  }

  #highest(agents: readonly Agent[]): number {
    let best = NOBODY;
    let most = 0;
    for (let agent = 0; agent < agents.length; agent++) {
      const priority = this.#priorities[agent]!;
      if (priority <= most || !agents[agent]!.enabled) continue;
      best = agent;
      most = priority;
    }
    return best;
  }

  /** A random order of the agents (Fisher and Yates). */
  #drawPriorities(): void {
    const priorities = this.#priorities;
    for (let agent = 0; agent < priorities.length; agent++) {
      const other = this.#random.below(agent + 1);
      priorities[agent] = priorities[other]!;
      priorities[other] = this.#changes + 1 + agent;
    }
  }

  #drawPoints(): void {
    if (this.#falls.length < this.steps) this.#falls = new Int32Array(2 * this.steps);
    for (let i = 0; i < this.#changes; i++) this.#falls[this.#points[i]!] = 0;
    for (let i = 0; i < this.#changes; i++) {
      this.#points[i] = this.#random.below(this.steps);
      this.#falls[this.#points[i]!] = i + 1;
    }
  }
}

/**
 * The least chance that one PCT run hits a bug of that depth, if there is one: 1 / (n k^(d-1)) for n agents and paths of at
 * most k steps.
 */
export function pctBound(agents: number, steps: number, depth: number): number {
  return 1 / (agents * steps ** (depth - 1));
}
