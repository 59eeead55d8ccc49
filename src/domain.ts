import {
  assert,
  AssertionError,
  EventBatch,
  type EntryCodec,
  Global,
  KINDS,
  Operation,
  Result,
  usageError,
  type OperationName,
  type Word,
} from '../events/index.js';
import { adoptList, assumeLeaf, type LeafRun, type ListState } from './adopt.js';
import { NOBODY, ToldTasks, type Behalf } from './behalf.js';
import { Cpu } from './cpu.js';
import { checkGeometry, type Form } from './forms.js';
import { alignUp, type Geometry } from './geometry.js';
import type { Machine } from './machine.js';
import { machinesOf, type Machines } from './machines.js';
import { apply, undo } from './memory/apply.js';
import { FlatMemory } from './memory/flat.js';
import {
  ATTEMPTS,
  EXTRA_MEM,
  EXTRA_MEM_MAX,
  FAIL_AT,
  FAIL_FROM,
  GRANTS,
  GRANTS_MAX,
  GRANT_WORDS,
} from './memory/layout.js';
import { LIST_BUILDER, type Memory } from './memory/memory.js';
import { PagedMemory } from './memory/paged.js';
import { NO_PAGE } from './memory/pte.js';
import { ModelPort } from './model_port.js';
import { RESULT_OF, resultOf, type Outcome } from './outcome.js';

/** What a domain is made of. */
export interface DomainOptions {
  readonly form: Form;
  readonly geometry: Geometry;
  /** A kind, or the memory of a domain that lives already: it is taken as it stands, and nothing here sets it up. */
  readonly memory?: 'paged' | 'flat' | Memory;
  /** Numbers of its operations: the first, and how far apart they are. Default 1 and 1. */
  readonly ops?: { readonly first: number; readonly stride: number };
  /** Words that came from elsewhere mean something only beside their codec. Default: one of its own. */
  readonly codec?: EntryCodec;
  /** Most pages the domain builder's list may have. */
  readonly nrPages: number;
  /** Most pfns that extra memory or RAM may reach; the list and P2M_LIMIT are added by themselves. */
  readonly maxPfn?: number;
  /** P2M_LIMIT in pfns (forms from 3.19.8 on); default 0, as with memory hotplug off. */
  readonly p2mLimitPfns?: number;
  readonly cpus?: number;
  /** Pools of pages (memory/layout.ts); default one for each CPU. */
  readonly pools?: number;
  readonly sparePages?: number;
  /** machine_to_phys_nr; default 0: no m2p. */
  readonly m2pFrames?: number;
  /** Machines that stand in for those of the form. */
  readonly machines?: Partial<Machines>;
  /** Called with what has happened since the last call; the batch is cleared when it returns. */
  readonly onEvents?: (batch: EventBatch) => void;
  /** Leaves calls and returns out of the events: for who only wants to take them back. */
  readonly quiet?: boolean;
}

/** The list that the domain builder leaves: runs of entries `[count, word, stride]` from pfn 0 on, in whole pages. */
export type EntryRuns = readonly (readonly [count: number, word: Word, stride: number])[];

/** Events that no operation makes: what the hypervisor, the boot or a test does. */
const NO_OP = 0;
/** Pfns that are kept in a word stay below this. */
const PFN_MAX = 2 ** 31 - 1;
const TASK = KINDS.task.id;
/** Events are handed on between rows once there are this many: one operation of the boot can make millions. */
const FLUSH_AT = 4096;

/**
 * One Xen PV domain: its memory, its CPUs, and the operations of its kernel. Everything that changes here is an event.
 *
 * `run` is the direct picker: one operation, on one CPU, to its end. Who wants to interleave takes `cpus` and steps them.
 */
export class Domain {
  readonly form: Form;
  readonly geometry: Geometry;
  readonly machines: Machines;
  readonly memory: Memory;
  readonly batch = new EventBatch(FLUSH_AT * 2);
  readonly cpus: readonly Cpu[];
  readonly #ports: ModelPort[];
  readonly #onEvents: ((batch: EventBatch) => void) | undefined;
  readonly #told: ToldTasks;
  readonly #opNumbers: { readonly first: number; readonly stride: number };
  #ops = 0;
  #held = false;

  /** @throws P2mError when the form does not run on the geometry, or the domain is too large for the model. */
  constructor(options: DomainOptions) {
    const { form, geometry } = options;
    checkGeometry(form, geometry);
    checkNrPages(options.nrPages, geometry);
    if (options.memory === 'flat' && form.structure === 'tree') {
      throw usageError('this kernel has no linear list', {
        got: `--memory flat --kernel ${form.name}`,
        expected: 'paged',
      });
    }
    this.form = form;
    this.geometry = geometry;
    this.machines = options.machines === undefined ? machinesOf(form) : { ...machinesOf(form), ...options.machines };
    const limit = form.p2mLimit ? (options.p2mLimitPfns ?? 0) : 0;
    const capacity = {
      geometry,
      nrPages: options.nrPages,
      areaPfns: Math.max(alignUp(options.nrPages, geometry.perPage), limit, options.maxPfn ?? 0),
      cpus: options.cpus ?? 1,
      pools: options.pools ?? options.cpus ?? 1,
      m2pFrames: options.m2pFrames ?? 0,
      ...(options.sparePages === undefined ? {} : { sparePages: options.sparePages }),
    };
    const joined = typeof options.memory === 'object' ? options.memory : undefined;
    this.memory =
      joined ??
      (options.memory === 'flat' ? new FlatMemory(capacity, options.codec) : new PagedMemory(capacity, options.codec));
    this.#opNumbers = options.ops ?? { first: 1, stride: 1 };
    this.#ports = Array.from({ length: capacity.cpus }, (_, cpu) => new ModelPort(this.memory, this.batch, cpu));
    this.#told = new ToldTasks(capacity.cpus);
    for (const port of this.#ports) port.quiet = options.quiet ?? false;
    this.cpus = this.#ports.map((port) => new Cpu(port, form, this.machines, this.memory));
    this.#onEvents = options.onEvents;
    if (joined !== undefined) return;
    if (limit > 0) this.setGlobal(Global.p2m_limit, limit);
    if ((options.m2pFrames ?? 0) > 0) this.setGlobal(Global.machine_to_phys_nr, options.m2pFrames!);
  }

  /** The domain builder leaves its list of `nrPages` entries; xen_build_dynamic_phys_to_machine takes it over. */
  boot(nrPages: number, entries: EntryRuns): Outcome {
    this.leaveList(nrPages, entries);
    return this.run('xen_build_dynamic_phys_to_machine', this.machines.xenBuildDynamicPhysToMachine, 0);
  }

  /** The domain builder leaves its list of `nrPages` entries, for the kernel to take over. */
  leaveList(nrPages: number, entries: EntryRuns): void {
    checkNrPages(nrPages, this.geometry);
    const room = alignUp(nrPages, this.geometry.perPage);
    const total = entries.reduce((sum, run) => sum + run[0], 0);
    assert(total === room, `the builder's list has ${total} entries, its pages hold ${room}`);
    const payload = this.batch.pushPayload(entries.flat());
    this.#event(KINDS.boot.id, nrPages, payload);
    this.setGlobal(Global['start_info.nr_pages'], nrPages);
    this.setGlobal(Global['start_info.mfn_list'], LIST_BUILDER);
  }

  /** Runs `machine` as `operation` on a CPU to its end. What it gives back is also in `cpus[cpu]`. */
  run(
    operation: OperationName,
    machine: Machine,
    pfn: number,
    value = 0,
    count = 0,
    cpu = 0,
    origin = 0,
    behalf = NOBODY,
  ): Outcome {
    this.begin(operation, machine, pfn, value, count, cpu, origin, this.cpus[cpu], behalf);
    const runner = this.cpus[cpu]!;
    while (runner.state === 'running') {
      runner.step();
      if (!this.#held && this.batch.length >= FLUSH_AT) this.flush();
    }
    return this.end(operation, cpu);
  }

  /**
   * Opens an operation on a CPU, in `context`: its record, then its first row is next. Gives its number.
   * @param origin line of the input that it came from; 0 for none
   * @param behalf whose it is, and since when: read at once
   */
  begin(
    operation: OperationName,
    machine: Machine,
    pfn: number,
    value = 0,
    count = 0,
    cpu = 0,
    origin = 0,
    context: Cpu = this.cpus[cpu]!,
    behalf: Behalf = NOBODY,
  ): number {
    const port = this.#ports[cpu]!;
    const op = this.#opNumbers.first + this.#opNumbers.stride * this.#ops++;
    port.op = op;
    if (!port.quiet) {
      this.#told.say(port, behalf);
      port.called(op, Operation[operation], pfn, value, origin);
    }
    context.begin(machine, pfn, value, count);
    return op;
  }

  /** Closes the operation that a CPU has ended, and says how. */
  end(operation: OperationName, cpu = 0, context: Cpu = this.cpus[cpu]!): Outcome {
    this.close(operation, cpu, context);
    const { state, bugHit, faultHit } = context;
    if (state === 'bug') return { kind: 'bug', bug: bugHit };
    if (state === 'fault') return { kind: 'fault', access: faultHit };
    return { kind: RESULT_OF[operation] ?? 'void', value: resultOf(operation, context) };
  }

  /** As `end`, for hot loops: how it ended is in `context`. */
  close(operation: OperationName, cpu: number, context: Cpu): void {
    const { state } = context;
    if (state === 'running') throw new AssertionError(`CPU ${cpu} has not ended ${operation}`);
    const port = this.#ports[cpu]!;
    const idle = state === 'idle';
    if (port.quiet) port.op = NO_OP;
    else {
      const result = Result[idle ? (RESULT_OF[operation] ?? 'void') : state];
      port.returned(Operation[operation], result, idle ? resultOf(operation, context) : 0);
    }
    if (!this.#held && this.batch.length >= FLUSH_AT) this.flush();
  }

  /** A look-up in `behalf`'s name saw `word`, which is logged: an act of no operation. */
  sawEntry(pfn: number, word: Word, cpu = 0, behalf: Behalf = NOBODY): void {
    const port = this.#ports[cpu]!;
    const { op } = port;
    port.op = NO_OP;
    if (!port.quiet) this.#told.say(port, behalf);
    port.looked(pfn, word);
    port.op = op;
  }

  /** One more context of a CPU: a task that was preempted there in the middle of an operation goes on in its own. */
  contextOn(cpu: number): Cpu {
    return new Cpu(this.#ports[cpu]!, this.form, this.machines, this.memory);
  }

  /**
   * From now on the CPUs act through ports that `make` makes: the seam for ports that watch, or that have TLBs and store
   * buffers. No operation may be in the middle; contexts that `contextOn` made keep the port they have.
   */
  usePorts<P extends ModelPort>(make: (memory: Memory, batch: EventBatch, cpu: number) => P): P[] {
    const ports = this.cpus.map((_, cpu) => make(this.memory, this.batch, cpu));
    ports.forEach((port, cpu) => {
      port.quiet = this.#ports[cpu]!.quiet;
      this.#ports[cpu] = port;
      this.cpus[cpu]!.port = port;
    });
    return ports;
  }

  /** What the CPU does from now on belongs to operation `op`, which was begun there. */
  switchTo(cpu: number, op: number): void {
    this.#ports[cpu]!.op = op;
  }

  /** Keeps events from being handed on by themselves, so that they can be undone; `flush` still hands them on. */
  hold(): void {
    this.#held = true;
  }

  /** Operations begun so far. */
  get ops(): number {
    return this.#ops;
  }

  /**
   * Goes back to the moment at which the batch held `events` events and `ops` operations had begun. Operations that are in
   * the middle are forgotten by whoever runs them.
   */
  rewind(events: number, ops: number): void {
    for (let i = this.batch.length - 1; i >= events; i--) {
      if (this.batch.kind[i] === TASK) this.#told.forget(this.batch.cpu[i]!);
      undo(this.memory, this.batch, i);
    }
    this.batch.truncate(events);
    this.#ops = ops;
  }

  /** Makes the page of the list that holds `pfn` what is said of it, by no operation (adopt.ts). */
  assumeLeaf(pfn: number, leaf: LeafRun['leaf']): void {
    assumeLeaf(this, this.#ports[0]!, pfn, leaf);
  }

  /** Makes the entry of `pfn`, in a private leaf, what is said of it, by no operation. */
  assumeEntry(pfn: number, word: Word): void {
    const port = this.#ports[0]!;
    assert(this.memory.storePage(pfn) !== NO_PAGE, `the leaf of pfn ${pfn} is not private`);
    port.op = NO_OP;
    if (this.memory.loadEntry(pfn) !== word) port.storeEntry(pfn, word);
  }

  /** Makes the list the one of a running kernel (adopt.ts). The domain must not have booted. */
  adopt(state: ListState): void {
    adoptList(this, this.#ports[0]!, state);
  }

  /** The pages that the last reader of the list found (read_mfn_tree, read_p2m_cr3), and forgets them. */
  takeEmitted(cpu = 0): number[] {
    return this.#ports[cpu]!.emitted.splice(0);
  }

  /** Hands the events so far on, and clears the batch. */
  flush(): void {
    if (this.batch.length === 0) return;
    this.#onEvents?.(this.batch);
    this.batch.clear();
  }

  global(index: number): number {
    return this.memory.words[index]!;
  }

  setGlobal(index: number, value: number): void {
    this.#event(KINDS.set_global.id, index, this.memory.words[index], value);
  }

  /** Replaces xen_extra_mem[]: `[start, count]` of pfns each. */
  setExtraMem(regions: readonly (readonly [start: number, count: number])[]): void {
    if (regions.length > EXTRA_MEM_MAX) {
      throw usageError('too many extra memory regions', {
        got: String(regions.length),
        expected: `at most ${EXTRA_MEM_MAX}`,
      });
    }
    regions.forEach(([start, count], index) => {
      if (start + count > PFN_MAX) {
        throw usageError('extra memory out of range', { got: `pfn ${start + count}`, expected: `at most ${PFN_MAX}` });
      }
      const at = EXTRA_MEM + 2 * index;
      this.#event(KINDS.set_extra_mem.id, index, this.memory.words[at], this.memory.words[at + 1], start, count);
    });
    this.setGlobal(Global.xen_extra_mem_count, regions.length);
  }

  /** Arms the injection: the `failAt`-th attempt to allocate from now fails, and all from the `failFrom`-th on; 0 is off. */
  armFailure(failAt: number, failFrom: number): void {
    const { words } = this.memory;
    this.#event(KINDS.arm_failure.id, words[ATTEMPTS], words[FAIL_AT], words[FAIL_FROM], failAt, failFrom);
  }

  /** The slab allocator is up: from here on allocations can fail, and a p2m page may be freed in every form. */
  slabUp(): void {
    this.setGlobal(Global.slab_is_available, 1);
  }

  /** The hypervisor's m2p says that `mfn` is `pfn`; undefined: nobody's. */
  setM2p(mfn: number, pfn: number | undefined): void {
    this.#ports[0]!.setM2p(mfn, pfn === undefined ? 0 : pfn + 1);
  }

  /** A word of slot `slot` of the grant operation in hand (memory/layout.ts, Grant). */
  setGrant(slot: number, field: number, value: number): void {
    if (!Number.isInteger(slot) || slot < 0 || slot >= GRANTS_MAX) {
      throw usageError('too many grant slots', { got: String(slot), expected: `below ${GRANTS_MAX}` });
    }
    if (this.grant(slot, field) !== value) this.#ports[0]!.setGrant(slot, field, value);
  }

  grant(slot: number, field: number): number {
    return this.memory.words[GRANTS + slot * GRANT_WORDS + field]!;
  }

  #event(kind: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    apply(this.memory, this.batch, this.batch.push(kind, 0, NO_OP, a, b, c, d, e));
  }
}

function checkNrPages(nrPages: number, geometry: Geometry): void {
  if (!Number.isInteger(nrPages) || nrPages < 1 || nrPages > geometry.nrPagesMax) {
    throw usageError('bad number of pages', {
      got: String(nrPages),
      expected: `1 to ${geometry.nrPagesMax} on ${geometry.name}`,
    });
  }
}
