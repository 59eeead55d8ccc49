import { NOWHERE, type StateGraph } from './state_graph.js';

/**
 * How many paths lead from the first state of a graph to each end, exactly: a state passes its count on to where its steps
 * lead, after all that lead to it have passed theirs. A count is a number while that holds it, and what is beyond is kept
 * in bigints, only as long as it is needed.
 */
export class PathCounts {
  readonly #graph: StateGraph;
  /** By state: what is left of its count when `#beyond` is taken off. */
  readonly #rest: Float64Array;
  readonly #beyond = new Map<number, bigint>();

  constructor(graph: StateGraph) {
    this.#graph = graph;
    this.#rest = new Float64Array(graph.states);
    this.#rest[0] = 1;
    for (let i = graph.closed.length - 1; i >= 0; i--) this.#passOn(graph.closed.at(i));
  }

  /** Paths that lead to `end`, a state that nothing follows. */
  at(end: number): bigint {
    return BigInt(this.#rest[end]!) + (this.#beyond.get(end) ?? 0n);
  }

  #passOn(state: number): void {
    let isEnd = true;
    for (let agent = 0; agent < this.#graph.agents; agent++) {
      const next = this.#graph.next(state, agent);
      if (next === NOWHERE) continue;
      this.#add(next, state);
      isEnd = false;
    }
    if (!isEnd) this.#beyond.delete(state);
  }

  #add(to: number, from: number): void {
    const rest = this.#rest;
    const sum = rest[to]! + rest[from]!;
    if (sum <= Number.MAX_SAFE_INTEGER) rest[to] = sum;
    else {
      this.#addBeyond(to, BigInt(rest[to]!));
      rest[to] = rest[from]!;
    }
    if (this.#beyond.size === 0) return;
    const beyond = this.#beyond.get(from);
    if (beyond !== undefined) this.#addBeyond(to, beyond);
  }

  #addBeyond(state: number, count: bigint): void {
    this.#beyond.set(state, (this.#beyond.get(state) ?? 0n) + count);
  }
}
