import { FAULT, Global, type Word } from '../../events/index.js';
import type { Cpu, CpuImage, Domain, Step } from '../../src/index.js';
import { LOCALS_COUNT } from '../../src/index.js';
import type { Agent, StateSink } from '../explore/program.js';
import type { ScenarioOperation } from './scenario.js';

/** What an operation gave in a vector: what `set` returned, what a look-up saw, the end in an assertion; null: not ended. */
export type OperationResult = boolean | string | null;

/** An operation that has ended; `value` is undefined where a kernel assertion or a fault ended it. */
export interface Finished {
  readonly operation: ScenarioOperation;
  readonly value: Word | undefined;
}

/** Where a thread was. */
export interface ThreadImage {
  readonly cpu: CpuImage;
  readonly finished: number;
  readonly begun: number;
}

/** Keys of a thread's part of the state hash are below these, which leave room for 12 calls of 64 keys and 4096 results. */
const KEYS_A_THREAD = 2 ** 20;
const RESULT_KEYS = 2 ** 12;
const WIDE = 32;
const MACHINE = 63;

/** A thread of a scenario on its CPU, at the granularity of the vectors: a step runs to the next row that begins one. */
export class ScenarioThread implements Agent {
  readonly name: string;
  /** What it has done, in program order. */
  readonly finished: Finished[] = [];
  readonly #domain: Domain;
  readonly #cpu: Cpu;
  readonly #operations: readonly ScenarioOperation[];
  readonly #keys: number;
  #begun = 0;

  constructor(domain: Domain, id: number, name: string, operations: readonly ScenarioOperation[]) {
    this.name = name;
    this.#domain = domain;
    this.#cpu = domain.cpus[id]!;
    this.#operations = operations;
    this.#keys = -(id + 1) * KEYS_A_THREAD;
  }

  get at(): Step | undefined {
    if (this.#cpu.state !== 'running') return undefined;
    const { step } = this.#cpu.row;
    // 7.0 alone has a scheduling point after each unlock (vectors/README.md); its mutants too, which have names of their own.
    return step === 'after unlock' && this.#domain.form.tag !== 'L13' ? undefined : step;
  }

  get waitsFor(): number | undefined {
    return this.at === 'lock' ? Global.p2m_update_lock : undefined;
  }

  get enabled(): boolean {
    const { at } = this;
    return at === 'lock' ? this.#domain.global(Global.p2m_update_lock) === 0 : at !== undefined;
  }

  /** A kernel assertion or a fault ended it, and with it the path. */
  get died(): boolean {
    return this.#cpu.state === 'bug' || this.#cpu.state === 'fault';
  }

  /** The operation in hand. */
  get operation(): ScenarioOperation | undefined {
    return this.#cpu.state === 'running' ? this.#operations[this.#begun - 1] : undefined;
  }

  /** Its results as a vector gives them. */
  get results(): OperationResult[] {
    const { codec } = this.#domain.memory;
    return this.#operations.map((operation, i) => {
      const done = this.finished[i];
      if (done === undefined) return null;
      if (done.value === undefined) return 'BUG';
      return operation[0] === 'lookup' || operation[0] === 'get' ? codec.format(done.value) : done.value !== 0;
    });
  }

  /** Runs the row that begins a step, and all that are joined to it. */
  step(): void {
    this.#row();
    this.settle();
  }

  /** Runs on to the next row that begins a step, through the begin of operations, to the end or to an assertion. */
  settle(): void {
    while (!this.died && this.at === undefined) {
      if (this.#cpu.state === 'running') this.#row();
      else if (!this.#begin()) return;
    }
  }

  image(): ThreadImage {
    return { cpu: this.#cpu.image(), finished: this.finished.length, begun: this.#begun };
  }

  restore({ cpu, finished, begun }: ThreadImage): void {
    this.#cpu.restore(cpu);
    this.finished.length = finished;
    this.#begun = begun;
  }

  /** Its calls in progress with their locals, and what it has found out. */
  hash(into: StateSink, machineNumber: (name: string) => number): void {
    const { machines, locals } = this.#cpu.image();
    machines.forEach((machine, depth) => {
      const keys = this.#keys + depth * 64;
      into.add(keys + MACHINE, machineNumber(machine.name));
      for (let i = 0; i < LOCALS_COUNT; i++) {
        const value = locals[depth * LOCALS_COUNT + i]!;
        if (value === 0) continue;
        into.add(keys + i, value | 0);
        // A pfn may be wider than a word.
        if (value !== (value | 0)) into.add(keys + WIDE + i, Math.floor(value / 2 ** 32));
      }
    });
    this.finished.forEach(({ value }, i) => {
      into.add(this.#keys + RESULT_KEYS + i, value ?? FAULT);
    });
  }

  #row(): void {
    const cpu = this.#cpu;
    cpu.step();
    if (cpu.state === 'running') return;
    const operation = this.#operations[this.#begun - 1]!;
    this.finished.push({ operation, value: cpu.state === 'idle' ? cpu.result : undefined });
  }

  #begin(): boolean {
    const operation = this.#operations[this.#begun];
    if (operation === undefined) return false;
    this.#begun++;
    const { machines, memory } = this.#domain;
    switch (operation[0]) {
      case 'set':
        this.#cpu.begin(machines.setPhysToMachine, operation[1], memory.codec.parse(operation[2]));
        break;
      case 'rawSet':
        this.#cpu.begin(machines.setPhysToMachineNoAlloc, operation[1], memory.codec.parse(operation[2]));
        break;
      case 'alloc':
        this.#cpu.begin(machines.allocP2m, operation[1]);
        break;
      case 'lookup':
        this.#cpu.begin(machines.pfnToMfnRaw, operation[1]);
        break;
      case 'get':
        this.#cpu.begin(machines.getPhysToMachine, operation[1]);
    }
    return true;
  }
}
