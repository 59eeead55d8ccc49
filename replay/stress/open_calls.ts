import { NAMES, Result, type EventBatch } from '../../events/index.js';
import { runsAlone } from '../audit/open_operations.js';

const NO_OP = 0;

/** An operation that was called and did not return, or ended in an assertion or a fault: it is in the middle for good. */
export interface CutOperation {
  readonly op: number;
  readonly cpu: number;
  /** Its kernel name. */
  readonly operation: string;
  readonly pfn: number;
  /** Number of the event that called it. */
  readonly call: number;
  /** How it ended: not at all, or in an assertion or a fault. */
  readonly end: 'none' | 'bug' | 'fault';
}

/** By number: the check is one for each event. */
const IS_BOOT = Uint8Array.from({ length: 256 }, (_, operation) => (runsAlone(operation) ? 1 : 0));

/** Whether an operation is of the boot: it runs alone. */
export function isBootOperation(operation: number): boolean {
  return IS_BOOT[operation] === 1;
}

/**
 * The operation in the hand of each CPU, told event by event, in columns by CPU: a thread of a round does one after the other.
 */
export class OpenCalls {
  /** By CPU: number of the operation in hand, 0 for none. */
  readonly op = new Int32Array(256);
  /** By CPU: which operation (`Operation`) it is, its pfn, its value, and the number of the event that called it. */
  readonly operation = new Uint8Array(256);
  readonly pfn = new Float64Array(256);
  readonly value = new Int32Array(256);
  readonly call = new Float64Array(256);
  /** Those that will not end. */
  readonly cut: CutOperation[] = [];
  /** Calls and returns so far, by operation; calls that the event list ended with are in `cut` once `finish` was asked. */
  readonly calls = new Float64Array(256);
  readonly returns = new Float64Array(256);
  /** Returns of an operation that was not in hand. */
  strayReturns = 0;

  /** Takes event `i` of the batch, which is event `seq` of the log, if it is a call. */
  called(batch: EventBatch, i: number, seq: number): void {
    const cpu = batch.cpu[i]!;
    if (this.op[cpu] !== NO_OP) this.#cut(cpu, 'none');
    const operation = batch.a[i]!;
    this.op[cpu] = batch.op[i]!;
    this.operation[cpu] = operation;
    this.pfn[cpu] = batch.c[i]! * 2 ** 32 + (batch.b[i]! >>> 0);
    this.value[cpu] = batch.d[i]!;
    this.call[cpu] = seq;
    this.calls[operation]!++;
  }

  /** Takes event `i`, a return. */
  returned(batch: EventBatch, i: number): void {
    const cpu = batch.cpu[i]!;
    if (this.op[cpu] === NO_OP || this.op[cpu] !== batch.op[i]) {
      this.strayReturns++;
      return;
    }
    const result = batch.b[i];
    this.returns[this.operation[cpu]!]!++;
    if (result === Result.bug || result === Result.fault) this.#cut(cpu, result === Result.bug ? 'bug' : 'fault');
    this.op[cpu] = NO_OP;
  }

  /** No more events: what is in hand is cut. */
  finish(): void {
    for (let cpu = 0; cpu < this.op.length; cpu++) {
      if (this.op[cpu] !== NO_OP) this.#cut(cpu, 'none');
      this.op[cpu] = NO_OP;
    }
  }

  #cut(cpu: number, end: CutOperation['end']): void {
    const operation = NAMES.operation[this.operation[cpu]!] ?? 'unknown';
    this.cut.push({ op: this.op[cpu]!, cpu, operation, pfn: this.pfn[cpu]!, call: this.call[cpu]!, end });
  }
}
