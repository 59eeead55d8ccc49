import { KINDS, type EventBatch, type StoredLog } from '../../../events/index.js';
import { isTimedOrigin, originTime, type LogClock } from '../moment.js';
import { grantedPage } from '../page_roles.js';
import { WordList } from '../snapshots/word_list.js';
import { IndexFileKind, writeIndexFile, type IndexFileFacts, type OpenedIndexFile } from './index_file.js';
import type { IndexStore } from './index_store.js';
import { MASK_WORDS, NameMask } from './name_mask.js';
import { StandingEvents, type BlockContent } from './standing_events.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
/** Three masks, then a time. */
const BLOCK_WORDS = 3 * MASK_WORDS + 2;
const TIME_AT = 3 * MASK_WORDS;
/** Events that a list of standing events is kept for, for each event in it. */
const EVENTS_PER_STANDING = 32;
const NO_CLOCK = 0;
const TWO_32 = 2 ** 32;

/**
 * What is known of each block of a stretch of the log. Blocks count from the first one of the stretch; numbers that may need
 * more than 31 bits are two words.
 *
 *     blocks    BLOCK_WORDS each: kinds, operations, names of tasks; the earliest time in it
 *     times     2 each, and of the end: the time that the event before counts to
 *     lists     blocks where standing events are known, ascending; the end is one
 *     starts    where each list begins, and where the last one ends
 *     standing  numbers of events, 2 each
 *     grants    pages given out: block, page, role
 *     clock     clock + 1, 0 none; the first time 2; its event 2
 */
export interface BlockFacts {
  readonly blocks: Int32Array;
  readonly times: Int32Array;
  readonly lists: Int32Array;
  readonly starts: Int32Array;
  readonly standing: Int32Array;
  readonly grants: Int32Array;
  readonly clock: Int32Array;
}

/** The name of the file of stretch `index`. */
export function factsFileName(index: number): string {
  return `blocks-${String(index).padStart(8, '0')}.p2mindex`;
}

/** Writes the facts of a stretch. @throws what the store throws */
export function writeFacts(
  store: IndexStore,
  log: StoredLog,
  index: number,
  stretch: Omit<IndexFileFacts, 'kind' | 'lengths'>,
  facts: BlockFacts,
): void {
  const { blocks, times, lists, starts, standing, grants, clock } = facts;
  const lengths = [times.length / 2 - 1, lists.length, standing.length / 2, grants.length / 3];
  const words = [blocks, times, lists, starts, standing, grants, clock];
  writeIndexFile(store, factsFileName(index), log, { ...stretch, kind: IndexFileKind.blocks, lengths }, words);
}

/** The facts in a file; undefined where its lengths do not add up. */
export function factsOf({ words, lengths }: OpenedIndexFile): BlockFacts | undefined {
  const [blocks = 0, lists = 0, standing = 0, grants = 0] = lengths;
  let at = 0;
  const take = (count: number): Int32Array => words.subarray(at, (at += count));
  const facts = {
    blocks: take(blocks * BLOCK_WORDS),
    times: take(2 * blocks + 2),
    lists: take(lists),
    starts: take(lists + 1),
    standing: take(2 * standing),
    grants: take(3 * grants),
    clock: take(5),
  };
  return at === words.length ? facts : undefined;
}

/** Collects the facts of a stretch. */
export class BlockFactsBuilder {
  readonly #blocks = new WordList();
  readonly #times = new WordList();
  readonly #lists = new WordList();
  readonly #starts = new WordList();
  readonly #standing = new WordList();
  readonly #grants = new WordList();
  #clock = new Int32Array(5);
  #count = 0;
  #lastList = 0;
  readonly #events: StandingEvents;

  /** @param events as they stand where the stretch begins */
  constructor(events = new StandingEvents()) {
    this.#events = events;
  }

  /** Goes on with the facts of the blocks before; what stands at their end is told from `log`. */
  static from(facts: BlockFacts, log: StoredLog): BlockFactsBuilder {
    const clock = clockOf(facts);
    const builder = new BlockFactsBuilder(new StandingEvents(clock?.clock));
    for (const seq of standingAt(facts, facts.lists.length - 1)) {
      const block = log.blockOf(seq);
      builder.#events.note(log.read(block), seq - log.seqOf(block), seq);
    }
    builder.#events.time = timeBefore(facts, facts.times.length / 2 - 1);
    builder.#go(facts);
    return builder;
  }

  /** The next stretch: its facts begin where those so far end. */
  next(): BlockFactsBuilder {
    const next = new BlockFactsBuilder(this.#events);
    next.#clock = this.#clock;
    return next;
  }

  /** Takes note of the next block, the first event of which is event `seq`. */
  note(batch: EventBatch, seq: number): void {
    this.#mark(seq);
    const { kinds, operations, tasks, leastTime } = this.#events.block(batch, seq);
    for (const { words } of [kinds, operations, tasks]) this.#blocks.append(words);
    this.#blocks.append(timeWords(leastTime));
    if (kinds.mayHave(ALLOC_PAGE) || kinds.mayHave(POPULATE_PMD)) this.#note(batch);
    if (this.#clock[0] === NO_CLOCK && this.#events.clock !== undefined) this.#noteClock(batch, seq);
    this.#count++;
  }

  facts(): BlockFacts {
    const standing = this.#events.seqs();
    const end = this.#standing.length / 2;
    return {
      blocks: this.#blocks.words.slice(),
      times: Int32Array.from([...this.#times.words, ...timeWords(this.#events.time)]),
      lists: Int32Array.from([...this.#lists.words, this.#count]),
      starts: Int32Array.from([...this.#starts.words, end, end + standing.length]),
      standing: Int32Array.from([...this.#standing.words, ...standing.flatMap(halves)]),
      grants: this.#grants.words.slice(),
      clock: this.#clock.slice(),
    };
  }

  /** What stands before the next block, and the time: kept where it is not too much. */
  #mark(seq: number): void {
    this.#times.append(timeWords(this.#events.time));
    const standing = this.#events.seqs();
    if (this.#count > 0 && seq - this.#lastList < EVENTS_PER_STANDING * standing.length) return;
    this.#lastList = seq;
    this.#lists.push(this.#count);
    this.#starts.push(this.#standing.length / 2);
    for (const each of standing) this.#standing.append(Int32Array.from(halves(each)));
  }

  #note(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const granted = grantedPage(batch, i);
      if (granted !== undefined) this.#grants.append(Int32Array.of(this.#count, granted.page, granted.role));
    }
  }

  #noteClock(batch: EventBatch, seq: number): void {
    for (let i = 0; i < batch.length; i++) {
      if (!isTimedOrigin(batch, i)) continue;
      this.#clock.set([batch.a[i]! + 1, ...halves(originTime(batch, i)), ...halves(seq + i)]);
      return;
    }
  }

  #go({ blocks, times, lists, starts, standing, grants, clock }: BlockFacts): void {
    this.#count = times.length / 2 - 1;
    this.#blocks.append(blocks);
    this.#times.append(times.subarray(0, -2));
    this.#lists.append(lists.subarray(0, -1));
    this.#starts.append(starts.subarray(0, -2));
    this.#standing.append(standing.subarray(0, 2 * starts[starts.length - 2]!));
    this.#grants.append(grants);
    this.#clock = clock.slice();
  }
}

/** The clock that the facts know; undefined: no event so far has a time. */
export function clockOf({ clock }: BlockFacts): LogClock | undefined {
  if (clock[0] === NO_CLOCK) return undefined;
  return { clock: clock[0]! - 1, first: whole(clock, 1), seq: whole(clock, 3) };
}

/** Numbers of the events of list `index`, ascending. */
export function standingAt({ standing, starts }: BlockFacts, index: number): number[] {
  const seqs: number[] = [];
  for (let i = starts[index]!; i < starts[index + 1]!; i++) seqs.push(whole(standing, 2 * i));
  return seqs;
}

/** The time that the events before block `block` leave; of the block behind the last one, all leave. */
export function timeBefore({ times }: BlockFacts, block: number): number {
  return timeAt(times, 2 * block);
}

/** The earliest time that an event of the block counts to. */
export function leastTime({ blocks }: BlockFacts, block: number): number {
  return timeAt(blocks, block * BLOCK_WORDS + TIME_AT);
}

/** What is in the block: kinds of events, operations, names of tasks. */
export function masksOf({ blocks }: BlockFacts, block: number): Omit<BlockContent, 'leastTime'> {
  const mask = (index: number): NameMask => {
    const at = block * BLOCK_WORDS + index * MASK_WORDS;
    return new NameMask(blocks.subarray(at, at + MASK_WORDS));
  };
  return { kinds: mask(0), operations: mask(1), tasks: mask(2) };
}

function timeAt(words: Int32Array, at: number): number {
  return new Float64Array(words.slice(at, at + 2).buffer)[0]!;
}

function timeWords(time: number): Int32Array {
  return new Int32Array(Float64Array.of(time).buffer);
}

function halves(value: number): [lower: number, upper: number] {
  return [value | 0, Math.floor(value / TWO_32)];
}

function whole(words: Int32Array, at: number): number {
  return words[at + 1]! * TWO_32 + (words[at]! >>> 0);
}
