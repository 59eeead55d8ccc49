import { commText, inputError, KINDS, type EventBatch, type Word } from '../../events/index.js';
import { originTime } from '../audit/moment.js';

const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;
const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TWO_32 = 2 ** 32;

/** A task, as the log names it. */
export interface Task {
  readonly pid: number;
  readonly comm: string;
}

/** What the `origin` before a call says. */
export interface Origin {
  /** A `Clock`. */
  readonly clock: number;
  readonly time: number;
  /** An `Operation`: the kernel function around it; 0 for none. */
  readonly around: number;
  readonly line: number;
}

/** An operation whose `call` has been seen. */
export interface TrackedOperation {
  readonly op: number;
  readonly cpu: number;
  /** Number of its `call`. */
  readonly seq: number;
  /** An `Operation`. */
  readonly operation: number;
  readonly pfn: number;
  readonly value: Word;
  /** Line of the input it came from, or 0. */
  readonly line: number;
  readonly task: Task | undefined;
  readonly origin: Origin | undefined;
}

/** Tells of each event of a log which operation it belongs to, whose task that is and when it began. No object an event. */
export class OperationTracker {
  readonly #open = new Map<number, TrackedOperation>();
  /** By CPU. */
  readonly #tasks: (Task | undefined)[] = [];
  #origin: (Origin & { readonly op: number }) | undefined;
  /** The operation of the event before: most often that of the next. */
  #last: TrackedOperation | undefined;

  /** The operations that have not ended, in the order of their calls. */
  get open(): Iterable<TrackedOperation> {
    return this.#open.values();
  }

  /** How many operations have not ended. */
  get openCount(): number {
    return this.#open.size;
  }

  /**
   * Of event `seq`, row `i` of the batch: its operation, that of a `return` for the last time; undefined where it has none,
   * or its call is not in the log. Called for all events, in order.
   * @throws {P2mError} code `bad-input`: an operation begins that has not ended
   */
  operationOf(batch: EventBatch, i: number, seq: number): TrackedOperation | undefined {
    const kind = batch.kind[i]!;
    const op = batch.op[i]!;
    if (kind === CALL) return this.#begin(batch, i, seq);
    if (kind === TASK) this.#tasks[batch.cpu[i]!] = taskOf(batch, i);
    else if (kind === ORIGIN) this.#origin = { op, ...originOf(batch, i) };
    if (op === 0) return undefined;
    const found = this.#last?.op === op ? this.#last : this.#open.get(op);
    this.#last = found;
    if (kind === RETURN) {
      this.#open.delete(op);
      this.#last = undefined;
    }
    return found;
  }

  #begin(batch: EventBatch, i: number, seq: number): TrackedOperation {
    const op = batch.op[i]!;
    const cpu = batch.cpu[i]!;
    if (this.#open.has(op)) {
      throw inputError('an operation begins twice', {
        got: `operation ${op} in event ${seq}`,
        expected: 'its return first',
      });
    }
    const begun: TrackedOperation = {
      op,
      cpu,
      seq,
      operation: batch.a[i]!,
      pfn: batch.c[i]! * TWO_32 + (batch.b[i]! >>> 0),
      value: batch.d[i]!,
      line: batch.e[i]!,
      task: this.#tasks[cpu],
      origin: this.#origin?.op === op ? this.#origin : undefined,
    };
    this.#open.set(op, begun);
    this.#last = begun;
    return begun;
  }
}

function taskOf(batch: EventBatch, i: number): Task {
  const comm = commText([batch.b[i]!, batch.c[i]!, batch.d[i]!, batch.e[i]!]);
  if (comm === undefined) throw inputError('bad name of a task', { expected: 'up to 16 bytes, zeros behind them' });
  return { pid: batch.a[i]!, comm };
}

function originOf(batch: EventBatch, i: number): Origin {
  return { clock: batch.a[i]!, time: originTime(batch, i), around: batch.d[i]!, line: batch.e[i]! };
}
