import { viewEvent, type EventBatch, type P2mEvent, type StoredLog } from '../../events/index.js';

/** Where two logs part: the events there, `undefined` of a log that has ended. */
export interface FirstDifference {
  readonly seq: number;
  readonly a: P2mEvent | undefined;
  readonly b: P2mEvent | undefined;
}

/**
 * The first event at which two logs differ, words compared by value; undefined where none does. The number of an operation
 * is what the log calls it: it has to be the same operation, and not the same number.
 */
export function firstDifference(a: StoredLog, b: StoredLog): FirstDifference | undefined {
  const ops = new Map<number, number>();
  const taken = new Set<number>();
  const count = Math.min(a.events, b.events);
  const [readA, readB] = [new Rows(a), new Rows(b)];
  for (let seq = 0; seq < count; seq++) {
    const [eventA, eventB] = [readA.at(seq), readB.at(seq)];
    if (!ops.has(eventA.op) && !taken.has(eventB.op)) {
      ops.set(eventA.op, eventB.op);
      taken.add(eventB.op);
    }
    const isSame =
      ops.get(eventA.op) === eventB.op && JSON.stringify({ ...eventA, op: 0 }) === JSON.stringify({ ...eventB, op: 0 });
    if (!isSame) return { seq, a: eventA, b: eventB };
  }
  if (a.events === b.events) return undefined;
  return {
    seq: count,
    a: count < a.events ? readA.at(count) : undefined,
    b: count < b.events ? readB.at(count) : undefined,
  };
}

/** The events of a log, one after the other. */
class Rows {
  readonly #log: StoredLog;
  #batch: EventBatch | undefined;
  #start = 0;
  #end = 0;

  constructor(log: StoredLog) {
    this.#log = log;
  }

  at(seq: number): P2mEvent {
    if (this.#batch === undefined || seq >= this.#end) {
      const block = this.#log.blockOf(seq);
      this.#batch = this.#log.read(block);
      this.#start = this.#log.seqOf(block);
      this.#end = this.#log.seqOf(block + 1);
    }
    return viewEvent(this.#batch, seq - this.#start, this.#log.codec, seq);
  }
}
