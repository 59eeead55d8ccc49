import { usageError } from '../../events/index.js';
import { Accesses } from './accesses.js';
import { Footprints, type Footprint } from './footprint.js';
import type { Program } from './program.js';
import type { Trace } from './trace.js';
import type { WakeupSequence } from './wakeup_tree.js';

/** Most steps of a path: one that is longer runs in circles, or is far too long to be explored. */
const STEPS_MAX = 2 ** 16;

/** A program on the path of a trace, or beside it: it can be taken to any point of the path, and off it for a try. */
export class PathWalk {
  readonly program: Program;
  readonly footprints = new Footprints();
  readonly #trace: Trace;
  readonly #accesses = new Accesses();
  /** Steps that are taken and not taken back. */
  #taken = 0;

  constructor(program: Program, trace: Trace) {
    this.program = program;
    this.#trace = trace;
  }

  /** Takes a step, and says what it touched. @throws {P2mError} code `usage`: the path is too long */
  step(agent: number): Footprint {
    if (this.#taken === STEPS_MAX) throw runsTooLong();
    this.#go(agent);
    this.#accesses.clear();
    this.program.accesses(this.#accesses);
    return this.footprints.of(this.#accesses, this.program.ended);
  }

  /** Goes to where `depth` steps of the trace are taken; the program is on its path. */
  moveTo(depth: number): void {
    this.takeBackTo(depth);
    while (this.#taken < depth) this.#go(this.#trace.agentOf(this.#taken));
  }

  /** Takes steps back until `depth` are left. */
  takeBackTo(depth: number): void {
    while (this.#taken > depth) {
      this.program.undo();
      this.#taken--;
    }
  }

  /** What the next step of `agent` touches if it comes after `depth` steps and `sequence`; undefined where it cannot be. */
  tryAfter(depth: number, { agents }: WakeupSequence, agent: number): Footprint | undefined {
    this.moveTo(depth);
    for (let i = 0; i < agents.length; i++) this.#go(agents[i]!);
    const footprint = this.program.agents[agent]!.enabled ? this.step(agent) : undefined;
    this.takeBackTo(depth);
    return footprint;
  }

  #go(agent: number): void {
    this.program.step(agent);
    this.#taken++;
  }
}

function runsTooLong(): Error {
  return usageError('a path is too long to explore', {
    got: `more than ${STEPS_MAX} steps`,
    expected: 'steps that lead to an end: a loop that waits is an agent that is not enabled',
  });
}
