import { Access, AssertionError, Bug, type AccessName, type BugName } from '../events/index.js';
import type { CpuMoments } from './cpu_moments.js';
import type { Form } from './forms.js';
import type { Geometry } from './geometry.js';
import { DONE, Locals, LOCALS_COUNT, type Machine, type Row } from './machine.js';
import type { Machines } from './machines.js';
import type { Memory } from './memory/memory.js';
import type { Port } from './port.js';

/** Deepest nesting of kernel functions: setup > pagetable_setup > vmalloc_tree > inv_extra_mem > set > alloc > alloc_pmd. */
const DEPTH_MAX = 12;

const IDLE: Machine = {
  name: 'idle',
  rows: [],
  step() {
    throw new Error('an idle CPU has no row to run');
  },
};

/** How the last operation of a CPU ended. `bug` and `fault` end the CPU as a kernel would die: only a new call revives it. */
export type CpuState = 'idle' | 'running' | 'bug' | 'fault';

/** Who is told of the calls that kernel functions make to each other. Calls nest; a return closes the last open call. */
export interface CallObserver {
  onCall(machine: Machine, pfn: number, value: number): void;
  onReturn(machine: Machine, value: number): void;
}

/** Where a CPU was, for who wants to go on from there once more; nothing in it changes. */
export interface CpuImage {
  readonly state: CpuState;
  readonly result: number;
  readonly bugHit: BugName;
  readonly faultHit: AccessName;
  /** Functions of the calls in progress, outermost first. */
  readonly machines: readonly Machine[];
  /** Their locals, LOCALS_COUNT each (`Locals.save`). */
  readonly locals: Float64Array;
}

/**
 * A CPU that runs one kernel operation at a time, a row a step. Whoever calls `step` picks the interleaving.
 */
export class Cpu {
  /** What its rows act through; `Domain.usePorts` puts another in its place. */
  port: Port;
  readonly form: Form;
  readonly geometry: Geometry;
  readonly memory: Memory;
  readonly machines: Machines;
  state: CpuState = 'idle';
  /** Result of the last operation that ended with one. */
  result = 0;
  /** The kernel assertion or fault that ended it. */
  bugHit: BugName = 'none';
  faultHit: AccessName = 'read';
  /** The row that runs next belongs to this call. */
  top: Locals;
  /** The call whose row is being run. */
  #stack: Locals[];
  #depth = 0;

  constructor(port: Port, form: Form, machines: Machines, memory: Memory) {
    this.port = port;
    this.form = form;
    this.machines = machines;
    this.memory = memory;
    this.geometry = memory.geometry;
    this.#stack = Array.from({ length: DEPTH_MAX }, () => new Locals(IDLE));
    this.top = this.#stack[0]!;
  }

  /** Told of each call and return inside an operation, where somebody wants to compare them; undefined costs nothing. */
  observer: CallObserver | undefined;

  /** Calls in progress, outermost first. */
  get calls(): readonly Locals[] {
    return this.#stack.slice(0, this.#depth);
  }

  /** The row that `step` will run. */
  get row(): Row {
    const row = this.top.machine.rows[this.top.pc];
    if (row === undefined) throw new AssertionError(`${this.top.machine.name} has no row ${this.top.pc}`);
    return row;
  }

  /** Begins an operation. The CPU must not be in the middle of one. */
  begin(machine: Machine, pfn: number, value = 0, count = 0): void {
    // Here and in `call` the message is built only when it is needed: building it costs more than the call.
    if (this.state === 'running') {
      throw new AssertionError(`CPU ${this.port.cpu} is in the middle of ${this.top.machine.name}`);
    }
    this.#depth = 0;
    this.state = 'running';
    this.call(machine, pfn, value, count);
  }

  /** Runs one row. */
  step(): void {
    const r = this.top;
    r.pc = r.machine.step(r, this);
  }

  /** Runs the operation in hand to its end: the direct picker. */
  run(): void {
    while (this.state === 'running') this.step();
  }

  /** Forgets the operation in hand, wherever it is: its events stay, or were undone by whoever asks for this. */
  abandon(): void {
    this.#depth = 0;
    this.state = 'idle';
  }

  /** Where it is now, between two rows. Memory is not part of it. */
  image(): CpuImage {
    const machines: Machine[] = [];
    const locals = new Float64Array(this.#depth * LOCALS_COUNT);
    for (let depth = 0; depth < this.#depth; depth++) {
      const r = this.#stack[depth]!;
      machines.push(r.machine);
      r.save(locals, depth * LOCALS_COUNT);
    }
    const { state, result, bugHit, faultHit } = this;
    return { state, result, bugHit, faultHit, machines, locals };
  }

  /** Goes back, or on, to where a CPU of this memory was. */
  restore({ state, result, bugHit, faultHit, machines, locals }: CpuImage): void {
    this.state = state;
    this.result = result;
    this.bugHit = bugHit;
    this.faultHit = faultHit;
    this.#depth = machines.length;
    machines.forEach((machine, depth) => this.#stack[depth]!.load(machine, locals, depth * LOCALS_COUNT));
    this.top = this.#stack[Math.max(this.#depth - 1, 0)]!;
  }

  /** Calls in progress. */
  get depth(): number {
    return this.#depth;
  }

  /** Call `depth` of those in progress, 0 the outermost. */
  callAt(depth: number): Locals {
    return this.#stack[depth]!;
  }

  /** As `image`, for who goes back step by step. The CPU is in the middle of an operation, so it has no result to keep. */
  pushTo(moments: CpuMoments): void {
    if (this.state !== 'running') throw new AssertionError(`CPU ${this.port.cpu} is not in the middle of anything`);
    for (let depth = 0; depth < this.#depth; depth++) moments.pushCall(this.#stack[depth]!);
    moments.close(this.#depth);
  }

  /** Goes back to the last moment that `pushTo` kept, and forgets it. */
  popFrom(moments: CpuMoments): void {
    this.#depth = moments.open();
    for (let depth = this.#depth - 1; depth >= 0; depth--) moments.popCall(this.#stack[depth]!);
    this.top = this.#stack[this.#depth - 1]!;
    this.state = 'running';
  }

  /** In a row: the next row to run is the first of `machine`; ours goes on at the row it returns. */
  call(machine: Machine, pfn: number, value = 0, count = 0): void {
    const r = this.#stack[this.#depth];
    if (r === undefined) throw new AssertionError(`calls nest deeper than ${DEPTH_MAX} at ${machine.name}`);
    this.#depth++;
    r.begin(machine, pfn, value, count);
    this.top = r;
    this.observer?.onCall(machine, pfn, value);
  }

  /** In a row: the operation ends with `value`, which its caller finds in `ret`. Gives the row to answer with. */
  ret(value: number): number {
    this.observer?.onReturn(this.top.machine, value);
    this.#depth--;
    if (this.#depth === 0) {
      this.state = 'idle';
      this.result = value;
    } else {
      this.top = this.#stack[this.#depth - 1]!;
      this.top.ret = value;
    }
    return DONE;
  }

  /** In a row: the kernel's BUG(). The CPU stops here, its calls stay for whoever looks. */
  bug(name: BugName, pfn: number): number {
    this.port.bug(Bug[name], pfn);
    this.bugHit = name;
    this.state = 'bug';
    return this.top.pc;
  }

  /** In a row: a plain access faulted, and no fixup stands for it. */
  fault(access: AccessName, pfn: number): number {
    this.port.fault(Access[access], pfn);
    this.faultHit = access;
    this.state = 'fault';
    return this.top.pc;
  }
}
