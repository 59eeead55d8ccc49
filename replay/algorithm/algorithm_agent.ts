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
  readonly #gate: number;
  readonly #never: number;
  /** By row: the lock that it takes. */
  readonly #locks: readonly number[];

  constructor(agent: AlgorithmAgent<string>, id: number, state: AlgorithmState, layout: AlgorithmLayout, shape: Shape) {
    this.name = agent.name;
    this.machine = agent.machine;
    this.#state = state;
    this.#words = state.words;
    this.#base = layout.base[id]!;
    this.#gate = layout.gate[id]!;
    this.#never = layout.never;
    this.#locks = agent.machine.rows.map(([, , lock]) => lock ?? NOBODYS);
    this.registers = new shape(state, this.#base);
  }

  get at(): string | undefined {
    const row = this.#words[this.#base]!;
    return row === DONE ? undefined : this.machine.rows[row]![0];
  }

  get enabled(): boolean {
    return this.#words[this.#words[this.#gate]!] === 0;
  }

  get waitsFor(): number | undefined {
    const lock = this.takes;
    return lock === NOBODYS || lock === this.#never ? undefined : lock;
  }

  /** The lock that its next step takes; `NOBODYS`: none. It has one. */
  get takes(): number {
    return this.#words[this.#gate]!;
  }

  /** Its next row is that one, or none where it has ended. */
  goTo(row: number): void {
    assert(row >= DONE && row < this.#locks.length, 'a row leads to a row that is none');
    this.#state.set(this.#base, row);
    this.#state.set(this.#gate, row === DONE ? this.#never : this.#locks[row]!);
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
