import { viewEvent, type EventBatch, type P2mEvent, type StoredLog } from '../../events/index.js';

/** Reads single events of a log, anywhere: keeps the block in hand. */
export class LogRows {
  readonly log: StoredLog;
  #batch: EventBatch | undefined;
  #start = 0;
  #end = 0;

  constructor(log: StoredLog) {
    this.log = log;
  }

  /** The block in hand. */
  get batch(): EventBatch {
    return this.#batch!;
  }

  /** Number of the first event of the block in hand. */
  get start(): number {
    return this.#start;
  }

  /** Number of the event behind the last one of the block in hand. */
  get end(): number {
    return this.#end;
  }

  /** Takes the block of event `seq` in hand. Returns the row of that event. 0 <= seq < log.events. */
  to(seq: number): number {
    if (this.#batch === undefined || seq < this.#start || seq >= this.#end) {
      const block = this.log.blockOf(seq);
      this.#batch = this.log.read(block);
      this.#start = this.log.seqOf(block);
      this.#end = this.log.seqOf(block + 1);
    }
    return seq - this.#start;
  }

  /** Event `seq` as an object. */
  event(seq: number): P2mEvent {
    const row = this.to(seq);
    return viewEvent(this.batch, row, this.log.codec, seq);
  }
}
