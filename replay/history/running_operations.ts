import { inputError, Operation } from '../../events/index.js';

const NONE = -1;
/** More than run at a time; those that are open beyond it never return. */
const RUNNING_MAX = 64;

/** An operation that has begun. */
export interface RunningOperation {
  op: number;
  operation: number;
  call: number;
  /** The access of a look-up or a set; -1 of others. */
  access: number;
  /** It has stored an entry: a set may then say false and have had its effect. */
  hasStored: boolean;
  /** Of other operations: the writes that it did so far. */
  writes: number[] | undefined;
  ranges: IdentityWrite[] | undefined;
}

/** Entries [pfnStart, pfnEnd) become identity. */
export interface IdentityWrite {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly call: number;
  /** Undefined where the operation has not returned. */
  end: number | undefined;
}

/**
 * The operations in the middle, by their numbers. A few run at a time, each on its CPU: a list is faster than a Map, whose
 * table is made anew every few insertions. Objects are used again.
 */
export class RunningOperations {
  readonly #running: RunningOperation[] = [];
  /** Some, where there are too many. */
  readonly #stuck = new Map<number, RunningOperation>();
  /** By CPU: the one that began last there, if it has not ended. */
  readonly #ofCpu: (RunningOperation | undefined)[] = new Array<undefined>(256).fill(undefined);
  readonly #free: RunningOperation[] = [];

  /** Those that have not ended. */
  *all(): Generator<RunningOperation, void, undefined> {
    yield* this.#stuck.values();
    yield* this.#running;
  }

  /** @throws {P2mError} code `bad-input`: it has not ended */
  begin(op: number, cpu: number, operation: number, call: number): RunningOperation {
    if (this.find(op, cpu) !== undefined) {
      throw inputError('an operation begins twice', {
        got: `operation ${op} in event ${call}`,
        expected: 'its return first',
      });
    }
    const open = this.#free.pop() ?? newOperation();
    open.op = op;
    open.operation = operation;
    open.call = call;
    open.access = NONE;
    open.hasStored = false;
    open.writes = undefined;
    open.ranges = undefined;
    this.#ofCpu[cpu] = open;
    if (this.#running.length === RUNNING_MAX) {
      // Whoever has been there for long: those that run come and go at the end.
      const oldest = this.#running.shift()!;
      this.#stuck.set(oldest.op, oldest);
    }
    this.#running.push(open);
    return open;
  }

  /** The operation of that number, most likely the last one of the CPU. */
  find(op: number, cpu: number): RunningOperation | undefined {
    const likely = this.#ofCpu[cpu];
    if (likely?.op === op) return likely;
    for (const open of this.#running) if (open.op === op) return open;
    return this.#stuck.size === 0 ? undefined : this.#stuck.get(op);
  }

  /** As `find`; it has ended. The object is used again for the next one that begins. */
  end(op: number, cpu: number): RunningOperation | undefined {
    const open = this.find(op, cpu);
    if (open === undefined) return undefined;
    if (this.#ofCpu[cpu] === open) this.#ofCpu[cpu] = undefined;
    const place = this.#running.indexOf(open);
    if (place < 0) this.#stuck.delete(op);
    else {
      // The last one takes its place: a splice would make an array of what it cuts.
      const last = this.#running.pop()!;
      if (last !== open) this.#running[place] = last;
    }
    open.op = NONE;
    this.#free.push(open);
    return open;
  }
}

function newOperation(): RunningOperation {
  return {
    op: 0,
    operation: Operation.none,
    call: 0,
    access: NONE,
    hasStored: false,
    writes: undefined,
    ranges: undefined,
  };
}
