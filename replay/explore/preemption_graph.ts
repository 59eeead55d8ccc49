import { IntList } from './int_list.js';
import type { Schedule } from './schedule.js';

/** No node, or no agent. */
export const NONE = -1;

/**
 * Where paths come to, by the state and by whose step would be no preemption: the agent that stepped last, if it and
 * another may step now, or `NONE`, if whoever steps is free to. So what a step costs is told by its node.
 *
 * A node knows the fewest preemptions that lead to it (its level), a path from the root (a tree of parents, each with a
 * lower number than its children), and where each step leads that was tried.
 */
export class PreemptionGraph {
  readonly #agents: number;
  /** At state * (agents + 1) + last + 1. */
  readonly #nodes = new IntList();
  // By node.
  readonly #states = new IntList();
  readonly #lasts = new IntList();
  readonly #levels = new IntList();
  readonly #parents = new IntList();
  readonly #steps = new IntList();
  /** At node * agents + agent. */
  readonly #next = new IntList();

  constructor(agents: number) {
    this.#agents = agents;
  }

  get nodes(): number {
    return this.#states.length;
  }

  /** The node of a state whose number is at most one above that of any before; `NONE` where there is none yet. */
  find(state: number, last: number): number {
    const place = this.#place(state, last);
    return place < this.#nodes.length ? this.#nodes.at(place) : NONE;
  }

  /** Adds a node, to which `step` leads from `parent`. */
  add(state: number, last: number, level: number, parent: number, step: number): number {
    const node = this.nodes;
    const places = this.#place(state + 1, NONE);
    if (places > this.#nodes.length) this.#nodes.fill(places - this.#nodes.length, NONE);
    this.#nodes.set(this.#place(state, last), node);
    this.#states.push(state);
    this.#lasts.push(last);
    this.#levels.push(level);
    this.#parents.push(parent);
    this.#steps.push(step);
    this.#next.fill(this.#agents, NONE);
    return node;
  }

  link(node: number, agent: number, next: number): void {
    this.#next.set(node * this.#agents + agent, next);
  }

  state(node: number): number {
    return this.#states.at(node);
  }

  /** Who alone steps on without a preemption; `NONE`: whoever may. */
  last(node: number): number {
    return this.#lasts.at(node);
  }

  /** `NONE` for the root. */
  parent(node: number): number {
    return this.#parents.at(node);
  }

  /** The agent whose step leads from the parent to the node. */
  step(node: number): number {
    return this.#steps.at(node);
  }

  /** The steps of the tree from the root to the node. */
  path(node: number): Schedule {
    const steps: number[] = [];
    for (let at = node; this.parent(at) !== NONE; at = this.parent(at)) steps.push(this.step(at));
    return steps.reverse();
  }

  /**
   * Makes the path of each node one with the fewest steps of all with as few preemptions as the node can have: breadth
   * first, along the steps that keep to the levels.
   */
  shorten(): void {
    const reached = new Uint8Array(this.nodes);
    const queue = new Int32Array(this.nodes);
    reached[0] = 1;
    for (let head = 0, tail = 1; head < tail; head++) {
      const node = queue[head]!;
      for (let agent = 0; agent < this.#agents; agent++) {
        const next = this.#next.at(node * this.#agents + agent);
        if (next === NONE || reached[next] === 1 || !this.#keepsLevel(node, agent, next)) continue;
        reached[next] = 1;
        this.#parents.set(next, node);
        this.#steps.set(next, agent);
        queue[tail++] = next;
      }
    }
  }

  #keepsLevel(node: number, agent: number, next: number): boolean {
    const last = this.last(node);
    const cost = last === NONE || last === agent ? 0 : 1;
    return this.#levels.at(next) === this.#levels.at(node) + cost;
  }

  #place(state: number, last: number): number {
    return state * (this.#agents + 1) + last + 1;
  }
}
