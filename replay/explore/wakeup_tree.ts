import { depend, type Footprint } from './footprint.js';

/** How a step of an agent stands to a sequence of steps that starts where it would. */
export const Standing = {
  /** It depends on a step that comes before it there. */
  late: 0,
  /** It is in the sequence, and could be its first. */
  first: 1,
  /** It is not there, and depends on none of the steps. */
  free: 2,
} as const;

/** A sequence of steps that is to be taken from somewhere: it wakes an execution that the search would sleep through. */
export class WakeupSequence {
  readonly agents: number[] = [];
  readonly footprints: Footprint[] = [];

  get length(): number {
    return this.agents.length;
  }

  clear(): void {
    this.agents.length = 0;
    this.footprints.length = 0;
  }

  push(agent: number, footprint: Footprint): void {
    this.agents.push(agent);
    this.footprints.push(footprint);
  }

  /** One of `Standing`: how a step of `agent` that touches `footprint` stands to the sequence. */
  standing(agent: number, footprint: Footprint): number {
    for (let i = 0; i < this.agents.length; i++) {
      if (this.agents[i] === agent) return Standing.first;
      if (depend(footprint, this.footprints[i]!)) return Standing.late;
    }
    return Standing.free;
  }

  /** Takes the first step of `agent` out, if there is one. */
  drop(agent: number): void {
    const place = this.agents.indexOf(agent);
    if (place < 0) return;
    this.agents.splice(place, 1);
    this.footprints.splice(place, 1);
  }
}

/**
 * A branch of a wakeup tree: a step that is to be taken, and the branches that go on from it, in the order in which they
 * will be explored. The root stands for the step that has led here.
 */
export class WakeupBranch {
  readonly agent: number;
  readonly #footprint: Footprint | undefined;
  #first: WakeupBranch | undefined;
  #next: WakeupBranch | undefined;

  /** @param footprint what the step will touch; undefined where it will be taken at once */
  constructor(agent: number, footprint?: Footprint) {
    this.agent = agent;
    this.#footprint = footprint;
  }

  get isLeaf(): boolean {
    return this.#first === undefined;
  }

  /** Takes the first branch off; undefined where there is none. */
  take(): WakeupBranch | undefined {
    const first = this.#first;
    if (first !== undefined) {
      this.#first = first.#next;
      first.#next = undefined;
    }
    return first;
  }

  /**
   * Makes sure that some execution down this tree has what `sequence` has: follows the branches that could be first in it,
   * and adds what is left of it where none could. Where that leads to a leaf, or nothing is left, the tree had it already.
   * The sequence is used up.
   */
  insert(sequence: WakeupSequence): void {
    let next = this.#insertHere(sequence);
    while (next !== undefined) next = next.#insertHere(sequence);
  }

  /** Gives the branch that what is left of the sequence goes down; undefined where it has found its place. */
  #insertHere(sequence: WakeupSequence): WakeupBranch | undefined {
    const branch = this.#firstOf(sequence);
    if (branch === undefined) {
      this.#append(sequence);
      return undefined;
    }
    sequence.drop(branch.agent);
    return branch.isLeaf || sequence.length === 0 ? undefined : branch;
  }

  /** The first branch that could be first in the sequence. */
  #firstOf(sequence: WakeupSequence): WakeupBranch | undefined {
    let branch = this.#first;
    while (branch !== undefined && sequence.standing(branch.agent, branch.#footprint!) === Standing.late) {
      branch = branch.#next;
    }
    return branch;
  }

  /** Adds a branch, after all others, that is the sequence step by step. */
  #append({ agents, footprints }: WakeupSequence): void {
    let whole: WakeupBranch | undefined;
    for (let i = agents.length - 1; i >= 0; i--) {
      const branch = new WakeupBranch(agents[i]!, footprints[i]);
      branch.#first = whole;
      whole = branch;
    }
    if (this.#first === undefined) {
      this.#first = whole;
      return;
    }
    let last = this.#first;
    while (last.#next !== undefined) last = last.#next;
    last.#next = whole;
  }
}
