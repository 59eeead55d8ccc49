import { NOWHERE, type StateGraph } from './state_graph.js';
import type { Schedule } from './schedule.js';

/** More switches than a path can have. */
const FAR = 2 ** 30;
/** What leads to a state is the begin of the path. */
const BEGIN = -1;

/**
 * The fewest changes of agent from the first state of a graph to each state, by the agent whose step led there: known of
 * all that lead to a state before it passes its own on.
 */
export class SwitchCounts {
  readonly #graph: StateGraph;
  /** At state * agents + agent: fewest switches of the paths to the state whose last step is the agent's. */
  readonly #fewest: Int32Array;
  /** Beside it: which state and last agent, as state * agents + agent, such a path comes by. */
  readonly #from: Int32Array;

  constructor(graph: StateGraph) {
    this.#graph = graph;
    this.#fewest = new Int32Array(graph.states * graph.agents).fill(FAR);
    this.#from = new Int32Array(graph.states * graph.agents).fill(BEGIN);
    for (let i = graph.closed.length - 1; i >= 0; i--) this.#passOn(graph.closed.at(i));
  }

  /** Fewest switches to the state. */
  at(state: number): number {
    return state === 0 ? 0 : this.#fewest[this.#best(state)]!;
  }

  /** A path to the state with as many. */
  schedule(state: number): Schedule {
    const { agents } = this.#graph;
    const steps: number[] = [];
    if (state === 0) return steps;
    for (let place = this.#best(state); place !== BEGIN; place = this.#from[place]!) steps.push(place % agents);
    return steps.reverse();
  }

  #passOn(state: number): void {
    const { agents } = this.#graph;
    const best = this.#best(state);
    const least = state === 0 ? 0 : this.#fewest[best]! + 1;
    for (let agent = 0; agent < agents; agent++) {
      const next = this.#graph.next(state, agent);
      if (next === NOWHERE) continue;
      const stay = state * agents + agent;
      if (this.#fewest[stay]! <= least) this.#offer(next * agents + agent, this.#fewest[stay]!, stay);
      else this.#offer(next * agents + agent, least, state === 0 ? BEGIN : best);
    }
  }

  #offer(place: number, switches: number, from: number): void {
    if (switches >= this.#fewest[place]!) return;
    this.#fewest[place] = switches;
    this.#from[place] = from;
  }

  /** By whose last step the path with the fewest switches comes, as state * agents + agent. */
  #best(state: number): number {
    let best = state * this.#graph.agents;
    for (let place = best + 1; place < (state + 1) * this.#graph.agents; place++) {
      if (this.#fewest[place]! < this.#fewest[best]!) best = place;
    }
    return best;
  }
}
