import type { StoredLog } from '../../../events/index.js';
import { Snapshots } from '../snapshots/snapshots.js';
import { Granules } from '../snapshots/granules.js';
import { GuardedMemory } from '../../events/guarded_memory.js';
import { FallbackStore } from './fallback_store.js';
import { factsFileName, factsOf, writeFacts, type BlockFacts } from './block_facts.js';
import { IndexBuilder } from './index_builder.js';
import { openIndexFile } from './index_file.js';
import { MemoryIndexStore, type IndexStore } from './index_store.js';
import { LogFacts } from './log_facts.js';
import { readKeptIndex, type IndexNote } from './kept_index.js';
import { postingFileName, postingsOf, writePostings, type PostingStretch } from './posting_file.js';
import { PostingCache, type IndexedStretch } from './posting_cache.js';

/** Told while an index is built: events that it knows of, and how many there are. */
export type IndexProgress = (events: number, of: number) => void;

/** Sizes of an index; others than the default are for tests. */
export interface IndexSizes {
  /** Events of a stretch, whose postings are a file of their own. */
  readonly stretchEvents: number;
  /** A stretch that still grows is written again when it has so many new events. */
  readonly keptEvents: number;
  /** Fewest events between two snapshots. */
  readonly snapshotEvents: number;
  /** Snapshots take at most so many bytes an event; default half as much room beside a log as the log itself, in memory less. */
  readonly snapshotBytesPerEvent?: number;
  /** Fewest events between two steps. */
  readonly stepEvents: number;
  /** Bytes of postings that are kept in memory at most, once they are in a file. */
  readonly cacheBytes: number;
}

const SIZES: IndexSizes = {
  stretchEvents: 1 << 22,
  keptEvents: 1 << 16,
  snapshotEvents: 1 << 16,
  stepEvents: 1 << 13,
  cacheBytes: 1 << 28,
};
const BYTES_PER_EVENT = { beside: 16, inMemory: 8 } as const;

/**
 * The index of a log: which events changed which pfns, and snapshots of the memory. It makes questions quick and answers none:
 * what it says follows from the log. It grows with the log, by what is new; in memory it is bounded, however long that is.
 */
export class LogIndex {
  readonly log: StoredLog;
  readonly #note: IndexNote;
  readonly #progress: IndexProgress | undefined;
  readonly #sizes: IndexSizes;
  readonly #store: IndexStore;
  readonly #bytesPerEvent: number;
  readonly #cache: PostingCache;
  #stretches: PostingStretch[] = [];
  #snapshots: Snapshots;
  #builder: IndexBuilder | undefined;
  /** The builder's stretch, until it goes on. */
  #growing: IndexedStretch | undefined;
  #failure: Error | undefined;
  /** Of the stretches, as far as somebody has asked. */
  #facts: BlockFacts[] = [];

  /** As `openIndex`. */
  constructor(
    log: StoredLog,
    store: IndexStore | undefined,
    onProgress?: IndexProgress,
    onNote?: IndexNote,
    sizes: Partial<IndexSizes> = {},
  ) {
    this.log = log;
    this.#progress = onProgress;
    this.#note = onNote ?? (() => undefined);
    this.#sizes = { ...SIZES, ...sizes };
    // Files beside a log say by its chain that they are of it. Without one it is a text, which is read anew each time.
    const isKept = store !== undefined && log.chainAt !== undefined;
    this.#store = isKept ? new FallbackStore(store, this.#note) : new MemoryIndexStore();
    this.#bytesPerEvent =
      this.#sizes.snapshotBytesPerEvent ?? (isKept ? BYTES_PER_EVENT.beside : BYTES_PER_EVENT.inMemory);
    this.#cache = new PostingCache(this.#sizes.cacheBytes);
    this.#snapshots = this.#noSnapshots();
    const kept = readKeptIndex(this.#store, log, this.#note);
    this.#stretches = [...kept.stretches];
    for (const snapshot of kept.snapshots) this.#snapshots.add(snapshot);
  }

  /** Events that it knows of. */
  get events(): number {
    return this.#builder?.seq ?? this.#stretches.at(-1)?.seqEnd ?? 0;
  }

  /** Those up to `events`. */
  get snapshots(): Snapshots {
    return this.#snapshots;
  }

  /**
   * Builds on until it knows the events before `moment`, default all.
   * @throws {P2mError} code `bad-input`: a block on the way is damaged, or has an event that does not fit the memory
   */
  coverTo(moment = this.log.events): void {
    const end = Math.min(moment, this.log.events);
    if (this.events >= end) return;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#build((this.#builder ??= this.#begin()), end);
    } catch (error) {
      this.#failure = error as Error;
      this.#builder = undefined;
      throw error;
    }
  }

  /** Stretches of the log that it has postings of. */
  get stretchCount(): number {
    return this.#keptCount + (this.#isGrowing() ? 1 : 0);
  }

  /** A stretch, the oldest is 0. 0 <= index < stretchCount. */
  stretch(index: number): IndexedStretch {
    if (index < this.#keptCount) return this.#cache.get(index) ?? this.#load(index);
    const builder = this.#builder!;
    return (this.#growing ??= { seqStart: builder.seqStart, postings: builder.postings() });
  }

  /** What is known of the blocks, of those up to `events`. */
  facts(): LogFacts {
    const stretches: { readonly block: number; readonly facts: BlockFacts }[] = [];
    let block = 0;
    for (let index = 0; index < this.stretchCount; index++) {
      stretches.push({ block, facts: this.#factsOf(index) });
      block = index < this.#keptCount ? this.#stretches[index]!.block + 1 : this.#builder!.blocks;
    }
    return new LogFacts(this.log, stretches, block);
  }

  #noSnapshots(): Snapshots {
    const { log } = this;
    return new Snapshots(this.#store, new Granules(new GuardedMemory(log.header, log.codec, log.name).memory));
  }

  #begin(): IndexBuilder {
    const last = this.#stretches.at(-1);
    const isOpen = last !== undefined && last.seqEnd - last.seqStart < this.#sizes.stretchEvents;
    const plan = {
      log: this.log,
      store: this.#store,
      snapshots: this.#snapshots,
      snapshotEvents: this.#sizes.snapshotEvents,
      snapshotBytesPerEvent: this.#bytesPerEvent,
      stepEvents: this.#sizes.stepEvents,
    };
    if (last === undefined) return new IndexBuilder(plan, 0, 0);
    const index = this.#stretches.length - 1;
    const facts = this.#factsOf(index);
    if (!isOpen) return new IndexBuilder(plan, last.block + 1, last.seqEnd, undefined, facts);
    return new IndexBuilder(plan, last.block + 1, last.seqStart, this.stretch(index).postings, facts);
  }

  #build(builder: IndexBuilder, end: number): void {
    this.#growing = undefined;
    while (builder.seq < end) {
      builder.step();
      if (builder.seq - builder.seqStart >= this.#sizes.stretchEvents) {
        this.#keep(builder, { seqStart: builder.seqStart, postings: builder.postings() });
        builder.cut();
      }
      this.#progress?.(builder.seq, this.log.events);
    }
    const keptEnd = this.#stretches.at(-1)?.seqEnd ?? 0;
    if (builder.seq - keptEnd < this.#sizes.keptEvents) return;
    // Nothing follows: the last events need not be taken back one by one.
    if (builder.seq === this.log.events && this.log.end.kind === 'closed') builder.finish();
    if (this.#isGrowing()) this.#keep(builder, this.stretch(this.#keptCount));
  }

  /** Writes the stretch in hand, again where it has grown. */
  #keep(builder: IndexBuilder, growing: IndexedStretch): void {
    const { seqStart, seq: seqEnd } = builder;
    const index = this.#keptCount;
    const stretch = { seqStart, seqEnd, block: builder.blocks - 1, snapshot: this.#snapshots.last };
    writePostings(this.#store, this.log, index, stretch, growing.postings);
    this.#facts.length = index;
    writeFacts(this.#store, this.log, index, stretch, builder.facts());
    this.#stretches[index] = stretch;
    this.#cache.set(index, growing);
  }

  /** Stretches that are in files as they are: the builder's is not, for it grows. */
  get #keptCount(): number {
    const isGrowing = this.#builder !== undefined && this.#stretches.at(-1)?.seqStart === this.#builder.seqStart;
    return this.#stretches.length - (isGrowing ? 1 : 0);
  }

  #isGrowing(): boolean {
    return this.#builder !== undefined && this.#builder.seq > this.#builder.seqStart;
  }

  #load(index: number): IndexedStretch {
    const name = postingFileName(index);
    const file = openIndexFile(this.#store, name, this.log);
    const postings = typeof file === 'string' ? undefined : postingsOf(file);
    if (postings === undefined) {
      this.#note(name, typeof file === 'string' ? file : 'it holds no postings');
      this.#buildAnew();
      return this.stretch(index);
    }
    const stretch = { seqStart: this.#stretches[index]!.seqStart, postings };
    this.#cache.set(index, stretch);
    return stretch;
  }

  #factsOf(index: number): BlockFacts {
    if (index >= this.#keptCount) return this.#builder!.facts();
    const known = this.#facts[index];
    if (known !== undefined) return known;
    const name = factsFileName(index);
    const file = openIndexFile(this.#store, name, this.log);
    const facts = typeof file === 'string' ? undefined : factsOf(file);
    if (facts === undefined) {
      this.#note(name, typeof file === 'string' ? file : 'it holds no facts');
      this.#buildAnew();
      return this.#factsOf(index);
    }
    return (this.#facts[index] = facts);
  }

  /** A file was damaged after the index was opened: nothing of it is trusted. */
  #buildAnew(): void {
    const { events } = this;
    for (const name of this.#store.list()) this.#store.remove(name);
    this.#stretches = [];
    this.#builder = undefined;
    this.#growing = undefined;
    this.#facts = [];
    this.#cache.clear();
    this.#snapshots = this.#noSnapshots();
    this.coverTo(events);
  }
}

/**
 * The index of the log as far as `store` has it; questions build it on as they need. What is in the store and is damaged, of
 * another log or of another version is dropped, and told to `onNote`. Where the log keeps no chain, or the store cannot be
 * written, the index is kept in memory only.
 */
export function openIndex(
  log: StoredLog,
  store?: IndexStore,
  onProgress?: IndexProgress,
  onNote?: IndexNote,
): LogIndex {
  return new LogIndex(log, store, onProgress, onNote);
}
