import { KINDS } from '../../events/index.js';
import type { LogRows } from './log_rows.js';
import type { OpenCalls } from './open_calls.js';
import type { Pieces } from './pieces.js';

const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;

/**
 * Where `next` goes from `moment`: after the return of the operation that the next event belongs to, or to the end of a
 * log in which it does not return. Events of no operation (boot by a dump, the hypervisor), or of one whose call the log
 * lacks, count as one as far as they follow each other; a `task` counts to what comes after it.
 */
export function* nextBoundary(rows: LogRows, calls: OpenCalls, moment: number): Pieces<number> {
  const { events } = rows.log;
  let seq = moment;
  while (seq < events && kindOf(rows, seq) === TASK) seq++;
  if (seq >= events) return events;
  return calls.of(seq) === undefined ? yield* endOfRun(rows, seq) : yield* returnOf(rows, seq, opOf(rows, seq));
}

/**
 * Where `previous` goes from `moment`: before the call of the operation that the last event belongs to, and before what
 * the log says of its origin and its task. It takes back what `next` goes over at once.
 */
export function* previousBoundary(rows: LogRows, calls: OpenCalls, moment: number): Pieces<number> {
  if (moment === 0) return 0;
  const call = calls.of(moment - 1);
  const start = call === undefined ? yield* startOfRun(rows, moment - 1) : (call.origin ?? call.call!);
  return beforeTasks(rows, start);
}

/** The moment after the return of `op`, from event `from` on; the end of the log where it has none. */
export function* returnOf(rows: LogRows, from: number, op: number): Pieces<number> {
  for (let seq = from; seq < rows.log.events; seq = rows.end) {
    const first = rows.to(seq);
    const { kind, op: ops, length } = rows.batch;
    for (let i = first; i < length; i++) if (kind[i] === RETURN && ops[i] === op) return rows.start + i + 1;
    if (yield) return rows.end;
  }
  return rows.log.events;
}

/** The moment behind the events in a row that are of the same operation as event `from`. */
function* endOfRun(rows: LogRows, from: number): Pieces<number> {
  const op = opOf(rows, from);
  for (let seq = from; seq < rows.log.events; seq = rows.end) {
    const first = rows.to(seq);
    const { kind, op: ops, length } = rows.batch;
    for (let i = first; i < length; i++) if (ops[i] !== op || kind[i] === TASK) return rows.start + i;
    if (yield) return rows.end;
  }
  return rows.log.events;
}

/** The moment before them. */
function* startOfRun(rows: LogRows, from: number): Pieces<number> {
  const op = opOf(rows, from);
  for (let seq = from; seq >= 0; seq = rows.start - 1) {
    const last = rows.to(seq);
    const { kind, op: ops } = rows.batch;
    for (let i = last; i >= 0; i--) {
      if (ops[i] !== op || (kind[i] === TASK && rows.start + i < from)) return rows.start + i + 1;
    }
    if (yield) return rows.start;
  }
  return 0;
}

function beforeTasks(rows: LogRows, moment: number): number {
  let start = moment;
  while (start > 0 && kindOf(rows, start - 1) === TASK) start--;
  return start;
}

function kindOf(rows: LogRows, seq: number): number {
  const row = rows.to(seq);
  return rows.batch.kind[row]!;
}

function opOf(rows: LogRows, seq: number): number {
  const row = rows.to(seq);
  return rows.batch.op[row]!;
}
