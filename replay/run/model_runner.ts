import { KINDS, type OperationName } from '../../events/index.js';
import type { CallObserver, Cpu, Domain, Machine } from '../../src/index.js';
import { TraceEvent } from '../trace/trace_line.js';
import { Step, type Knowledge } from './knowledge.js';
import type { LogCall, ModelCall, Moment } from './log_call.js';
import { sameAs } from './probed_function.js';

const E = TraceEvent;
const SET_ENTRY = KINDS.set_entry.id;
/** Of a machine that the log cannot have a probe on, or that none of it is asked. */
const NO_EVENT = -1;

/** An operation of the model. */
interface Run {
  readonly name: OperationName;
  readonly machine: Machine;
}

/**
 * Runs the calls of a log in the model, to their ends or piece by piece: a piece ends where a call inside it does, so
 * that a call of another task can take effect between the two (set_phys_to_machine is the only one of several pieces).
 * Before each step it tells `knowledge` what the log recorded of it, as far as that is known.
 */
export class ModelRunner implements CallObserver {
  readonly domain: Domain;
  readonly knowledge: Knowledge;
  readonly #runs: readonly (Run | undefined)[];
  readonly #events: ReadonlyMap<Machine, number>;
  /** The call whose rows run, and the calls open in it: indices of its model calls, or NO_EVENT. */
  #call!: LogCall;
  readonly #open: number[] = [];
  /** Calls made by the outermost one that have ended since the piece began. */
  #piecesEnded = 0;
  #armed = false;

  constructor(domain: Domain, knowledge: Knowledge) {
    this.domain = domain;
    this.knowledge = knowledge;
    const { machines } = domain;
    const runs: (Run | undefined)[] = [];
    runs[E.__set_phys_to_machine] = { name: '__set_phys_to_machine', machine: machines.setPhysToMachineNoAlloc };
    runs[E.set_phys_to_machine] = { name: 'set_phys_to_machine', machine: machines.setPhysToMachine };
    runs[E.get_phys_to_machine] = { name: 'get_phys_to_machine', machine: machines.getPhysToMachine };
    runs[E.xen_alloc_p2m_entry] = { name: 'xen_alloc_p2m_entry', machine: machines.allocP2m };
    runs[E.alloc_p2m] = runs[E.xen_alloc_p2m_entry];
    runs[E.set_phys_range_identity] = { name: 'set_phys_range_identity', machine: machines.setPhysRangeIdentity };
    runs[E.xen_build_dynamic_phys_to_machine] = {
      name: 'xen_build_dynamic_phys_to_machine',
      machine: machines.xenBuildDynamicPhysToMachine,
    };
    // Without extra memory in the model it is the steps 4.5.1 to 4.5.7: those of step 8 have lines of their own.
    runs[E.xen_vmalloc_p2m_tree] = { name: 'xen_vmalloc_p2m_tree', machine: machines.xenVmallocP2mTree };
    runs[E.xen_build_mfn_list_list] = { name: 'xen_build_mfn_list_list', machine: machines.xenBuildMfnListList };
    this.#runs = runs;
    this.#events = new Map([
      [machines.setPhysToMachineNoAlloc, E.__set_phys_to_machine],
      [machines.setPhysToMachine, E.set_phys_to_machine],
      [machines.getPhysToMachine, E.get_phys_to_machine],
      [machines.allocP2m, E.xen_alloc_p2m_entry],
      [machines.allocP2mPmd, E.alloc_p2m_pmd],
    ]);
    for (const cpu of domain.cpus) cpu.observer = this;
  }

  /** Makes `moment` the one now. */
  note(moment: Moment): void {
    moment.events = this.domain.batch.length;
    moment.ops = this.domain.ops;
    moment.learned = this.knowledge.learned;
  }

  /** Takes back everything since `moment`. */
  rewind(moment: Moment): void {
    this.domain.rewind(moment.events, moment.ops);
    this.knowledge.rewind(moment.learned);
  }

  /** Runs the call from its beginning to its end. */
  runWhole(call: LogCall): void {
    this.#begin(call, this.domain.cpus[call.cpu]!);
    const context = call.context!;
    while (context.state === 'running') context.step();
    this.#end(call);
  }

  /** Runs the next piece of the call. */
  runPiece(call: LogCall): void {
    if (call.context === undefined) {
      const context = this.domain.contextOn(call.cpu);
      context.observer = this;
      this.#begin(call, context);
    } else {
      this.#call = call;
      this.#open.length = 1;
      this.#open[0] = 0;
      this.domain.switchTo(call.cpu, call.op);
    }
    const context = call.context!;
    this.#piecesEnded = 0;
    while (context.state === 'running' && this.#piecesEnded === 0) context.step();
    if (context.state !== 'running') this.#end(call);
  }

  #begin(call: LogCall, context: Cpu): void {
    const { name, machine } = this.#runs[call.event]!;
    call.unrun();
    call.context = context;
    this.note(call.moment);
    this.#call = call;
    while (this.#open.length > 0) this.#open.pop();
    const { pfn, value, count, cpu, line, behalf } = call;
    call.op = this.domain.begin(name, machine, pfn, value, count, cpu, line, context, behalf);
  }

  #end(call: LogCall): void {
    const context = call.context!;
    this.domain.close(this.#runs[call.event]!.name, call.cpu, context);
    if (context.state === 'bug') call.died = `BUG ${context.bugHit}`;
    else if (context.state === 'fault') call.died = `a ${context.faultHit} fault`;
    if (this.#armed) this.#disarm();
    call.finished = true;
  }

  onCall(machine: Machine, pfn: number, value: number): void {
    const call = this.#call;
    const event = this.#open.length === 0 ? sameAs(call.event) : (this.#events.get(machine) ?? NO_EVENT);
    if (event === NO_EVENT) {
      this.#open.push(NO_EVENT);
      return;
    }
    const index = call.modelCount;
    const made = call.modelCall(event, pfn, value);
    this.#open.push(index);
    const shown = index === 0 ? call : this.#nextPart(call, event, index);
    const step = stepOf(event);
    if (step !== undefined) this.#prepare(made, step, shown);
    made.rowStart = this.domain.batch.length;
  }

  #nextPart(call: LogCall, event: number, index: number): LogCall | undefined {
    const part = call.parts[call.partsMet];
    if (part === undefined || sameAs(part.event) !== event) return undefined;
    call.partsMet++;
    part.modelIndex = index;
    return part;
  }

  #prepare(made: ModelCall, step: Step, shown: LogCall | undefined): void {
    let recorded = shown?.recorded;
    // set_phys_to_machine goes on behind its first store only where that found a shared leaf.
    const { event, modelCount, parts, partsMet } = this.#call;
    if (event === E.set_phys_to_machine && modelCount === 2 && parts.length > partsMet) recorded ??= 0;
    made.informed = recorded !== undefined;
    if (step === Step.store && modelCount <= 2) recorded ??= this.#call.assumed;
    made.foreseen = this.knowledge.prepare(step, made.pfn, made.value, recorded);
    if (shown !== undefined && shown.failAt > 0) {
      this.domain.armFailure(shown.failAt, 0);
      this.#armed = true;
    }
  }

  onReturn(_machine: Machine, value: number): void {
    const index = this.#open.pop()!;
    if (index === NO_EVENT) return;
    const call = this.#call;
    const made = call.model[index]!;
    made.ret = value;
    made.rowEnd = this.domain.batch.length;
    if (this.#open.length === 1) this.#piecesEnded++;
    if (made.event === E.__set_phys_to_machine) {
      const last = made.rowEnd - 1;
      const { batch } = this.domain;
      const stored = last >= made.rowStart && batch.kind[last] === SET_ENTRY;
      if (stored) {
        call.stores++;
        call.overwritten = this.knowledge.isAnswerKnown(made.pfn) ? batch.c[last]! : undefined;
      }
      this.knowledge.conclude(Step.store, made.pfn, value);
    } else if (made.event === ALLOCATE) {
      if (this.#armed) this.#disarm();
      this.knowledge.conclude(Step.allocate, made.pfn, value);
    } else if (made.event === E.set_phys_to_machine && value !== 0) {
      this.knowledge.concludeSet(made.pfn, made.value);
    }
  }

  #disarm(): void {
    this.domain.armFailure(0, 0);
    this.#armed = false;
  }
}

const ALLOCATE = E.xen_alloc_p2m_entry;

function stepOf(event: number): Step | undefined {
  if (event === E.__set_phys_to_machine) return Step.store;
  if (event === E.get_phys_to_machine) return Step.lookUp;
  return event === ALLOCATE ? Step.allocate : undefined;
}
