import { ExactStates } from './exact_states.js';
import { IntList } from './int_list.js';
import { NONE, PreemptionGraph } from './preemption_graph.js';
import { mayStep, type Program } from './program.js';
import type { Schedule } from './schedule.js';
import { HashedStates, type States } from './states.js';
import { TreeWalk } from './tree_walk.js';

/** Bounds of the search, and what it is for. */
export interface FewestOptions {
  /** Bits of the checks that make a counter-example; default all. */
  readonly wanted?: number;
  /** Most states to keep; default 2^20. */
  readonly statesMax?: number;
  /** Most preemptions to try; default: as many as there can be. */
  readonly preemptionsMax?: number;
  /** Keeps the states themselves, so that the proof does not rest on a hash; default false. */
  readonly exact?: boolean;
}

/** A path that breaks a wanted check with its last step, and does not go on from there. */
export interface CounterExample {
  /** Bits of the wanted checks that it breaks. */
  readonly bits: number;
  readonly schedule: Schedule;
}

/** What the search came to. */
export type FewestPreemptions =
  /** No path that breaks a wanted check has fewer preemptions, and none with as few has fewer steps. */
  | (CounterExample & {
      readonly verdict: 'found';
      readonly preemptions: number;
      readonly steps: number;
      readonly states: number;
    })
  /** No path breaks any; some state takes as many `preemptions` to come to, none more. */
  | { readonly verdict: 'none'; readonly preemptions: number; readonly states: number }
  /** A bound was hit. No path with fewer `preemptions` breaks any; with as many, `seen` does, if there is one. */
  | {
      readonly verdict: 'bound';
      readonly preemptions: number;
      readonly states: number;
      readonly seen: CounterExample | undefined;
    };

/**
 * Looks for the path of `program`, from where it stands, that breaks a wanted check with the fewest preemptions, and of
 * those for one with the fewest steps. A preemption is a step of another agent than before where that one could have gone
 * on; a change of agent after one has ended, or waits, is free. The program is left as it was, whatever happens.
 *
 * A 0-1 breadth-first search over nodes (`PreemptionGraph`): state, and whose step is no preemption. What may follow from
 * a node and what it costs depends on nothing else. Level p holds the nodes that p preemptions lead to and fewer do not:
 * what one preemption leads to from level p - 1, and all that free steps lead to from there, if no lower level has it.
 * Nobody goes on from a node that breaks a wanted check, for a path to it is a counter-example and a longer one is none
 * that is smaller.
 *
 * Fewest preemptions: levels are exhausted in order, and the search ends with the first that has such a node.
 * Fewest steps: say that level is p. On a path with p preemptions to a node of level p, each node is reached with exactly
 * as many preemptions as its level says: with fewer it would have another level; with more, what leads to it with fewer,
 * and the rest of the path, would be a path with less than p to the end. So each of its steps is one from level to level
 * that the search has tried and recorded, for all of level p was finished; and a breadth-first search along those
 * (`shorten`) finds the shortest.
 *
 * The program is moved from node to node of one level in the order of a walk around the tree that the search grows, so all
 * steps taken again for a level are at most as many as the tree has.
 */
export function fewestPreemptions(program: Program, options: FewestOptions = {}): FewestPreemptions {
  return new Search(program, options).result();
}

class Search {
  readonly #program: Program;
  readonly #agents: number;
  readonly #wanted: number;
  readonly #statesMax: number;
  readonly #preemptionsMax: number;
  readonly #states: States;
  /** By state: wanted checks that it breaks. */
  readonly #bits = new IntList();
  readonly #graph: PreemptionGraph;
  readonly #walk: TreeWalk;
  #level = 0;
  /** Nodes that break a wanted check. */
  readonly #breaking: number[] = [];
  /** A bound is hit. */
  #givesUp = false;
  /** The node that free steps are taken from, and those on the way to it; and who is next there. */
  readonly #visited = new IntList();
  readonly #cursors = new IntList();

  constructor(program: Program, options: FewestOptions) {
    const { wanted = -1, statesMax = 2 ** 20, preemptionsMax = Infinity, exact = false } = options;
    this.#program = program;
    this.#agents = program.agents.length;
    this.#wanted = wanted;
    this.#statesMax = statesMax;
    this.#preemptionsMax = preemptionsMax;
    this.#states = exact ? new ExactStates() : new HashedStates();
    this.#graph = new PreemptionGraph(this.#agents);
    this.#walk = new TreeWalk(program, this.#graph);
  }

  result(): FewestPreemptions {
    try {
      this.#explore();
    } finally {
      this.#walk.home();
    }
    const states = this.#states.count;
    const preemptions = this.#level;
    const [first] = this.#breaking;
    if (this.#givesUp) {
      const seen = first === undefined ? undefined : this.#counterExample(first);
      return { verdict: 'bound', preemptions, states, seen };
    }
    if (first === undefined) return { verdict: 'none', preemptions, states };
    const found = this.#shortest();
    return { verdict: 'found', ...found, preemptions, steps: found.schedule.length, states };
  }

  /** Goes from level to level; afterwards `#level` is the last that has a node, or the one that was given up. */
  #explore(): void {
    if (this.#arrive(NONE)) this.#runOn();
    for (let first = 0, end = this.#graph.nodes; first < end; first = end, end = this.#graph.nodes) {
      if (this.#givesUp || this.#breaking.length > 0) return;
      this.#level++;
      if (!this.#preemptAll(first, end)) return;
      if (this.#graph.nodes === end) this.#level--;
    }
  }

  /** Explores what one preemption leads to from the nodes of the level before; false where a bound is hit. */
  #preemptAll(first: number, end: number): boolean {
    for (let node = first; node < end; node++) if (!this.#preempt(node)) return false;
    return true;
  }

  #preempt(node: number): boolean {
    const last = this.#graph.last(node);
    if (last === NONE) return true;
    this.#givesUp = this.#level > this.#preemptionsMax;
    if (this.#givesUp) return false;
    this.#walk.moveTo(node);
    for (let agent = 0; agent < this.#agents; agent++) {
      if (agent === last || !mayStep(this.#program, agent) || !this.#step(agent)) continue;
      this.#runOn();
      this.#walk.back();
    }
    return !this.#givesUp;
  }

  /** Explores, depth first, what free steps lead to from where the program is, and comes back there. */
  #runOn(): void {
    this.#enter();
    for (;;) {
      const agent = this.#nextFree();
      if (agent === NONE) {
        this.#visited.pop();
        this.#cursors.pop();
        if (this.#visited.length === 0) return;
        this.#walk.back();
      } else if (this.#step(agent)) this.#enter();
    }
  }

  #enter(): void {
    this.#visited.push(this.#walk.here);
    this.#cursors.push(0);
  }

  /** Who takes the next free step from the node in hand; `NONE` where all have that may, or the search gives up. */
  #nextFree(): number {
    if (this.#givesUp) return NONE;
    const top = this.#cursors.length - 1;
    const last = this.#graph.last(this.#visited.at(top));
    for (let agent = this.#cursors.at(top); agent < this.#agents; agent++) {
      if ((last !== NONE && last !== agent) || !mayStep(this.#program, agent)) continue;
      this.#cursors.set(top, agent + 1);
      return agent;
    }
    return NONE;
  }

  /** Takes a step, and says whether there is something to explore where it leads; if not, takes it back. */
  #step(agent: number): boolean {
    this.#walk.step(agent);
    if (this.#arrive(agent)) return true;
    this.#walk.takeBack();
    return false;
  }

  /** Records where a step of `agent` led; if it is to be explored, the program is there now. */
  #arrive(agent: number): boolean {
    const state = this.#stateInHand();
    if (state === NONE) return false;
    const from = this.#walk.here;
    const last = this.#isContended(agent) ? agent : NONE;
    const known = this.#graph.find(state, last);
    const node = known === NONE ? this.#graph.add(state, last, this.#level, from, agent) : known;
    if (from !== NONE) this.#graph.link(from, agent, node);
    if (known !== NONE) return false;
    if (this.#bits.at(state) !== 0) {
      this.#breaking.push(node);
      return false;
    }
    this.#walk.stay(node);
    return true;
  }

  /** The number of the state that the program is in; `NONE` where there is no room for it. */
  #stateInHand(): number {
    const known = this.#states.find(this.#program);
    if (known >= 0) return known;
    this.#givesUp = this.#states.count >= this.#statesMax;
    if (this.#givesUp) return NONE;
    this.#bits.push(this.#program.broken() & this.#wanted);
    return this.#states.add();
  }

  /** Whether `agent` may step, and somebody else may: so a step of another is a preemption. */
  #isContended(agent: number): boolean {
    if (!mayStep(this.#program, agent)) return false;
    for (let other = 0; other < this.#agents; other++) {
      if (other !== agent && mayStep(this.#program, other)) return true;
    }
    return false;
  }

  #shortest(): CounterExample {
    this.#graph.shorten();
    return this.#breaking
      .map((node) => this.#counterExample(node))
      .reduce((best, other) => (other.schedule.length < best.schedule.length ? other : best));
  }

  #counterExample(node: number): CounterExample {
    return { bits: this.#bits.at(this.#graph.state(node)), schedule: this.#graph.path(node) };
  }
}
