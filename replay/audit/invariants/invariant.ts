import type { EventBatch, KindName } from '../../../events/index.js';
import type { Form, Memory } from '../../../src/index.js';
import type { ListTables } from '../../scenario/checks/list_tables.js';
import type { LinkCounts } from '../link_counts.js';
import type { OpenOperation, OpenOperations } from '../open_operations.js';
import type { PageWords } from '../page_words.js';

/** What an invariant looks at, as it is at the moment. Nobody changes it but the scan. */
export interface ListAtMoment {
  readonly memory: Memory;
  readonly form: Form;
  readonly tables: ListTables;
  readonly links: LinkCounts;
  readonly operations: OpenOperations;
  readonly words: PageWords;
}

/** An event that broke an invariant: after it the invariant does not hold, before it did. */
export interface Breach {
  readonly seq: number;
  /** What is wrong after it, in words. */
  readonly says: string;
}

/** An event that has just happened. */
export interface Happened {
  readonly batch: EventBatch;
  readonly row: number;
  readonly seq: number;
  /** The operation that it has ended. */
  readonly ended: OpenOperation | undefined;
}

/** Holds a log to one invariant. It is made of a list that stands, and told of what happens to it. */
export interface InvariantWatch {
  /** What is wrong with the list as it is now, at the beginning; undefined where nothing is. */
  begin(): string | undefined;
  /**
   * Whether to be told of row `i` of the batch, of the kinds asked for; by default yes. The memory may be some events
   * behind, but for the links of the list (LINK_KINDS): those are as they were right before.
   */
  before?(batch: EventBatch, i: number): boolean;
  /** It is about to happen: the memory is as it was right before. */
  look?(batch: EventBatch, i: number): void;
  /** It has happened. */
  after(event: Happened): Breach | undefined;
  /** Events that have broken it so far as long as nobody puts it right who is in the middle of an operation. */
  readonly undecided?: number;
}

/** An invariant of the list (known-defects.md, section 2). */
export interface Invariant {
  /** What is always so, in a line. */
  readonly holds: string;
  /** Kinds of events after which it can be broken; `return` is among them where operations in the middle may break it. */
  readonly kinds: readonly KindName[];
  watch(list: ListAtMoment): InvariantWatch;
}
