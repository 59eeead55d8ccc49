import { KINDS, type EventBatch, type StoredLog } from '../../events/index.js';
import type { LogFacts } from '../audit/index/log_facts.js';
import { LogRows } from './log_rows.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;
/** By kind: events that say what is in the middle. */
const TELLS = new Uint8Array(256);
for (const kind of [CALL, RETURN, TASK, ORIGIN]) TELLS[kind] = 1;

/** What a log says of an operation, as numbers of the events that say it; undefined where it does not. */
export interface OpenCall {
  readonly op: number;
  readonly cpu: number;
  readonly call: number | undefined;
  readonly origin: number | undefined;
  readonly task: number | undefined;
}

/** The operations in the middle at a moment by their number, and the `task` event that counts on each CPU. */
interface OpenState {
  readonly calls: Map<number, OpenCall>;
  readonly tasks: Map<number, number>;
}

const NOTHING: OpenState = { calls: new Map(), tasks: new Map() };

/**
 * The operations in the middle at any moment of a log. What is open where a block begins is kept as far as somebody has
 * asked, so that the next question reads one block.
 */
export class OpenCalls {
  readonly #log: StoredLog;
  readonly #rows: LogRows;
  readonly #facts: LogFacts | undefined;
  /** By block: as it begins. Blocks that change nothing share one. */
  readonly #atBlocks = new Map<number, OpenState>([[0, NOTHING]]);

  /** @param facts what an index of the log knows of its blocks: the others are gone through */
  constructor(log: StoredLog, facts?: LogFacts) {
    this.#log = log;
    this.#rows = new LogRows(log);
    this.#facts = facts;
  }

  /** The operations in the middle at the moment, in the order in which they began. */
  at(moment: number): OpenCall[] {
    return [...this.#stateAt(moment).calls.values()];
  }

  /** The operation that event `seq` belongs to; undefined where it belongs to none, or where the log has no call of it. */
  of(seq: number): OpenCall | undefined {
    const row = this.#rows.to(seq);
    const { kind, op } = this.#rows.batch;
    const number = op[row]!;
    // Its return still belongs to it; its origin and its call already do.
    return this.#stateAt(kind[row] === RETURN ? seq : seq + 1).calls.get(number);
  }

  #stateAt(moment: number): OpenState {
    if (this.#log.events === 0) return NOTHING;
    const block = this.#log.blockOf(Math.min(moment, this.#log.events - 1));
    return this.#fold(this.#before(block), this.#log.seqOf(block), moment);
  }

  /** As the block begins. */
  #before(block: number): OpenState {
    let known = block;
    while (!this.#atBlocks.has(known) && known > (this.#facts?.blocks ?? 0)) known--;
    if (!this.#atBlocks.has(known)) this.#atBlocks.set(known, this.#told(known));
    let state = this.#atBlocks.get(known)!;
    for (; known < block; known++) {
      state = this.#fold(state, this.#log.seqOf(known), this.#log.seqOf(known + 1));
      this.#atBlocks.set(known + 1, state);
    }
    return state;
  }

  /** As a block begins that the index knows of. */
  #told(block: number): OpenState {
    const state: OpenState = { calls: new Map(), tasks: new Map() };
    this.#facts!.tellBefore(block, (batch, i, seq) => {
      if (TELLS[batch.kind[i]!] === 1) note(state, batch, i, seq);
    });
    return state;
  }

  /** `state` after events [from, to) of one block, which may be the same object. */
  #fold(state: OpenState, from: number, to: number): OpenState {
    if (from >= to) return state;
    const row = this.#rows.to(from);
    const { batch } = this.#rows;
    let after: OpenState | undefined;
    for (let i = row; i < row + to - from; i++) {
      const kind = batch.kind[i]!;
      if (TELLS[kind] !== 1) continue;
      after ??= { calls: new Map(state.calls), tasks: new Map(state.tasks) };
      note(after, batch, i, from - row + i);
    }
    return after ?? state;
  }
}

function note({ calls, tasks }: OpenState, batch: EventBatch, i: number, seq: number): void {
  const op = batch.op[i]!;
  const cpu = batch.cpu[i]!;
  switch (batch.kind[i]) {
    case TASK:
      tasks.set(cpu, seq);
      return;
    case ORIGIN:
      calls.set(op, { op, cpu, call: undefined, origin: seq, task: tasks.get(cpu) });
      return;
    case CALL:
      calls.set(op, { op, cpu, call: seq, origin: calls.get(op)?.origin, task: tasks.get(cpu) });
      return;
    default:
      calls.delete(op);
  }
}
