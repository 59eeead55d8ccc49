import { lastAtMost, type EventBatch, type StoredLog } from '../../../events/index.js';
import type { LogClock } from '../moment.js';
import type { GrantedPage } from '../page_roles.js';
import { clockOf, leastTime, masksOf, standingAt, timeBefore, type BlockFacts } from './block_facts.js';
import type { BlockContent } from './standing_events.js';

/** Told of an event, and its number in the log. */
export type EventNote = (batch: EventBatch, i: number, seq: number) => void;

/** The facts of a stretch of the log, which begins with a block of that number. */
interface FactsStretch {
  readonly block: number;
  readonly facts: BlockFacts;
}

/**
 * What the index of a log knows of its blocks, the first `blocks` of them: who looks for something leaves out those that do
 * not have it, and knows where it goes on what it would know had it read them.
 */
export class LogFacts {
  /** Blocks that it knows of. */
  readonly blocks: number;
  readonly #log: StoredLog;
  readonly #stretches: readonly FactsStretch[];
  readonly #starts: readonly number[];

  /** @param stretches without gaps, from the first block on */
  constructor(log: StoredLog, stretches: readonly FactsStretch[], blocks: number) {
    this.#log = log;
    this.#stretches = stretches;
    this.#starts = stretches.map(({ block }) => block);
    this.blocks = blocks;
  }

  /** The clock of the times, and the first time; undefined where none of the blocks has one. */
  get clock(): LogClock | undefined {
    const last = this.#stretches.at(-1);
    return last === undefined ? undefined : clockOf(last.facts);
  }

  /** What is in a block, at most: it may say more than there is. */
  content(block: number): Omit<BlockContent, 'leastTime'> {
    const { facts, block: start } = this.#of(block);
    return masksOf(facts, block - start);
  }

  /** The earliest time that an event of the block counts to. */
  leastTime(block: number): number {
    const { facts, block: start } = this.#of(block);
    return leastTime(facts, block - start);
  }

  /**
   * Tells `note` of those events before `block`, in their order, that make it know of the operations in the middle what it would
   * know had it been told of all: first some that stand alone; then, once `begin` has heard to which time the last event before
   * the rest counts, the rest. 0 <= block <= blocks.
   */
  tellBefore(block: number, note: EventNote, begin?: (time: number) => void): void {
    if (block === 0) return;
    // At the end of a stretch all is known: of the next one there may be nothing yet.
    const { facts, block: start } = this.#of(Math.min(block, this.blocks - 1));
    const list = lastAtMost(facts.lists, facts.lists.length, block - start);
    for (const seq of standingAt(facts, list)) {
      const at = this.#log.blockOf(seq);
      note(this.#log.read(at), seq - this.#log.seqOf(at), seq);
    }
    const from = start + facts.lists[list]!;
    begin?.(timeBefore(facts, from - start));
    for (let each = from; each < block; each++) {
      const batch = this.#log.read(each);
      const first = this.#log.seqOf(each);
      for (let i = 0; i < batch.length; i++) note(batch, i, first + i);
    }
  }

  /** Pages that the blocks [start, end) give out. */
  *grants(start: number, end: number): Generator<GrantedPage> {
    for (const { block, facts } of this.#stretches) {
      const { grants } = facts;
      for (let i = firstGrant(grants, start - block); i < grants.length && block + grants[i]! < end; i += 3) {
        yield { page: grants[i + 1]!, role: grants[i + 2]! };
      }
    }
  }

  #of(block: number): FactsStretch {
    return this.#stretches[lastAtMost(this.#starts, this.#starts.length, block)]!;
  }
}

/** Where the first page stands that a block from `block` on gives out. */
function firstGrant(grants: Int32Array, block: number): number {
  let low = 0;
  let high = grants.length / 3;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (grants[3 * middle]! < block) low = middle + 1;
    else high = middle;
  }
  return 3 * low;
}
