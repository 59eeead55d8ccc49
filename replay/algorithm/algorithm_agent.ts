import type { Agent } from '../explore/program.js';
import type { AlgorithmLayout } from './algorithm_layout.js';
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
  /** The word that holds its row; its locals follow. */
  readonly base: number;
  readonly #words: Int32Array;
  /** By row: the lock that it takes; 0: none. */
  readonly #locks: Int32Array;

  constructor({ name, machine }: AlgorithmAgent<string>, state: AlgorithmState, base: number, shape: Shape) {
    this.name = name;
    this.machine = machine;
    this.base = base;
    this.registers = new shape(state, base);
    this.#words = state.words;
    this.#locks = Int32Array.from(machine.rows, ([, , lock]) => lock ?? 0);
  }

  get at(): string | undefined {
    const pc = this.#words[this.base]!;
    return pc === DONE ? undefined : this.machine.rows[pc]![0];
  }

  get enabled(): boolean {
    const pc = this.#words[this.base]!;
    // The word at address 0 is always 0: a row that takes no lock finds it free.
    return pc !== DONE && this.#words[this.#locks[pc]!] === 0;
  }

  get waitsFor(): number | undefined {
    const lock = this.takes;
    return lock === 0 ? undefined : lock;
  }

  /** Address of the lock that its next row takes; 0: none. */
  get takes(): number {
    const pc = this.#words[this.base]!;
    return pc === DONE ? 0 : this.#locks[pc]!;
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
    return new RunningAgent(agent, state, layout.base[i]!, shape);
  });
}
