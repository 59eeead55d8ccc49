import { Clock, KINDS, type EventBatch } from '../../events/index.js';
import { EntryStores } from './entry_stores.js';
import { LoggedOperations, operationName, taskText } from './logged_operation.js';
import { originTime } from './moment.js';
import { TimeHistogram } from './time_histogram.js';

const CALL = KINDS.call.id;
const ORIGIN = KINDS.origin.id;
const SET_ENTRY = KINDS.set_entry.id;
const ALLOC_PAGE = KINDS.alloc_page.id;
const FREE_PAGE = KINDS.free_page.id;
const SET_MID = KINDS.set_mid.id;
/** Kinds that compare, with the columns `expected` and `old`: they are lost where those differ. */
const EXCHANGES: readonly number[] = [KINDS.set_top_mfn.id, KINDS.set_top.id, SET_MID];
const BUG = KINDS.bug.id;
const WARN = KINDS.warn.id;
const FAULT = KINDS.fault.id;

/** Counts over the events of a log, told in their order from the first one on. Memory grows with what differs, not with the log. */
export class LogStats {
  /** By number of the kind, CPU, role, bug, warning, access. */
  readonly kinds = new Float64Array(256);
  readonly cpus = new Float64Array(256);
  readonly allocated = new Float64Array(32);
  readonly freed = new Float64Array(32);
  readonly bugs = new Float64Array(32);
  readonly warnings = new Float64Array(32);
  readonly faults = new Float64Array(32);
  /** Calls by the name of the operation. */
  readonly operations = new Map<string, number>();
  /** Calls by task, where the log names it. */
  readonly tasks = new Map<string, number>();
  readonly stores: EntryStores;
  /** Operations over time, where the log has times. */
  times: TimeHistogram | undefined;
  lostExchanges = 0;
  events = 0;
  readonly #operations = new LoggedOperations();

  /** @param perLeaf entries of a leaf, a power of two */
  constructor(perLeaf: number) {
    this.stores = new EntryStores(perLeaf);
  }

  /** Counts all rows of the batch. */
  take(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i]!;
      const operation = this.#operations.note(batch, i, this.events + i);
      this.kinds[kind]!++;
      this.cpus[batch.cpu[i]!]!++;
      if (kind === SET_ENTRY) this.stores.count(batch.a[i]!);
      else if (kind === CALL) {
        add(this.operations, operationName(operation));
        if (operation?.task !== undefined) add(this.tasks, taskText(operation.task));
      } else if (kind === ORIGIN) this.#time(batch, i);
      else this.#rare(kind, batch, i);
    }
    this.events += batch.length;
  }

  #time(batch: EventBatch, i: number): void {
    const clock = batch.a[i]!;
    if (clock === Clock.none) return;
    const time = originTime(batch, i);
    this.times ??= new TimeHistogram(clock, time);
    if (clock === this.times.clock) this.times.count(time);
  }

  #rare(kind: number, batch: EventBatch, i: number): void {
    const a = batch.a[i]!;
    if (kind === ALLOC_PAGE) this.allocated[batch.b[i]!]!++;
    else if (kind === FREE_PAGE) this.freed[batch.b[i]!]!++;
    else if (kind === BUG) this.bugs[a]!++;
    else if (kind === WARN) this.warnings[a]!++;
    else if (kind === FAULT) this.faults[a]!++;
    else if (EXCHANGES.includes(kind)) {
      const isLost = kind === SET_MID ? batch.c[i] !== batch.d[i] : batch.b[i] !== batch.c[i];
      if (isLost) this.lostExchanges++;
    }
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
