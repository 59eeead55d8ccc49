import type { EventBatch } from '../../events/index.js';
import { KINDS } from '../../events/index.js';
import type { LogHistory } from '../works/log_history.js';

/** A way to keep events on disk. Each step gets a process and a module of its own. */
export interface LogContestant {
  /** Begins to keep the events of the history in `folder`, which is empty. */
  open(folder: string, history: LogHistory, sync: boolean): Appender | Promise<Appender>;
  /** Reads all that is kept there, every column. */
  scan(folder: string, seen: Seen): void | Promise<void>;
  /** Checks that nothing was changed; gives the number of events. */
  verify?(folder: string): number;
  /** Makes ready for questions of pfns. */
  ask?(folder: string): Questions | Promise<Questions>;
  /** Crashes in the middle of a write, as if; gives what opens the log for appending again, and says how many events it has. */
  crash?(folder: string, history: LogHistory): () => Promise<number>;
}

/** Where events go to. */
export interface Appender {
  /** Row 0 is event `seq`. With `sync`, all of them are on disk when it is done. */
  append(batch: EventBatch, seq: number): void | Promise<void>;
  /** Hands what is held back to the system. */
  flush(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** What is asked of the log. */
export interface Questions {
  /** The event that set the entry of the pfn last. */
  setBy(pfn: number): number | Promise<number>;
  /** All that set it; of those before the history's sets without order some contestants know nothing. */
  eventsOf(pfn: number): readonly number[] | Promise<readonly number[]>;
  /** The list as it was before event `moment`. */
  stateAt?(moment: number): void;
  close(): void;
}

/** What a scan has seen: how many events, and a checksum over number, pfn and new word of those that set an entry. */
export class Seen {
  count = 0;
  check = 0;

  /** An event of any kind; its columns as in a batch. */
  event(seq: number, kind: number, a: number, d: number): void {
    this.count++;
    if (kind !== KINDS.set_entry.id) return;
    this.check = (Math.imul(this.check ^ seq, 0x9e3779b1) ^ Math.imul(a, 0x85ebca6b)) + d;
    this.check |= 0;
  }

  /** The events of a batch whose row 0 is event `seq`. */
  batch({ kind, a, d, length }: EventBatch, seq: number): void {
    for (let i = 0; i < length; i++) this.event(seq + i, kind[i]!, a[i]!, d[i]!);
  }
}
