import {
  Clock,
  CLOCKS,
  FAULT,
  KINDS,
  kindName,
  Operation,
  OPERATIONS,
  Result,
  RESULTS,
  fieldsOf,
  viewField,
  type ByteSink,
  type EventBatch,
  type StoredLog,
  type Word,
} from '../../events/index.js';
import { originTime } from '../audit/moment.js';
import { CpuLanes, type Drawn } from './cpu_lanes.js';
import { LockSlices } from './lock_slices.js';
import { OperationTracker, type TrackedOperation } from './operation_tracker.js';
import { StaleLookUps } from './stale_look_ups.js';
import { TraceClock } from './trace_clock.js';
import { TraceText } from './trace_text.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const ORIGIN = KINDS.origin.id;
const SET_ENTRY = KINDS.set_entry.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const LOCK = KINDS.lock.id;
const UNLOCK = KINDS.unlock.id;
/** Drawn as an instant. */
const ALARMS: readonly number[] = [KINDS.bug.id, KINDS.warn.id, KINDS.fault.id];

/**
 * Writes the log as a trace that Perfetto and chrome://tracing show, in the JSON Trace Event Format: each operation a slice
 * on a track of its CPU, the waits for the lock and its holds on a track beside it, look-ups that returned what was
 * replaced meanwhile in a category of their own, with an arrow from the store (docs/exports.md). What no operation did is
 * not drawn, but assertions, warnings and faults.
 *
 * Gives the number of trace events.
 * @throws {P2mError} code `bad-input`: an operation begins twice
 */
export function exportChrome(log: StoredLog, sink: ByteSink): number {
  const trace = new ChromeTrace(log, sink);
  for (let block = 0; block < log.blocks; block++) trace.append(log.read(block), log.seqOf(block));
  return trace.end();
}

class ChromeTrace {
  readonly #log: StoredLog;
  readonly #clock: TraceClock;
  readonly #text: TraceText;
  readonly #lanes: CpuLanes;
  readonly #locks: LockSlices;
  readonly #tracker = new OperationTracker();
  readonly #stale: StaleLookUps;
  /** When the last `origin` was: there the operation of the call behind it begins. */
  #originNs = 0;
  readonly #drawn = new Map<TrackedOperation, Drawn>();

  constructor(log: StoredLog, sink: ByteSink) {
    this.#log = log;
    this.#clock = new TraceClock(log);
    const { geometry, kernel, origin } = log.header;
    this.#text = new TraceText(sink, `p2m of ${origin ?? log.name} (Linux ${kernel}, ${geometry})`);
    this.#lanes = new CpuLanes(this.#text);
    this.#locks = new LockSlices(this.#text);
    this.#stale = new StaleLookUps(log.codec);
  }

  append(batch: EventBatch, seq: number): void {
    for (let i = 0; i < batch.length; i++) this.#event(batch, i, seq + i);
  }

  end(): number {
    const endNs = this.#clock.next();
    this.#locks.end(endNs);
    for (const drawn of this.#drawn.values()) {
      this.#slice(drawn, endNs, 'operation', { ended: false });
      this.#lanes.leave(drawn.lane, endNs);
    }
    this.#lanes.end();
    const { isTimed, startNs } = this.#clock;
    const { events, header } = this.#log;
    return this.#text.end({
      ...header,
      events,
      times: isTimed ? TIMED : UNTIMED,
      ...(isTimed ? { start_ns: startNs } : {}),
    });
  }

  #event(batch: EventBatch, i: number, seq: number): void {
    const kind = batch.kind[i]!;
    const operation = this.#tracker.operationOf(batch, i, seq);
    // The clock runs on with every event, whatever is drawn of it.
    const isOrigin = kind === ORIGIN;
    const nowNs = isOrigin ? this.#clock.next(batch.a[i], originTime(batch, i)) : this.#clock.next();
    if (isOrigin) this.#originNs = nowNs;
    if (kind === CALL) this.#begin(operation!, operation!.origin === undefined ? nowNs : this.#originNs);
    const drawn = operation === undefined ? undefined : this.#drawn.get(operation);
    if (kind === LOCK) this.#locks.lock(this.#lockTrack(batch.cpu[i]!, drawn), drawn, nowNs);
    else if (kind === UNLOCK) this.#locks.unlock(nowNs);
    else if (kind === SET_ENTRY || kind === IDENTITY_RANGE) this.#store(batch, i, seq, drawn, nowNs);
    else if (ALARMS.includes(kind)) this.#alarm(batch, i, seq, drawn, nowNs);
    else if (kind === RETURN && drawn !== undefined) this.#return(drawn, batch, i, seq, nowNs);
    if (drawn !== undefined) drawn.lastNs = nowNs;
  }

  #begin(operation: TrackedOperation, nowNs: number): void {
    const lane = this.#lanes.enter(operation, nowNs);
    this.#drawn.set(operation, { operation, lane, beginNs: nowNs, lastNs: nowNs });
    this.#stale.begin(operation);
  }

  #return(drawn: Drawn, batch: EventBatch, i: number, seq: number, nowNs: number): void {
    const { operation, lane } = drawn;
    this.#drawn.delete(operation);
    const result = batch.b[i]!;
    const value = batch.c[i]!;
    const store = this.#stale.end(operation, result === Result.word ? value : FAULT);
    const returned = result === Result.word ? this.#entry(value) : result === Result.void ? 'void' : value;
    const args = { result: RESULTS[result], returned, events: `${operation.seq}..${seq}` };
    if (store === undefined) this.#slice(drawn, nowNs, 'operation', args);
    else {
      this.#slice(drawn, nowNs, 'stale-look-up', { ...args, replaced_by_event: store.seq });
      const { tid, ns } = store;
      if (tid !== undefined) this.#text.flow({ tid, ns }, { tid: lane.tid, ns: nowNs - 1 });
    }
    this.#lanes.leave(lane, nowNs);
  }

  #slice({ operation, lane, beginNs }: Drawn, endNs: number, category: string, more: object): void {
    const { op, pfn, value, task, origin, line } = operation;
    this.#text.slice(OPERATIONS[operation.operation]!, category, lane.tid, beginNs, endNs, {
      op,
      pfn: `0x${pfn.toString(16)}`,
      ...(TAKES_VALUE.includes(operation.operation) ? { value: this.#entry(value) } : {}),
      ...(task === undefined ? {} : { task: `${task.comm}-${task.pid}` }),
      ...(line === 0 ? {} : { line }),
      ...(origin === undefined || origin.clock === Clock.none
        ? {}
        : { clock: CLOCKS[origin.clock], time: origin.time }),
      ...more,
    });
  }

  #store(batch: EventBatch, i: number, seq: number, drawn: Drawn | undefined, nowNs: number): void {
    if (!this.#stale.isWatching) return;
    const store = { tid: drawn?.lane.tid, ns: nowNs, seq };
    const op = batch.op[i]!;
    if (batch.kind[i] === SET_ENTRY) this.#stale.stored(batch.a[i]!, batch.d[i]!, op, store);
    else this.#stale.identified(batch.a[i]!, batch.b[i]!, op, store);
  }

  #alarm(batch: EventBatch, i: number, seq: number, drawn: Drawn | undefined, nowNs: number): void {
    const name = kindName(batch.kind[i]!)!;
    const fields = fieldsOf(name).map((field) => [field.name, viewField(batch, i, field, this.#log.codec)] as const);
    const tid = drawn?.lane.tid ?? this.#lanes.base(batch.cpu[i]!);
    this.#text.instant(`${name}: ${String(fields[0]![1])}`, name, tid, nowNs, { seq, ...Object.fromEntries(fields) });
  }

  #lockTrack(cpu: number, drawn: Drawn | undefined): number {
    return drawn === undefined ? this.#lanes.bootLock(cpu) : this.#lanes.lockOf(drawn.lane);
  }

  #entry(word: Word): string {
    return word === FAULT ? 'fault' : this.#log.codec.format(word);
  }
}

const TIMED =
  'an operation begins when the log says, where its order allows; each event after that is one nanosecond later: how long operations, waits and holds took the log does not say';
const UNTIMED = 'the log has no times in nanoseconds: each event is one microsecond after the one before';

/** Operations whose `call` carries an entry. */
const TAKES_VALUE: readonly number[] = [
  Operation.set_phys_to_machine,
  Operation.__set_phys_to_machine,
  Operation.increase_reservation,
];
