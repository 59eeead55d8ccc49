import { NONE, type PreemptionGraph } from './preemption_graph.js';
import { takeBack } from './picker.js';
import type { Program } from './program.js';

/** A program that is at a node of a tree of paths, or one step beyond it for a try. */
export class TreeWalk {
  readonly program: Program;
  readonly #graph: PreemptionGraph;
  /** Steps that are taken and not taken back. */
  #taken = 0;
  #here = NONE;

  constructor(program: Program, graph: PreemptionGraph) {
    this.program = program;
    this.#graph = graph;
  }

  /** The node that the program is at, or was before a try; `NONE` before there is any. */
  get here(): number {
    return this.#here;
  }

  /** Takes a step for a try: `stay` or `takeBack` follows. */
  step(agent: number): void {
    this.program.step(agent);
    this.#taken++;
  }

  /** The program is at `node` now. */
  stay(node: number): void {
    this.#here = node;
  }

  /** Takes the step of a try back. */
  takeBack(): void {
    this.program.undo();
    this.#taken--;
  }

  /** Goes back to the node before. */
  back(): void {
    this.takeBack();
    this.#here = this.#graph.parent(this.#here);
  }

  /** Goes to a node by way of the tree: back to where the two paths part, and on from there. */
  moveTo(node: number): void {
    const steps: number[] = [];
    let to = node;
    while (this.#here !== to) {
      // A parent has the lower number.
      if (this.#here > to) this.back();
      else {
        steps.push(this.#graph.step(to));
        to = this.#graph.parent(to);
      }
    }
    for (let i = steps.length - 1; i >= 0; i--) this.step(steps[i]!);
    this.#here = node;
  }

  /** Leaves the program as it was, wherever it is. */
  home(): void {
    takeBack(this.program, this.#taken);
    this.#taken = 0;
    this.#here = NONE;
  }
}
