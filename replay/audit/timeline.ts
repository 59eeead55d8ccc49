import type { EventBatch, StoredLog } from '../../events/index.js';
import type { Form, Memory } from '../../src/index.js';
import { GuardedMemory, type MemoryKind } from '../events/guarded_memory.js';
import type { LogIndex } from './index/log_index.js';

/**
 * A log, and its memory at one moment of it. A moment is a number of events: at moment n those before event n have
 * happened; moment 0 is the empty memory, the last one is `log.events`. Both ways cost the same an event; with an index, no
 * way is longer than to the next snapshot and from there.
 */
export class Timeline {
  readonly log: StoredLog;
  readonly form: Form;
  /** As it was at the moment `at`. Whoever changes it breaks the timeline. */
  readonly memory: Memory;
  readonly #guarded: GuardedMemory;
  readonly #index: LogIndex | undefined;
  #at = 0;
  /** The furthest moment since a snapshot was taken. */
  #reached = 0;
  /** The block in hand; its first event and the one behind its last. */
  #batch: EventBatch | undefined;
  #start = 0;
  #end = 0;

  /**
   * @param index of the same log, as far as it is built; the flat memory has no use for it
   * @throws {P2mError} no memory can be built by the log's header
   */
  constructor(log: StoredLog, kind?: MemoryKind, index?: LogIndex) {
    this.log = log;
    this.#index = kind === 'flat' ? undefined : index;
    this.#guarded = new GuardedMemory(log.header, log.codec, log.name, kind);
    this.form = this.#guarded.form;
    this.memory = this.#guarded.memory;
  }

  /** The moment: how many events have happened. */
  get at(): number {
    return this.#at;
  }

  /**
   * Goes to the moment, forwards or backwards. 0 <= moment <= log.events.
   * @throws {P2mError} code `bad-input`: an event on the way does not fit the memory; the timeline stands before it
   */
  goTo(moment: number): void {
    this.#approach(moment);
    this.#step(moment);
  }

  #step(moment: number): void {
    while (this.#at < moment) this.#forward(moment);
    while (this.#at > moment) this.#back(moment);
  }

  /** To a snapshot near the moment, where that is quicker. */
  #approach(moment: number): void {
    const snapshots = this.#index?.snapshots;
    if (snapshots === undefined) return;
    this.#reached = Math.max(this.#reached, this.#at);
    // What was touched behind the last snapshot is not known to any: it is taken back.
    if (this.#at > snapshots.last && moment < snapshots.last) this.#step(snapshots.last);
    const place = { at: this.#at, reached: this.#reached };
    ({ at: this.#at, reached: this.#reached } = snapshots.approach(this.#guarded, place, moment));
  }

  /** Forward to `moment`, or the end of the block. */
  #forward(moment: number): void {
    const batch = this.#batchOf(this.#at);
    const end = Math.min(moment, this.#end);
    try {
      this.#guarded.apply(batch, this.#at - this.#start, end - this.#start, this.#start);
    } catch (error) {
      this.#at = this.#start + this.#guarded.row;
      throw error;
    }
    this.#at = end;
  }

  /** Back to `moment`, or the beginning of the block. */
  #back(moment: number): void {
    const batch = this.#batchOf(this.#at - 1);
    const start = Math.max(moment, this.#start);
    this.#guarded.undo(batch, start - this.#start, this.#at - this.#start);
    this.#at = start;
  }

  /** The block of event `seq`, in hand now. */
  #batchOf(seq: number): EventBatch {
    if (this.#batch === undefined || seq < this.#start || seq >= this.#end) {
      const block = this.log.blockOf(seq);
      this.#batch = this.log.read(block);
      this.#start = this.log.seqOf(block);
      this.#end = this.log.seqOf(block + 1);
    }
    return this.#batch;
  }
}
