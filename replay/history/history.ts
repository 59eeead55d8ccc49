import { assert } from '../../events/index.js';
import { IntColumn } from './int_column.js';
import { Names, type Scalar } from './names.js';

/** What an operation on a register does. */
export const OperationKind = { read: 0, write: 1, cas: 2 } as const;
/** The names of `OperationKind`, by number, as Jepsen writes them. */
export const OPERATION_NAMES = ['read', 'write', 'cas'] as const;
/** One of the names. */
export type OperationName = (typeof OPERATION_NAMES)[number];

/** What a line of a history says of an operation: it begins, or how it ends. */
export const EventType = { invoke: 0, ok: 1, fail: 2, info: 3 } as const;
/** The names of `EventType`, by number, as Jepsen writes them. */
export const EVENT_NAMES = ['invoke', 'ok', 'fail', 'info'] as const;
/** One of the names. */
export type EventName = (typeof EVENT_NAMES)[number];

/** The event of a history that an operation has not got. */
export const NO_EVENT = -1;

/** What a write finds. */
export const NO_VALUE = -1;

/** An operation as it is begun. */
export interface Invocation {
  readonly process: Scalar;
  readonly f: OperationName;
  /** The register; null where there is one only. */
  readonly key: Scalar;
  /** Written value, or that of a cas; nothing of a read. */
  readonly value?: Scalar;
  /** The value that a cas finds. */
  readonly expected?: Scalar;
}

/** Where an event stands: its line (default: the next), and its time, which all events have or none. */
export interface EventPlace {
  readonly line?: number;
  readonly time?: number | undefined;
}

/**
 * Operations on registers, by whom, and in which order they began and ended. Columns, no object an operation: a history
 * may have ten million. Names (of processes, keys, values) are numbers here, and in `processes`, `keys`, `values` again
 * what they were.
 */
export class History {
  readonly processes = new Names();
  readonly keys = new Names();
  readonly values = new Names();

  /** By operation, in the order in which they were added. */
  readonly process = new IntColumn();
  readonly kind = new IntColumn();
  readonly key = new IntColumn();
  /** What a read returned, what a write or a cas wrote. */
  readonly value = new IntColumn();
  /** What a cas found. */
  readonly expected = new IntColumn();
  /** How it ended, an `EventType`; `invoke` where it did not. */
  readonly outcome = new IntColumn();
  /** Its events. */
  readonly began = new IntColumn();
  readonly ended = new IntColumn();

  /** By event, in real-time order (after `arrange`): 4 * operation + EventType. */
  readonly events = new IntColumn();
  readonly lines = new IntColumn();
  /** By event, where they are told. */
  times: number[] | Float64Array = [];
  #isArranged = true;

  /** Operations. */
  get count(): number {
    return this.kind.length;
  }

  /** Whether its events have times; else their lines are their order. */
  get isTimed(): boolean {
    return this.times.length > 0;
  }

  /** An operation begins. Gives its number, from 0. */
  invoke({ process: who, f, key, value = null, expected = null }: Invocation, place: EventPlace = {}): number {
    const operation = this.count;
    this.process.push(this.processes.number(who));
    this.kind.push(OperationKind[f]);
    this.key.push(this.keys.number(key));
    this.value.push(this.values.number(value));
    this.expected.push(this.values.number(expected));
    this.outcome.push(EventType.invoke);
    this.began.push(this.#add(operation, EventType.invoke, place));
    this.ended.push(NO_EVENT);
    return operation;
  }

  /** It ends: a read that is `ok` with the value that it returned. `fail` had no effect; of `info` nobody knows. */
  complete(operation: number, outcome: Exclude<EventName, 'invoke'>, place: EventPlace = {}, value?: Scalar): void {
    assert(this.outcome.cells[operation] === EventType.invoke, 'an operation ends once');
    this.outcome.cells[operation] = EventType[outcome];
    this.ended.cells[operation] = this.#add(operation, EventType[outcome], place);
    if (this.kind.cells[operation] === OperationKind.read && outcome === 'ok') {
      assert(value !== undefined, 'a read that is ok returned a value');
      this.value.cells[operation] = this.values.number(value);
    }
  }

  /** Whether the operation writes where it takes effect: a write, or a cas of two values. */
  mayWrite(operation: number): boolean {
    const kind = this.kind.cells[operation]!;
    // A cas of a value to itself is a read of it.
    const isRead = kind === OperationKind.cas && this.value.cells[operation] === this.expected.cells[operation];
    return kind !== OperationKind.read && !isRead;
  }

  /** The value that the operation finds, a number of `values`: of a read or a cas; `NO_VALUE` of a write. */
  found(operation: number): number {
    const kind = this.kind.cells[operation]!;
    if (kind === OperationKind.write) return NO_VALUE;
    return (kind === OperationKind.read ? this.value : this.expected).cells[operation]!;
  }

  /** Where the operation ended among the events; Infinity where it did not, or nobody knows how. */
  endOf(operation: number): number {
    return this.outcome.cells[operation] === EventType.ok ? this.ended.cells[operation]! : Infinity;
  }

  /** Puts the events into the order of their times; those of one time stay in the order of their lines. */
  arrange(): this {
    if (this.#isArranged) return this;
    const { times } = this;
    const events = this.events.cells.slice();
    const lines = this.lines.cells.slice();
    const order = Array.from(times, (_, event) => event).sort((a, b) => times[a]! - times[b]!);
    this.times = Float64Array.from(order, (event) => times[event]!);
    order.forEach((from, to) => this.#place(to, events[from]!, lines[from]!));
    this.#isArranged = true;
    return this;
  }

  #place(at: number, event: number, line: number): void {
    this.events.cells[at] = event;
    this.lines.cells[at] = line;
    const ofOperation = (event & 3) === EventType.invoke ? this.began : this.ended;
    ofOperation.cells[event >> 2] = at;
  }

  #add(operation: number, type: number, { line, time }: EventPlace): number {
    const event = this.events.length;
    this.events.push(4 * operation + type);
    this.lines.push(line ?? event + 1);
    assert(event === 0 || (time !== undefined) === this.isTimed, 'all events have times, or none has');
    if (time === undefined) return event;
    assert(Array.isArray(this.times), 'an arranged history is complete');
    if (event > 0 && time < this.times[event - 1]!) this.#isArranged = false;
    this.times.push(time);
    return event;
  }
}
