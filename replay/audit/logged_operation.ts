import { Clock, commText, KINDS, Operation, OPERATIONS, type EventBatch, type StoredLog } from '../../events/index.js';
import type { LogFacts } from './index/log_facts.js';
import { originTime } from './moment.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;
const NO_OP = 0;
/** Operations that are kept although they do not return: more are not in the middle on any machine. */
export const OPEN_MAX = 4096;

/** A task as the log names it. */
export interface Task {
  readonly pid: number;
  readonly comm: string;
}

/** What a log says of an operation: where it says nothing, the field is undefined. */
export interface LoggedOperation {
  readonly op: number;
  readonly cpu: number;
  /** The one that ran on the CPU when it began. */
  readonly task: Task | undefined;
  readonly call: LoggedCall | undefined;
  readonly origin: LoggedOrigin | undefined;
}

/** What its `call` says. */
export interface LoggedCall {
  readonly seq: number;
  /** Number of the operation, of OPERATIONS. */
  readonly operation: number;
  readonly pfn: number;
  readonly value: number;
  /** Line of the input that it came from, 0 where it came from none. */
  readonly line: number;
}

/** What its `origin` says. */
export interface LoggedOrigin {
  readonly clock: number;
  readonly time: number;
  /** Number of the kernel function around it, `Operation.none` where there is none. */
  readonly around: number;
  readonly line: number;
}

/** `balloon-42`. */
export function taskText({ comm, pid }: Task): string {
  return `${comm}-${pid}`;
}

/** The kernel's name of an operation; `unknown` where the log does not say. */
export function operationName(operation: LoggedOperation | undefined): string {
  const number = operation?.call?.operation ?? Operation.none;
  return number === Operation.none ? 'unknown' : OPERATIONS[number]!;
}

/** The operations in the middle, told event by event from the first one of the log on. */
export class LoggedOperations {
  readonly #tasks: (Task | undefined)[] = [];
  readonly #open = new Map<number, LoggedOperation>();
  #returned = NO_OP;

  /**
   * Takes note of event `i`, event `seq` of the log, and gives the operation that it belongs to; undefined where to none.
   * The same object for all events from its call on.
   */
  note(batch: EventBatch, i: number, seq: number): LoggedOperation | undefined {
    const op = batch.op[i]!;
    const kind = batch.kind[i]!;
    if (this.#returned !== NO_OP) this.#forget(this.#returned);
    if (kind === TASK) this.#tasks[batch.cpu[i]!] = taskAt(batch, i);
    if (op === NO_OP) return undefined;
    if (kind === RETURN) this.#returned = op;
    const known = this.#open.get(op);
    if (known !== undefined && kind !== CALL) return known;
    return this.#begin(op, batch, i, seq, known);
  }

  #begin(op: number, batch: EventBatch, i: number, seq: number, known: LoggedOperation | undefined): LoggedOperation {
    const cpu = batch.cpu[i]!;
    const operation: LoggedOperation = {
      op,
      cpu,
      task: this.#tasks[cpu],
      call: batch.kind[i] === CALL ? callAt(batch, i, seq) : undefined,
      origin: known?.origin ?? originAt(batch, i),
    };
    this.#open.set(op, operation);
    if (this.#open.size > OPEN_MAX) for (const oldest of this.#open.keys()) return this.#without(oldest, operation);
    return operation;
  }

  #without(oldest: number, operation: LoggedOperation): LoggedOperation {
    this.#open.delete(oldest);
    return operation;
  }

  #forget(op: number): void {
    this.#open.delete(op);
    this.#returned = NO_OP;
  }
}

/**
 * The operation of event `seq`, looked for backwards from there; undefined where it belongs to none. 0 <= seq < log.events.
 * @param facts what an index of the log knows of its blocks: those that it does not know are gone through
 */
export function loggedOperationOf(log: StoredLog, seq: number, facts?: LogFacts): LoggedOperation | undefined {
  const found = new OperationSearch();
  const known = facts?.blocks ?? 0;
  for (let block = log.blockOf(seq); block >= 0; block--) {
    const batch = log.read(block);
    const start = log.seqOf(block);
    for (let i = Math.min(seq - start, batch.length - 1); i >= 0; i--) {
      if (found.step(batch, i, start + i)) return found.operation;
    }
    if (block <= known) return searchBefore(found, block, facts);
  }
  return found.operation;
}

/** Goes on with what the index knows to stand before a block. */
function searchBefore(found: OperationSearch, block: number, facts: LogFacts | undefined): LoggedOperation | undefined {
  const before: [batch: EventBatch, i: number, seq: number][] = [];
  facts?.tellBefore(block, (batch, i, seq) => before.push([batch, i, seq]));
  for (const [batch, i, seq] of before.reverse()) if (found.step(batch, i, seq)) break;
  return found.operation;
}

/** Gathers, backwards, what is said of the operation of the first event that it is given. */
class OperationSearch {
  #op = -1;
  #cpu = 0;
  #call: LoggedCall | undefined;
  #origin: LoggedOrigin | undefined;
  #task: Task | undefined;
  #isFirst = true;
  /** What stands before is of another operation of that number, which had returned. */
  #isOver = false;

  get operation(): LoggedOperation | undefined {
    if (this.#op <= NO_OP) return undefined;
    return { op: this.#op, cpu: this.#cpu, task: this.#task, call: this.#call, origin: this.#origin };
  }

  /** Whether nothing more can be found. */
  step(batch: EventBatch, i: number, seq: number): boolean {
    if (this.#op < 0) {
      this.#op = batch.op[i]!;
      this.#cpu = batch.cpu[i]!;
    }
    if (this.#op === NO_OP) return true;
    const kind = batch.kind[i]!;
    const isOwn = batch.op[i] === this.#op;
    if (isOwn && this.#isFirst) this.#isFirst = false;
    else if (isOwn && kind === RETURN) this.#isOver = true;
    if (this.#isOver && this.#call === undefined) return true;
    if (kind === CALL && isOwn && !this.#isOver) this.#call ??= callAt(batch, i, seq);
    else if (kind === ORIGIN && isOwn && !this.#isOver) this.#origin ??= originAt(batch, i);
    else if (kind === TASK && batch.cpu[i] === this.#cpu && this.#call !== undefined) {
      this.#task = taskAt(batch, i);
      return true;
    }
    return false;
  }
}

function callAt(batch: EventBatch, i: number, seq: number): LoggedCall {
  const pfn = batch.c[i]! * 2 ** 32 + (batch.b[i]! >>> 0);
  return { seq, operation: batch.a[i]!, pfn, value: batch.d[i]!, line: batch.e[i]! };
}

function originAt(batch: EventBatch, i: number): LoggedOrigin | undefined {
  if (batch.kind[i] !== ORIGIN) return undefined;
  const clock = batch.a[i]!;
  return {
    clock,
    time: clock === Clock.none ? 0 : originTime(batch, i),
    around: batch.d[i]!,
    line: batch.e[i]!,
  };
}

function taskAt(batch: EventBatch, i: number): Task {
  const comm = commText([batch.b[i]!, batch.c[i]!, batch.d[i]!, batch.e[i]!]);
  return { pid: batch.a[i]!, comm: comm ?? '?' };
}
