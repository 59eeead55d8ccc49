import type { StoredLog } from '../../../events/index.js';
import { GuardedMemory } from '../../events/guarded_memory.js';
import { GRANULE_WORDS } from '../snapshots/granules.js';
import { saveSnapshot } from '../snapshots/snapshot.js';
import type { Snapshots } from '../snapshots/snapshots.js';
import { StepTaker } from '../snapshots/step_taker.js';
import { TouchedGranules } from '../snapshots/touched_granules.js';
import { BlockFactsBuilder, type BlockFacts } from './block_facts.js';
import { IndexPlayer } from './index_player.js';
import type { IndexStore } from './index_store.js';
import { PfnPostingLists, type PfnPostings } from './pfn_postings.js';

/** With its place in the list of granules and its checksum. */
const GRANULE_BYTES = GRANULE_WORDS * 4 + 8;

/** The first snapshot may take so much, however few events are before it. */
const FIRST_BYTES_MAX = 1 << 24;

/** What a builder works on. */
export interface IndexPlan {
  readonly log: StoredLog;
  readonly store: IndexStore;
  readonly snapshots: Snapshots;
  /** Fewest events between two snapshots. */
  readonly snapshotEvents: number;
  /** Snapshots take at most so many bytes an event. */
  readonly snapshotBytesPerEvent: number;
  /** Fewest events between two steps. */
  readonly stepEvents: number;
}

/** Plays a log on from the end of an index, a block at a time, and collects what the index is made of. */
export class IndexBuilder {
  readonly #plan: IndexPlan;
  readonly #guarded: GuardedMemory;
  readonly #touched: TouchedGranules;
  readonly #steps: StepTaker;
  readonly #player: IndexPlayer;
  #lists: PfnPostingLists;
  #facts: BlockFactsBuilder;
  /** Number of the first event of the stretch in hand. */
  #seqStart: number;
  #block: number;

  /**
   * @param block    the first that is not indexed
   * @param seqStart first event of the stretch that it goes on with
   * @param postings of the stretch up to the block; none: it begins there
   * @param facts    of its blocks; of all blocks of the stretch before, where it begins there; none: nothing is before
   * @throws {P2mError} as `GuardedMemory.apply`: an event before the block does not fit the memory
   */
  constructor(plan: IndexPlan, block: number, seqStart: number, postings?: PfnPostings, facts?: BlockFacts) {
    this.#plan = plan;
    const { log, snapshots } = plan;
    this.#guarded = new GuardedMemory(log.header, log.codec, log.name);
    this.#touched = new TouchedGranules(this.#guarded, snapshots.shape);
    this.#steps = new StepTaker(this.#touched, plan.stepEvents);
    const last = snapshots.moments.length - 1;
    const isRestored = last >= 0 && snapshots.restoreLast(this.#guarded);
    this.#player = new IndexPlayer(this.#guarded, this.#touched);
    const from = isRestored ? snapshots.last : 0;
    this.#block = from === 0 ? 0 : log.blockOf(from - 1) + 1;
    this.#clear();
    this.#seqStart = 0;
    this.#lists = new PfnPostingLists();
    while (this.#block < block) {
      this.#lists = new PfnPostingLists();
      this.#playBlock();
      if (this.seq <= snapshots.last) this.#clear();
    }
    this.#seqStart = seqStart;
    this.#lists = postings === undefined ? new PfnPostingLists() : PfnPostingLists.from(postings);
    this.#facts = facts === undefined ? new BlockFactsBuilder() : BlockFactsBuilder.from(facts, log);
    if (facts !== undefined && postings === undefined) this.#facts = this.#facts.next();
  }

  /** Events played. */
  get seq(): number {
    return this.#plan.log.seqOf(this.#block);
  }

  /** Blocks played. */
  get blocks(): number {
    return this.#block;
  }

  /** The first event of the stretch in hand. */
  get seqStart(): number {
    return this.#seqStart;
  }

  /** What was collected since `seqStart`. */
  postings(): PfnPostings {
    return this.#lists.sorted();
  }

  /** What is known of the blocks since `seqStart`. */
  facts(): BlockFacts {
    return this.#facts.facts();
  }

  /** Begins the next stretch. */
  cut(): void {
    this.#facts = this.#facts.next();
    this.#seqStart = this.seq;
    this.#lists = new PfnPostingLists();
  }

  /** Plays the next block. @throws {P2mError} it is damaged, or an event does not fit: the builder is of no use any more */
  step(): void {
    this.#facts.note(this.#plan.log.read(this.#block), this.seq);
    this.#playBlock();
    const { snapshots, snapshotEvents, snapshotBytesPerEvent } = this.#plan;
    const events = this.seq - snapshots.last;
    // What the boot makes is much for its events, and needed for all that follows.
    const room = Math.max(events * snapshotBytesPerEvent, snapshots.last === 0 ? FIRST_BYTES_MAX : 0);
    const isDue = events >= snapshotEvents && this.#touched.count * GRANULE_BYTES <= room;
    if (isDue) this.#save();
  }

  /** The log is over: a snapshot stands at its end, where the last one is far away. */
  finish(): void {
    const { snapshots, snapshotEvents } = this.#plan;
    if (this.seq - snapshots.last >= snapshotEvents / 2) this.#save();
  }

  #playBlock(): void {
    const { log } = this.#plan;
    this.#player.play(log.read(this.#block), this.seq, this.#lists, this.#seqStart);
    this.#block++;
    this.#steps.go(this.seq);
  }

  #save(): void {
    const { log, store, snapshots } = this.#plan;
    const place = { previous: snapshots.last, moment: this.seq, block: this.#block - 1 };
    const granules = this.#touched.sorted();
    // A step that ends where the snapshot stands leads nowhere else.
    const steps = this.#steps.taken.filter(({ moment }) => moment < this.seq);
    snapshots.add(saveSnapshot(store, log, this.#guarded, granules, steps, snapshots.shape, place));
    this.#clear();
  }

  /** All that was touched so far is in a snapshot. */
  #clear(): void {
    this.#touched.clear();
    this.#steps.clear(this.seq);
  }
}
