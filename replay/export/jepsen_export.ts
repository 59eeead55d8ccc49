import {
  FAULT,
  KINDS,
  OPERATIONS,
  Result,
  type ByteSink,
  type EventBatch,
  type StoredLog,
  type Word,
} from '../../events/index.js';
import { lookUp } from '../../src/index.js';
import { Timeline } from '../audit/timeline.js';
// Not pfn_to_mfn: it answers without the indicator bits, so what it returned names no entry.
import { ENTRY_LOOK_UPS as LOOK_UPS, ENTRY_SETS as SETS } from '../history/entry_operations.js';
import { OperationTracker, type TrackedOperation } from './operation_tracker.js';
import { TextSink } from './text_sink.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const SET_ENTRY = KINDS.set_entry.id;
const IDENTITY_RANGE = KINDS.identity_range.id;

type Line = 'invoke' | 'ok' | 'fail' | 'info';

/** An operation on a register that has begun. */
interface Access {
  readonly who: string;
  readonly f: 'read' | 'write';
  readonly pfn: number;
  /** What is written; null of a read. */
  readonly value: string | null;
}

/**
 * Writes the sets and look-ups of a log as a history of registers, one a pfn, in Jepsen's JSON form (docs/check.md). The time
 * of a line is the number of the event it stands for: the log's order is the order of memory.
 *
 * What the history would not tell else is told as operations of processes of their own, so that `p2m check` needs nothing
 * but the history: `before` writes what a register held when the first operation on it began; whatever else stores an
 * entry of a register (a range set to identity, the balloon) writes it at that moment; `after` reads each register at the
 * end where no operation is open.
 *
 * Gives the number of lines.
 * @throws {P2mError} code `bad-input`: the events do not fit the memory that the log's header describes
 */
export function exportJepsen(log: StoredLog, sink: ByteSink): number {
  const history = new HistoryWriter(log, sink);
  for (let block = 0; block < log.blocks; block++) history.append(log.read(block), log.seqOf(block));
  return history.end();
}

class HistoryWriter {
  readonly #log: StoredLog;
  readonly #text: TextSink;
  readonly #timeline: Timeline;
  readonly #tracker = new OperationTracker();
  readonly #accesses = new Map<TrackedOperation, Access>();
  readonly #busy = new Set<string>();
  /** The pfns that have a register. */
  readonly #registers = new Set<number>();
  #lines = 0;

  constructor(log: StoredLog, sink: ByteSink) {
    this.#log = log;
    this.#text = new TextSink(sink);
    this.#timeline = new Timeline(log);
  }

  append(batch: EventBatch, seq: number): void {
    for (let i = 0; i < batch.length; i++) this.#event(batch, i, seq + i);
  }

  end(): number {
    const { events } = this.#log;
    const isQuiet = this.#tracker.openCount === 0;
    for (const access of this.#accesses.values()) this.#line(access, 'info', events, access.value);
    if (isQuiet) {
      for (const pfn of this.#registers) {
        const access: Access = { who: 'after', f: 'read', pfn, value: null };
        this.#line(access, 'invoke', events, null);
        this.#line(access, 'ok', events, this.#entryAt(events, pfn));
      }
    }
    this.#text.flush();
    return this.#lines;
  }

  #event(batch: EventBatch, i: number, seq: number): void {
    const kind = batch.kind[i]!;
    const operation = this.#tracker.operationOf(batch, i, seq);
    if (kind === CALL) this.#begin(operation!, seq);
    else if (kind === RETURN) this.#return(operation, batch, i, seq);
    else if (kind === SET_ENTRY || kind === IDENTITY_RANGE) this.#store(operation, batch, i, seq);
  }

  #begin(operation: TrackedOperation, seq: number): void {
    const isWrite = SETS.includes(operation.operation);
    if (!isWrite && !LOOK_UPS.includes(operation.operation)) return;
    const { pfn } = operation;
    if (!this.#registers.has(pfn)) {
      this.#registers.add(pfn);
      this.#writeAtOnce('before', pfn, this.#entryAt(seq, pfn), seq);
    }
    const who = this.#whoOf(operation);
    const value = isWrite ? this.#entry(operation.value) : null;
    const access: Access = { who, f: isWrite ? 'write' : 'read', pfn, value };
    this.#busy.add(who);
    this.#accesses.set(operation, access);
    this.#line(access, 'invoke', seq, value);
  }

  #return(operation: TrackedOperation | undefined, batch: EventBatch, i: number, seq: number): void {
    const access = operation === undefined ? undefined : this.#accesses.get(operation);
    if (operation === undefined || access === undefined) return;
    this.#accesses.delete(operation);
    this.#busy.delete(access.who);
    const result = batch.b[i]!;
    const value = batch.c[i]!;
    // Cut off by an assertion or a fault, a set may have had its effect.
    if (result === Result.bug || result === Result.fault) this.#line(access, 'info', seq, access.value);
    else if (access.f === 'read') this.#line(access, 'ok', seq, this.#entry(value));
    else this.#line(access, value === 0 ? 'fail' : 'ok', seq, access.value);
  }

  /** Entries that are stored: by a set, which says so itself, or by something else. */
  #store(operation: TrackedOperation | undefined, batch: EventBatch, i: number, seq: number): void {
    if (operation !== undefined && SETS.includes(operation.operation)) return;
    const who = operation === undefined ? 'the log' : OPERATIONS[operation.operation]!;
    const start = batch.a[i]!;
    if (batch.kind[i] === SET_ENTRY) {
      if (this.#registers.has(start)) this.#writeAtOnce(who, start, this.#entry(batch.d[i]!), seq);
      return;
    }
    const { codec } = this.#log;
    for (const pfn of this.#within(start, batch.b[i]!)) {
      this.#writeAtOnce(who, pfn, this.#entry(codec.identityOf(pfn)), seq);
    }
  }

  /** The registers of [start, end), by whichever way is the shorter. */
  *#within(start: number, end: number): Generator<number, void, undefined> {
    if (end - start > this.#registers.size) {
      for (const pfn of this.#registers) if (pfn >= start && pfn < end) yield pfn;
    } else for (let pfn = start; pfn < end; pfn++) if (this.#registers.has(pfn)) yield pfn;
  }

  #writeAtOnce(who: string, pfn: number, value: string, seq: number): void {
    const access: Access = { who, f: 'write', pfn, value };
    this.#line(access, 'invoke', seq, value);
    this.#line(access, 'ok', seq, value);
  }

  /** A process does one thing at a time: the second of a task or CPU is one of its own. */
  #whoOf({ task, cpu }: TrackedOperation): string {
    const name = task === undefined ? `CPU ${cpu}` : `${task.comm}-${task.pid}`;
    if (!this.#busy.has(name)) return name;
    for (let n = 2; ; n++) if (!this.#busy.has(`${name} (${n})`)) return `${name} (${n})`;
  }

  #entryAt(moment: number, pfn: number): string {
    this.#timeline.goTo(moment);
    return this.#entry(lookUp(this.#timeline.memory, pfn));
  }

  #entry(word: Word): string {
    return word === FAULT ? 'fault' : this.#log.codec.format(word);
  }

  #line({ who, f, pfn }: Access, type: Line, time: number, value: string | null): void {
    this.#lines++;
    const shown = f === 'read' && type !== 'ok' ? 'null' : JSON.stringify(value);
    this.#text.write(
      `{"process":${JSON.stringify(who)},"type":"${type}","f":"${f}","key":"0x${pfn.toString(16)}","value":${shown},"time":${time}}\n`,
    );
  }
}
