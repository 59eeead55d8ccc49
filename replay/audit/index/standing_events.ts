import { commText, KINDS, type EventBatch } from '../../../events/index.js';
import { isTimedOrigin, originTime } from '../moment.js';
import { OPEN_MAX } from '../logged_operation.js';
import { NameMask } from './name_mask.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;
const NO_OP = 0;

/** What is told of an operation in the middle, as numbers of events; some may be one event. */
interface StandingOperation {
  first: number;
  origin: number;
  timed: number;
  call: number;
  /** The tasks that counted when those were told. */
  tasks: readonly StandingTask[];
  /** Number of the operation; 0: no call says it. */
  operation: number;
  /** When it began, by the clock of the log; undefined: nothing says it. */
  time: number | undefined;
}

interface StandingTask {
  readonly seq: number;
  readonly names: NameMask;
}

const NO_TASKS: readonly StandingTask[] = [];

/** What the operations and the times of the events of a block are, as far as it helps to leave it out. */
export interface BlockContent {
  readonly kinds: NameMask;
  readonly operations: NameMask;
  readonly tasks: NameMask;
  /** The earliest time that any of its events counts to; -Infinity: it has some before all times. */
  leastTime: number;
}

/**
 * The events of a log that still say something of those that follow: the last task of each CPU, and of each operation in the
 * middle its first event, its origins, its call, and the tasks they count to. Who is told of these alone, in their order,
 * knows of the operations in the middle what somebody knows who was told of all events.
 */
export class StandingEvents {
  /** By CPU. */
  readonly #tasks = new Map<number, StandingTask>();
  readonly #open = new Map<number, StandingOperation>();
  #clock: number | undefined;
  #time = -Infinity;

  /** @param clock of the log, as far as it is known */
  constructor(clock?: number) {
    this.#clock = clock;
  }

  /** The clock that times are of: that of the first one. */
  get clock(): number | undefined {
    return this.#clock;
  }

  /** The time that the last event counts to; -Infinity: it stands before all times. */
  get time(): number {
    return this.#time;
  }

  /** Who has been told of the events that stand alone is told of it too. */
  set time(time: number) {
    this.#time = time;
  }

  /** Numbers of the events, ascending. */
  seqs(): number[] {
    const seqs = new Set<number>();
    for (const { seq } of this.#tasks.values()) seqs.add(seq);
    for (const { first, origin, timed, call, tasks } of this.#open.values()) {
      for (const seq of [first, origin, timed, call]) if (seq >= 0) seqs.add(seq);
      for (const { seq } of tasks) seqs.add(seq);
    }
    return [...seqs].sort((a, b) => a - b);
  }

  /** Takes note of all events of a block, the first of which is event `seq`. */
  block(batch: EventBatch, seq: number): BlockContent {
    const content = { kinds: new NameMask(), operations: new NameMask(), tasks: new NameMask(), leastTime: Infinity };
    const kinds = new Uint8Array(256);
    for (let i = 0; i < batch.length; i++) kinds[batch.kind[i]!] = 1;
    kinds.forEach((isThere, kind) => isThere === 1 && content.kinds.number(kind));
    let op = -1;
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i]!;
      const after = kind === CALL ? this.#afterReturn(batch, i) : i;
      if (after > i) {
        // Nothing of it stands behind its return.
        content.operations.number(batch.a[i]!);
        const task = this.#tasks.get(batch.cpu[i]!);
        if (task !== undefined) content.tasks.add(task.names);
        content.leastTime = Math.min(content.leastTime, this.#time);
        op = -1;
        i = after - 1;
        continue;
      }
      const isTelling = kind === CALL || kind === RETURN || kind === TASK || kind === ORIGIN;
      // Most events are of the operation of the one before, and say nothing of it.
      if (!isTelling && batch.op[i] === op) continue;
      const operation = this.note(batch, i, seq + i);
      op = kind === RETURN ? -1 : batch.op[i]!;
      if (operation !== undefined) {
        content.operations.number(operation.operation);
        for (const { names } of operation.tasks) content.tasks.add(names);
      }
      content.leastTime = Math.min(content.leastTime, this.#time);
    }
    return content;
  }

  /** Takes note of event `i`, event `seq` of the log. */
  note(batch: EventBatch, i: number, seq: number): StandingOperation | undefined {
    const kind = batch.kind[i]!;
    const op = batch.op[i]!;
    if (kind === TASK) this.#tasks.set(batch.cpu[i]!, { seq, names: taskNames(batch, i) });
    if (op === NO_OP) return undefined;
    const operation = this.#open.get(op) ?? this.#begin(op, batch.cpu[i]!, seq);
    if (kind === ORIGIN) this.#origin(operation, batch, i, seq);
    else if (kind === CALL) {
      operation.call = seq;
      operation.operation = batch.a[i]!;
      this.#countTask(operation, batch.cpu[i]!);
    } else if (kind === RETURN) this.#open.delete(op);
    if (operation.time !== undefined) this.#time = operation.time;
    return operation;
  }

  /** The row behind the return of the call in row `i`, where nothing came between and nothing was told of it before; else `i`. */
  #afterReturn({ kind, op, length }: EventBatch, i: number): number {
    const own = op[i]!;
    if (own === NO_OP || this.#open.has(own)) return i;
    for (let row = i + 1; row < length && op[row] === own; row++) {
      const id = kind[row];
      if (id === RETURN) return row + 1;
      if (id === CALL || id === TASK || id === ORIGIN) return i;
    }
    return i;
  }

  #begin(op: number, cpu: number, seq: number): StandingOperation {
    const operation: StandingOperation = {
      first: seq,
      origin: -1,
      timed: -1,
      call: -1,
      tasks: NO_TASKS,
      operation: 0,
      time: undefined,
    };
    this.#countTask(operation, cpu);
    this.#open.set(op, operation);
    if (this.#open.size > OPEN_MAX) this.#open.delete(this.#open.keys().next().value!);
    return operation;
  }

  #origin(operation: StandingOperation, batch: EventBatch, i: number, seq: number): void {
    operation.origin = seq;
    this.#countTask(operation, batch.cpu[i]!);
    if (!isTimedOrigin(batch, i)) return;
    this.#clock ??= batch.a[i]!;
    if (batch.a[i] !== this.#clock) return;
    operation.timed = seq;
    operation.time = originTime(batch, i);
  }

  #countTask(operation: StandingOperation, cpu: number): void {
    const task = this.#tasks.get(cpu);
    if (task === undefined || operation.tasks.at(-1) === task) return;
    operation.tasks = [...operation.tasks, task];
  }
}

/** The names that a task can be asked for by. */
function taskNames(batch: EventBatch, i: number): NameMask {
  const names = new NameMask();
  const comm = commText([batch.b[i]!, batch.c[i]!, batch.d[i]!, batch.e[i]!]) ?? '?';
  const pid = batch.a[i]!;
  for (const name of [comm, String(pid), `${comm}-${pid}`]) names.name(name);
  return names;
}
