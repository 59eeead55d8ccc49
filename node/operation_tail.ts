import { KINDS, OPERATIONS, viewEvent, type EntryCodec, type EventBatch } from '../events/index.js';

/** An operation that was in the middle when its writer ended: the log has its call, and no return. */
export interface LostOperation {
  readonly cpu: number;
  /** Its number in the log. */
  readonly op: number;
  /** Its kernel name. */
  readonly operation: string;
  readonly pfn: number;
  /** Number of the event that began it. */
  readonly seq: number;
  /** Whether its CPU holds the modelled p2m_update_lock: in a kernel all others would wait for ever. */
  readonly holdsLock: boolean;
}

const CALL = KINDS.call.id;
const RETURN = KINDS.return.id;
const TASK = KINDS.task.id;

/** Follows a log, and knows at its end which operations have not returned, and what the log says last of each CPU. */
export class OperationTail {
  readonly #codec: EntryCodec;
  readonly #open = new Map<number, Omit<LostOperation, 'holdsLock'>>();
  readonly #taskCpus = new Set<number>();
  #lastOp = 0;

  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  /** The highest number of an operation. */
  get lastOp(): number {
    return this.#lastOp;
  }

  /** CPUs whose next operation would be taken for that of the last task there. */
  get taskCpus(): readonly number[] {
    return [...this.#taskCpus];
  }

  /** Reads all rows; row 0 is event `seq`. */
  read(batch: EventBatch, seq: number): void {
    const { kind, op, cpu, a } = batch;
    for (let i = 0; i < batch.length; i++) {
      if (kind[i] === CALL) {
        const event = viewEvent(batch, i, this.#codec, seq + i);
        const pfn = 'pfn' in event ? event.pfn : 0;
        this.#lastOp = Math.max(this.#lastOp, op[i]!);
        this.#open.set(op[i]!, { cpu: cpu[i]!, op: op[i]!, operation: OPERATIONS[a[i]!]!, pfn, seq: seq + i });
      } else if (kind[i] === RETURN) this.#open.delete(op[i]!);
      else if (kind[i] === TASK) this.#taskCpus.add(cpu[i]!);
    }
  }

  /** Operations that have not returned, in the order of their calls. @param lockWord p2m_update_lock: its CPU and one, or 0 */
  lost(lockWord: number): readonly LostOperation[] {
    return [...this.#open.values()].map((operation) => ({ ...operation, holdsLock: operation.cpu === lockWord - 1 }));
  }
}
