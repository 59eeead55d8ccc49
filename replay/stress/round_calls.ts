import { INVALID, KINDS, OPERATIONS, type EntryCodec, type EventBatch, type StoredLog } from '../../events/index.js';
import type { ScenarioOperation } from '../scenario/scenario.js';
import { KIND_OF } from '../window/window_calls.js';
import { isBootOperation, OpenCalls } from './open_calls.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const SET_ENTRY = KINDS.set_entry.id;

/** An operation of a round, as a scenario can have it. */
export interface RoundCall {
  readonly op: number;
  readonly cpu: number;
  /** Numbers of the events of its call and its return; `Infinity` where it never returned. */
  readonly call: number;
  readonly end: number;
  /** What it does; the balloon's and grants' as sets of the pfns that they stored. */
  readonly operations: readonly ScenarioOperation[];
}

/** Half-open, numbers of events. */
export interface CallWindow {
  readonly start: number;
  readonly end: number;
}

/** From the first call of these operations to behind the last return, or the end of the log; undefined where the log has none. */
export function windowOf(log: StoredLog, operations: readonly number[]): CallWindow | undefined {
  const wanted = new Set(operations);
  let start = Infinity;
  let end = 0;
  const open = new Set<number>();
  eachRow(log, 0, log.events, (batch, i, seq) => {
    const kind = batch.kind[i];
    const op = batch.op[i]!;
    if ((kind !== CALL && kind !== RETURN) || !wanted.has(op)) return;
    if (kind === CALL) {
      start = Math.min(start, seq);
      open.add(op);
    } else {
      open.delete(op);
      end = seq + 1;
    }
  });
  if (start === Infinity) return undefined;
  return { start, end: open.size > 0 ? log.events : end };
}

/** The operations of threads that were in hand at some moment of the window, as they were called. */
export function callsIn(log: StoredLog, { start, end }: CallWindow): RoundCall[] {
  const gatherer = new CallGatherer(log.codec, start);
  // What is in hand at the end of the window goes on behind it, and its return is looked for.
  eachRow(
    log,
    0,
    log.events,
    (batch, i, seq) => gatherer.take(batch, i, seq),
    () => gatherer.isDone(end),
  );
  return gatherer.finish().filter(({ call }) => call < end);
}

class CallGatherer {
  readonly #codec: EntryCodec;
  readonly #start: number;
  readonly #open = new OpenCalls();
  readonly #calls: RoundCall[] = [];
  /** By CPU: pfns and words that an operation of several pfns has stored. */
  readonly #stores: number[][] = Array.from({ length: 256 }, () => []);
  #seq = 0;

  constructor(codec: EntryCodec, start: number) {
    this.#codec = codec;
    this.#start = start;
  }

  take(batch: EventBatch, i: number, seq: number): void {
    this.#seq = seq;
    const cpu = batch.cpu[i]!;
    switch (batch.kind[i]) {
      case CALL:
        if (this.#open.op[cpu] !== 0) this.#keep(cpu, Infinity);
        this.#open.called(batch, i, seq);
        this.#stores[cpu]!.length = 0;
        return;
      case RETURN:
        if (this.#open.op[cpu] !== 0 && seq >= this.#start) this.#keep(cpu, seq);
        this.#open.op[cpu] = 0;
        return;
      case SET_ENTRY:
        if (kindOf(this.#open.operation[cpu]!) === undefined) this.#stores[cpu]!.push(batch.a[i]!, batch.d[i]!);
        return;
      default:
    }
  }

  /** Whether nobody is in an operation any more that was called before `end`. */
  isDone(end: number): boolean {
    const { op, call } = this.#open;
    return this.#seq >= end && op.every((one, cpu) => one === 0 || call[cpu]! >= end);
  }

  finish(): RoundCall[] {
    this.#open.op.forEach((op, cpu) => {
      if (op !== 0) this.#keep(cpu, Infinity);
    });
    return this.#calls.sort((a, b) => a.call - b.call);
  }

  #keep(cpu: number, end: number): void {
    const { op, call, operation } = this.#open;
    if (isBootOperation(operation[cpu]!)) return;
    const operations = this.#operations(cpu);
    if (operations.length > 0) this.#calls.push({ op: op[cpu]!, cpu, call: call[cpu]!, end, operations });
  }

  #operations(cpu: number): ScenarioOperation[] {
    const { operation, pfn, value } = this.#open;
    const kind = kindOf(operation[cpu]!);
    if (kind === 'set' || kind === 'rawSet') return [[kind, pfn[cpu]!, this.#codec.format(value[cpu]!)]];
    if (kind !== undefined) return [[kind, pfn[cpu]!]];
    const stores = this.#stores[cpu]!;
    const sets: ScenarioOperation[] = [];
    for (let i = 0; i < stores.length; i += 2) {
      const word = stores[i + 1]!;
      sets.push([word === INVALID ? 'rawSet' : 'set', stores[i]!, this.#codec.format(word)]);
    }
    return sets;
  }
}

function kindOf(operation: number): ScenarioOperation[0] | undefined {
  return KIND_OF[OPERATIONS[operation]!];
}

/** Goes through the events [start, end), block by block, until `isDone` says after a block that it is enough. */
function eachRow(
  log: StoredLog,
  start: number,
  end: number,
  take: (batch: EventBatch, i: number, seq: number) => void,
  isDone: () => boolean = () => false,
): void {
  if (start >= end) return;
  for (let block = log.blockOf(start); block < log.blocks && log.seqOf(block) < end; block++) {
    const batch = log.read(block);
    const first = log.seqOf(block);
    for (let i = Math.max(start - first, 0); i < batch.length && first + i < end; i++) take(batch, i, first + i);
    if (isDone()) return;
  }
}
