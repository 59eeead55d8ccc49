import { assert, INVALID, Operation, P2mError, type OperationName } from '../../events/index.js';
import {
  Control,
  Grant,
  joinDomain,
  Stop,
  ThreadWord,
  threadWords,
  type Cpu,
  type Domain,
  type Machine,
  type Machines,
  type SharedDomain,
  type ThreadPort,
} from '../../src/index.js';
import { mutantMachines } from './mutant_machines.js';

/** The operations of one thread, one after the other: `next` puts each into the fields. */
export interface ThreadOperations {
  /** Number of the operation (`Operation`). */
  readonly operation: number;
  readonly pfn: number;
  readonly value: number;
  /** Entries or grant slots; the end of a range of pfns. */
  readonly count: number;
  /** Of a grant operation: page and frame of each of `count` slots. */
  readonly slotPfn: Int32Array;
  readonly slotMfn: Int32Array;
  /** False: there are no more. */
  next(): boolean;
}

/** Where a thread pauses. */
export interface Pauses {
  /** After a row: 0, or for how long. */
  pause(): number;
}

/** What one thread of a round is told: a message, for structured clone. */
export interface StressTask {
  readonly shared: SharedDomain;
  readonly thread: number;
  /** Most operations. */
  readonly operations: number;
  /** Name of the mutant of the kernel that runs (`p2m explore --mutate`). */
  readonly mutant?: string;
}

/** Times that a thread looks whether it may start before it sleeps: some ms. */
const START_LOOKS = 1 << 18;
/** A thread that nobody starts begins by itself after so long. */
const START_MS = 10_000;

/** How a thread ended by itself. */
export type ThreadEnd =
  | { readonly kind: 'done' | 'stopped' | 'exhausted'; readonly operations: number }
  | { readonly kind: 'bug' | 'fault' | 'stuck' | 'failed'; readonly operations: number; readonly what: string };

/**
 * One real thread of a stress round: it runs operations on its CPU, row by row, through the port of its own. Nothing here knows
 * of workers; whoever runs it is one.
 */
export class StressThread {
  readonly #task: StressTask;
  readonly #domain: Domain;
  readonly #port: ThreadPort;
  readonly #cpu: Cpu;
  readonly #control: Int32Array;
  readonly #operations: ThreadOperations;
  readonly #pauses: Pauses | undefined;
  readonly #machineOf: readonly (Machine | undefined)[];
  readonly #nameOf: readonly (OperationName | undefined)[];
  #done = 0;

  constructor(task: StressTask, operations: ThreadOperations, pauses?: Pauses) {
    const { shared, thread, mutant } = task;
    const machines = mutant === undefined ? {} : mutantMachines(shared.form, mutant);
    const { domain, port, control } = joinDomain(shared, thread, machines);
    this.#task = task;
    this.#domain = domain;
    this.#port = port;
    this.#cpu = domain.cpus[thread]!;
    this.#control = control;
    this.#operations = operations;
    this.#pauses = pauses;
    const list = stressMachines(domain.machines);
    this.#machineOf = byNumber(list.map(([name, machine]) => [name, machine]));
    this.#nameOf = byNumber(list.map(([name]) => [name, name]));
  }

  /** Waits until all threads are there, then runs until the operations are over, it is asked to stop, or its kernel dies. */
  run(): ThreadEnd {
    this.#waitForStart();
    try {
      return this.#run();
    } catch (error) {
      if (!(error instanceof P2mError) || error.code !== 'stuck') throw error;
      return { kind: 'stuck', operations: this.#done, what: error.message };
    }
  }

  /** Threads that are waked one after the other would not meet: they are awake already. */
  #waitForStart(): void {
    const control = this.#control;
    Atomics.add(control, Control.ready, 1);
    for (let look = 0; look < START_LOOKS; look++) {
      if (Atomics.load(control, Control.go) !== 0) return;
    }
    Atomics.wait(control, Control.go, 0, START_MS);
  }

  #run(): ThreadEnd {
    const words = threadWords(this.#task.thread);
    for (; this.#done < this.#task.operations; this.#done++) {
      if (this.#control[Control.stop] !== Stop.none) return { kind: 'stopped', operations: this.#done };
      if (!this.#operations.next()) return { kind: 'exhausted', operations: this.#done };
      this.#operate();
      const { state } = this.#cpu;
      if (state === 'bug') return { kind: 'bug', operations: this.#done + 1, what: this.#cpu.bugHit };
      if (state === 'fault') return { kind: 'fault', operations: this.#done + 1, what: this.#cpu.faultHit };
      this.#control[words + ThreadWord.done] = this.#done + 1;
    }
    return { kind: 'done', operations: this.#done };
  }

  #operate(): void {
    const { operation, pfn, value, count } = this.#operations;
    const machine = this.#machineOf[operation];
    const name = this.#nameOf[operation];
    assert(machine !== undefined && name !== undefined, `operation ${operation} is none of a stress run`);
    const isMap = operation === Operation.set_foreign_p2m_mapping;
    if (isMap || operation === Operation.clear_foreign_p2m_mapping) this.#fillSlots(isMap);
    const { thread } = this.#task;
    this.#domain.begin(name, machine, pfn, value, count, thread);
    this.#runRows();
    this.#domain.close(name, thread, this.#cpu);
  }

  #runRows(): void {
    const cpu = this.#cpu;
    const pauses = this.#pauses;
    if (pauses === undefined) return cpu.run();
    while (cpu.state === 'running') {
      cpu.step();
      const length = pauses.pause();
      if (length > 0) this.#pause(length);
    }
  }

  /** Sleeps so many µs, or until all are asked to stop. */
  #pause(us: number): void {
    Atomics.wait(this.#control, Control.stop, Stop.none, us / 1000);
  }

  /** What the hypercall leaves of each slot before the kernel's own part begins. */
  #fillSlots(isMap: boolean): void {
    const { slotPfn, slotMfn, count } = this.#operations;
    for (let slot = 0; slot < count; slot++) {
      this.#put(slot, Grant.pfn, slotPfn[slot]!);
      this.#put(slot, Grant.mfn, slotMfn[slot]!);
      this.#put(slot, Grant.status, 0);
      this.#put(slot, Grant.kernelStatus, 0);
      // Grants go to pages that have no frame: that is what page->index was.
      if (!isMap) this.#put(slot, Grant.savedEntry, INVALID);
    }
  }

  #put(slot: number, field: number, value: number): void {
    if (this.#port.loadGrant(slot, field) !== value) this.#port.setGrant(slot, field, value);
  }
}

function stressMachines(machines: Machines): (readonly [OperationName, Machine])[] {
  return [
    ['__pfn_to_mfn', machines.pfnToMfnRaw],
    ['get_phys_to_machine', machines.getPhysToMachine],
    ['set_phys_to_machine', machines.setPhysToMachine],
    ['__set_phys_to_machine', machines.setPhysToMachineNoAlloc],
    ['decrease_reservation', machines.decreaseReservation],
    ['increase_reservation', machines.increaseReservation],
    ['set_foreign_p2m_mapping', machines.setForeignP2mMapping],
    ['clear_foreign_p2m_mapping', machines.clearForeignP2mMapping],
  ];
}

function byNumber<T>(list: readonly (readonly [OperationName, T])[]): readonly (T | undefined)[] {
  const found: (T | undefined)[] = [];
  for (const [name, value] of list) found[Operation[name]] = value;
  return found;
}
