import { assert } from '../../events/index.js';
import type { Agent } from '../explore/program.js';
import { NOBODYS, type AlgorithmLayout } from './algorithm_layout.js';
import type { AlgorithmState } from './algorithm_state.js';
import { DONE, type AlgorithmAgent, type AlgorithmMachine, type Registers } from './machine.js';
import { registersClass } from './registers.js';

/** The registers of a machine. */
type Shape = ReturnType<typeof registersClass<string>>;

/** An agent on its way through its machine. */
export class RunningAgent implements Agent {
  readonly name: string;
  readonly machine: AlgorithmMachine<string>;
  readonly registers: Registers<string>;
  readonly #state: AlgorithmState;
  readonly #words: Int32Array;
  /** Words of the layout. */
  readonly #base: number;
  /**
   * By row + 1: the address of the word that must be 0 for the row to run. That of the lock which the row takes, and of a
   * word that is always 0 where it takes none; at 0, for `DONE`, of one that never is.
   */
  readonly #gates: Int32Array;

  constructor(agent: AlgorithmAgent<string>, id: number, state: AlgorithmState, layout: AlgorithmLayout, shape: Shape) {
    this.name = agent.name;
    this.machine = agent.machine;
    this.#state = state;
    this.#words = state.words;
    this.#base = layout.base[id]!;
    this.#gates = Int32Array.of(layout.never, ...agent.machine.rows.map(([, , lock]) => lock ?? NOBODYS));
    this.registers = new shape(state, this.#base);
  }

  get at(): string | undefined {
    const row = this.#words[this.#base]!;
    return row === DONE ? undefined : this.machine.rows[row]![0];
  }

  /** It has run its last row. */
  get hasEnded(): boolean {
    return this.#words[this.#base] === DONE;
  }

  get enabled(): boolean {
    return this.#words[this.gate] === 0;
  }

  get waitsFor(): number | undefined {
    const lock = this.at === undefined ? NOBODYS : this.gate;
    return lock === NOBODYS ? undefined : lock;
  }

  /** The address of the word that must be 0 for its next step: that of the lock which the step takes, if it takes one. */
  get gate(): number {
    return this.#gates[this.#words[this.#base]! - DONE]!;
  }

  /** Its next row is that one; `DONE`: it has ended. */
  goTo(row: number): void {
    assert(row >= DONE && row < this.#gates.length + DONE, 'a row leads to a row that is none');
    this.#state.set(this.#base, row);
  }
}

/** The agents of an algorithm, all at their first rows. Those who run one machine have registers of one shape. */
export function runningAgents(
  agents: readonly AlgorithmAgent<string>[],
  state: AlgorithmState,
  layout: AlgorithmLayout,
): RunningAgent[] {
  const shapes = new Map<AlgorithmMachine<string>, Shape>();
  return agents.map((agent, i) => {
    const shape = shapes.get(agent.machine) ?? registersClass(agent.machine.locals);
    shapes.set(agent.machine, shape);
    return new RunningAgent(agent, i, state, layout, shape);
  });
}
