import { KINDS, type EventBatch, type StoredLog } from '../../events/index.js';
import { LogRows } from './log_rows.js';

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;
const ORIGIN = KINDS.origin.id;

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

/**
 * The operations in the middle at any moment of a log. What is open where a block begins is kept as far as somebody has
 * asked, so that the next question reads one block.
 */
export class OpenCalls {
  readonly #log: StoredLog;
  readonly #rows: LogRows;
  /** By block: as it begins. Blocks that change nothing share one. */
  readonly #atBlocks: OpenState[] = [{ calls: new Map(), tasks: new Map() }];

  constructor(log: StoredLog) {
    this.#log = log;
    this.#rows = new LogRows(log);
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
    if (this.#log.events === 0) return this.#atBlocks[0]!;
    const block = this.#log.blockOf(Math.min(moment, this.#log.events - 1));
    for (let known = this.#atBlocks.length; known <= block; known++) this.#atBlocks.push(this.#after(known - 1));
    return this.#fold(this.#atBlocks[block]!, this.#log.seqOf(block), moment);
  }

  #after(block: number): OpenState {
    return this.#fold(this.#atBlocks[block]!, this.#log.seqOf(block), this.#log.seqOf(block + 1));
  }

  /** `state` after events [from, to) of one block, which may be the same object. */
  #fold(state: OpenState, from: number, to: number): OpenState {
    if (from >= to) return state;
    const row = this.#rows.to(from);
    const { batch } = this.#rows;
    let after: OpenState | undefined;
    for (let i = row; i < row + to - from; i++) {
      const kind = batch.kind[i]!;
      if (kind !== CALL && kind !== RETURN && kind !== TASK && kind !== ORIGIN) continue;
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
