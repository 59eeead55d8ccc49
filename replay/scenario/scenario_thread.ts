import { AssertionError, Bug, FAULT, Global, usageError, type OperationName, type Word } from '../../events/index.js';
import {
  LOCALS_COUNT,
  type Cpu,
  type CpuMoments,
  type Domain,
  type Machine,
  type Row,
  type Step,
} from '../../src/index.js';
import type { Agent, StateSink } from '../explore/program.js';
import { StateHash } from '../explore/state_hash.js';
import type { ScenarioOperation } from './scenario.js';

/** What an operation gave in a vector: what `set` returned, what a look-up saw, the end in an assertion; null: not ended. */
export type OperationResult = boolean | string | null;

/** An operation that has ended; `value` is undefined where a kernel assertion or a fault ended it. */
export interface Finished {
  readonly operation: ScenarioOperation;
  readonly value: Word | undefined;
}

/** What the kernel calls the operations of a scenario. */
const NAME_OF: Readonly<Record<ScenarioOperation[0], OperationName>> = {
  set: 'set_phys_to_machine',
  rawSet: '__set_phys_to_machine',
  alloc: 'xen_alloc_p2m_entry',
  lookup: '__pfn_to_mfn',
  get: 'get_phys_to_machine',
};

/** Is told of each row that has run. */
export type RowListener = (machine: Machine, row: Row) => void;

/** Keys of a thread's part of the state are below these, which leave room for 12 calls of 64 keys and 2^19 results. */
const KEYS_A_THREAD = 2 ** 20;
const KEYS_A_CALL = 64;
const WIDE = 32;
const MACHINE = 63;
const DIED_KEY = 2 ** 12 - 1;
const RESULT_KEYS = 2 ** 12;

/** Most rows of a step: no kernel function of a scenario has a loop as long without an access in it. */
const ROWS_MAX = 100_000;

const UPDATE_LOCK = Global.p2m_update_lock;

/** A thread of a scenario on its CPU, at the granularity of the vectors: a step runs to the next row that begins one. */
export class ScenarioThread implements Agent {
  readonly name: string;
  /** What it has done, in program order. */
  readonly finished: Finished[] = [];
  /** Hash of its part of the state, as `rehash` found it. */
  readonly hash = new StateHash();
  /** Told of the rows of its steps; undefined costs nothing. */
  onRow: RowListener | undefined;
  /** Whether its calls and returns are among the domain's events. */
  recorded = false;
  readonly #domain: Domain;
  readonly #cpu: Cpu;
  readonly #operations: readonly ScenarioOperation[];
  /** By operation: the word that a set stores. */
  readonly #values: readonly Word[];
  readonly #keys: number;
  readonly #locals = new Float64Array(LOCALS_COUNT);
  readonly #machineNumbers = new Map<Machine, number>();
  #begun = 0;
  #fresh = false;
  #at: Step | undefined;

  constructor(domain: Domain, id: number, name: string, operations: readonly ScenarioOperation[]) {
    this.name = name;
    this.#domain = domain;
    this.#cpu = domain.cpus[id]!;
    this.#operations = operations;
    this.#values = operations.map(([, , value]) => (value === undefined ? 0 : domain.memory.codec.parse(value)));
    this.#keys = -(id + 1) * KEYS_A_THREAD;
  }

  get at(): Step | undefined {
    return this.#at;
  }

  get waitsFor(): number | undefined {
    return this.#at === 'lock' ? UPDATE_LOCK : undefined;
  }

  get enabled(): boolean {
    return this.#at === 'lock' ? this.#domain.memory.words[UPDATE_LOCK] === 0 : this.#at !== undefined;
  }

  /** A kernel assertion or a fault ended it, and with it the path. */
  get died(): boolean {
    return this.#cpu.state === 'bug' || this.#cpu.state === 'fault';
  }

  /** The operation in hand. */
  get operation(): ScenarioOperation | undefined {
    return this.#cpu.state === 'running' ? this.#operations[this.#begun - 1] : undefined;
  }

  /** Operations begun. */
  get begun(): number {
    return this.#begun;
  }

  /** No step of the operation in hand was taken yet. */
  get isFresh(): boolean {
    return this.#fresh;
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
    this.#fresh = false;
    this.#row();
    this.settle();
  }

  /**
   * Runs on to the next row that begins a step, through the begin of operations, to the end or to an assertion.
   * @throws {P2mError} code `usage`: a machine runs on and on
   */
  settle(): void {
    for (let rows = 0; rows < ROWS_MAX; rows++) {
      this.#at = this.#label();
      if (this.#at !== undefined || this.died) return;
      if (this.#cpu.state === 'running') this.#row();
      else if (!this.#begin()) return;
    }
    throw runsOn(this.#cpu);
  }

  /** Keeps where its CPU is, in the middle of an operation. */
  pushTo(moments: CpuMoments): void {
    this.#cpu.pushTo(moments);
  }

  /** Goes back to where it was kept last, when so many operations were begun and had ended. */
  popFrom(moments: CpuMoments, finished: number, begun: number, isFresh: boolean): void {
    this.#cpu.popFrom(moments);
    this.finished.length = finished;
    this.#begun = begun;
    this.#fresh = isFresh;
    this.#at = this.#label();
  }

  /** Brings `hash` up to date. */
  rehash(): void {
    this.hash.clear();
    this.state(this.hash);
  }

  /** Its calls in progress with their locals, and what it has found out. */
  state(into: StateSink): void {
    const cpu = this.#cpu;
    for (let depth = 0; depth < cpu.depth; depth++) this.#callState(into, depth);
    if (this.died) into.add(this.#keys + DIED_KEY, cpu.state === 'bug' ? Bug[cpu.bugHit] : FAULT);
    for (let i = 0; i < this.finished.length; i++) {
      into.add(this.#keys + RESULT_KEYS + i, this.finished[i]!.value ?? FAULT);
    }
  }

  #callState(into: StateSink, depth: number): void {
    const call = this.#cpu.callAt(depth);
    const keys = this.#keys + depth * KEYS_A_CALL;
    into.add(keys + MACHINE, this.#machineNumber(call.machine));
    const locals = this.#locals;
    call.save(locals, 0);
    for (let i = 0; i < LOCALS_COUNT; i++) {
      const value = locals[i]!;
      if (value === 0) continue;
      into.add(keys + i, value | 0);
      // A pfn may be wider than a word.
      if (value !== (value | 0)) into.add(keys + WIDE + i, Math.floor(value / 2 ** 32));
    }
  }

  /** A number of the function's name alone, so that a state has one hash in every run. */
  #machineNumber(machine: Machine): number {
    let number = this.#machineNumbers.get(machine);
    if (number === undefined) {
      number = 0;
      for (let i = 0; i < machine.name.length; i++) number = Math.imul(31, number) + machine.name.charCodeAt(i);
      for (const [other, taken] of this.#machineNumbers) {
        if (taken === number && other.name !== machine.name) {
          throw new AssertionError(`${machine.name} and ${other.name} have one number`);
        }
      }
      this.#machineNumbers.set(machine, number);
    }
    return number;
  }

  /** What the next step is called; undefined where a row that begins none, or nothing, is next. */
  #label(): Step | undefined {
    if (this.#cpu.state !== 'running') return undefined;
    const { step } = this.#cpu.row;
    // 7.0 alone has a scheduling point after each unlock (vectors/README.md); its mutants too, which have names of their own.
    return step === 'after unlock' && this.#domain.form.tag !== 'L13' ? undefined : step;
  }

  #row(): void {
    const cpu = this.#cpu;
    const { machine } = cpu.top;
    const row = this.onRow === undefined ? undefined : cpu.row;
    cpu.step();
    if (row !== undefined) this.onRow?.(machine, row);
    if (cpu.state === 'running') return;
    const operation = this.#operations[this.#begun - 1]!;
    this.finished.push({ operation, value: cpu.state === 'idle' ? cpu.result : undefined });
    if (this.recorded) this.#domain.close(NAME_OF[operation[0]], cpu.port.cpu, cpu);
  }

  #begin(): boolean {
    const operation = this.#operations[this.#begun];
    if (operation === undefined) return false;
    const value = this.#values[this.#begun++]!;
    this.#fresh = true;
    const machine = this.#machineOf(operation[0]);
    if (this.recorded) this.#domain.begin(NAME_OF[operation[0]], machine, operation[1], value, 0, this.#cpu.port.cpu);
    else this.#cpu.begin(machine, operation[1], value);
    return true;
  }

  #machineOf(kind: ScenarioOperation[0]): Machine {
    const { machines } = this.#domain;
    switch (kind) {
      case 'set':
        return machines.setPhysToMachine;
      case 'rawSet':
        return machines.setPhysToMachineNoAlloc;
      case 'alloc':
        return machines.allocP2m;
      case 'lookup':
        return machines.pfnToMfnRaw;
      case 'get':
        return machines.getPhysToMachine;
    }
  }
}

function runsOn(cpu: Cpu): Error {
  return usageError('a machine runs on and on, and no row of it begins a step', {
    got: `${ROWS_MAX} rows, the last in ${cpu.top.machine.name}`,
    expected: 'a row with a step in each loop',
  });
}
