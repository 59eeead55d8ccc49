import { Operation, OPERATIONS } from '../../events/index.js';
import type { TrackedOperation } from './operation_tracker.js';
import type { TraceText } from './trace_text.js';

/** The kernel function around one operation or more, as the input shows it. */
interface Outer {
  readonly around: number;
  readonly line: number;
  /** Where the last operation in it ended. */
  endNs: number;
}

/** A track of a CPU, on which operations follow each other. */
export interface Lane {
  readonly tid: number;
  readonly cpu: number;
  /** From 1. */
  readonly number: number;
  isBusy: boolean;
  lockTid: number;
  outer: Outer | undefined;
}

/** An operation that is being drawn. */
export interface Drawn {
  readonly operation: TrackedOperation;
  readonly lane: Lane;
  readonly beginNs: number;
  /** When its last event so far was. */
  lastNs: number;
}

/** Tracks of one CPU stand together. */
const ORDER_OF_CPU = 1000;
const NO_TRACK = 0;

/**
 * The tracks of all CPUs. Nothing may overlap on a track, and operations of two tasks can be open on one CPU, one of them
 * preempted: an operation takes the first lane of its CPU where none is open, `CPU 0`, else `CPU 0 (2)`, and so on.
 */
export class CpuLanes {
  readonly #text: TraceText;
  /** By CPU. */
  readonly #lanes: Lane[][] = [];
  readonly #bootLocks: number[] = [];

  constructor(text: TraceText) {
    this.#text = text;
  }

  /** The lane that the operation runs on from now on. */
  enter(operation: TrackedOperation, ns: number): Lane {
    const lanes = this.#of(operation.cpu);
    const lane = lanes.find(({ isBusy }) => !isBusy) ?? this.#add(operation.cpu);
    lane.isBusy = true;
    this.#around(lane, operation, ns);
    return lane;
  }

  /** Its operation is over. */
  leave(lane: Lane, ns: number): void {
    lane.isBusy = false;
    if (lane.outer !== undefined) lane.outer.endNs = ns;
  }

  /** Closes what is open: no operation is. */
  end(): void {
    // A CPU without events has no lanes: `forEach` passes it over.
    this.#lanes.forEach((lanes) => {
      for (const lane of lanes) this.#closeOuter(lane);
    });
  }

  /** Where moments stand that belong to no operation. */
  base(cpu: number): number {
    return (this.#of(cpu)[0] ?? this.#add(cpu)).tid;
  }

  /** The track of waits and holds of the lane's operations. */
  lockOf(lane: Lane): number {
    const { cpu, number } = lane;
    if (lane.lockTid === NO_TRACK)
      lane.lockTid = this.#text.track(`${nameOf(cpu, number)} lock`, orderOf(cpu, number) + 1);
    return lane.lockTid;
  }

  /** The track of holds outside all operations. */
  bootLock(cpu: number): number {
    return (this.#bootLocks[cpu] ??= this.#text.track(`CPU ${cpu} lock, outside operations`, orderOf(cpu, 0)));
  }

  #of(cpu: number): Lane[] {
    return (this.#lanes[cpu] ??= []);
  }

  #add(cpu: number): Lane {
    const lanes = this.#of(cpu);
    const number = lanes.length + 1;
    const tid = this.#text.track(nameOf(cpu, number), orderOf(cpu, number));
    const lane = { tid, cpu, number, isBusy: false, lockTid: NO_TRACK, outer: undefined };
    lanes.push(lane);
    return lane;
  }

  /** Operations in a row with one function around them, of one line of the input, stand in one slice of its name. */
  #around(lane: Lane, { origin }: TrackedOperation, ns: number): void {
    const { around, line } = origin ?? NO_ORIGIN;
    if (lane.outer?.around === around && lane.outer.line === line) return;
    this.#closeOuter(lane);
    if (around === Operation.none) return;
    this.#text.open(OPERATIONS[around]!, 'around', lane.tid, ns, { line });
    lane.outer = { around, line, endNs: ns };
  }

  #closeOuter(lane: Lane): void {
    if (lane.outer !== undefined) this.#text.close(lane.tid, lane.outer.endNs);
    lane.outer = undefined;
  }
}

const NO_ORIGIN = { around: Operation.none, line: 0 };

function nameOf(cpu: number, number: number): string {
  return number === 1 ? `CPU ${cpu}` : `CPU ${cpu} (${number})`;
}

/** A lane, and its locks right below. */
function orderOf(cpu: number, number: number): number {
  return cpu * ORDER_OF_CPU + 2 * number;
}
