import { IntList } from './int_list.js';

/** No step leads there. */
export const NOWHERE = -1;

/** States by number, and where each agent's step leads from there. It has no circle: no state comes back on one path. */
export class StateGraph {
  readonly agents: number;
  /** States in the order in which they were closed: what a state leads to stands before it. */
  readonly closed = new IntList();
  /** At state * agents + agent: where the step leads. */
  readonly #next = new IntList();
  /** By state: whether it is closed. */
  readonly #isClosed = new IntList();

  constructor(agents: number) {
    this.agents = agents;
  }

  get states(): number {
    return this.#isClosed.length;
  }

  /** Adds the next state; nothing is known of what follows from it. */
  open(): void {
    this.#next.fill(this.agents, NOWHERE);
    this.#isClosed.push(0);
  }

  link(state: number, agent: number, next: number): void {
    this.#next.set(state * this.agents + agent, next);
  }

  /** All that follows from the state is known. */
  close(state: number): void {
    this.#isClosed.set(state, 1);
    this.closed.push(state);
  }

  isClosed(state: number): boolean {
    return this.#isClosed.at(state) === 1;
  }

  /** Where a step of `agent` leads; `NOWHERE` where it may not step. */
  next(state: number, agent: number): number {
    return this.#next.at(state * this.agents + agent);
  }

  /** Whether nothing follows. */
  isEnd(state: number): boolean {
    for (let agent = 0; agent < this.agents; agent++) if (this.next(state, agent) !== NOWHERE) return false;
    return true;
  }
}
