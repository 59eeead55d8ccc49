import { assert, INVALID, mfnWord, Operation, PAYLOAD_END, type Word } from '../../events/index.js';
import { kernelOps } from '../../src/index.js';
import { Random } from '../explore/random.js';
import { BalloonChunks } from './balloon_chunks.js';
import { Frontier } from './frontier.js';
import { GrantPages, GRANTS_AT_ONCE } from './grant_pages.js';
import { MIX_OPERATIONS, type MixOperation } from './mix.js';
import type { Skew } from './skew.js';
import type { StressLayout } from './stress_layout.js';
import { WantedPfns } from './wanted_pfns.js';
import type { Workload } from './workload.js';

/** Where a thread of a run stands. */
export interface OperationStreamOptions {
  readonly workload: Workload;
  readonly layout: StressLayout;
  /** Below `threads`. */
  readonly thread: number;
  readonly threads: number;
  /** Of the run: the same for all threads. */
  readonly seed: number;
  /** One word that all threads share, 0 at first; where there is no `touch`, nobody reads it. */
  readonly tickets: Int32Array;
}

/** IDENTITY_FRAME of a pfn below 2^30 in its short form. */
const TAG_IDENTITY = 0x8000_0000 | 0;
/** Of the look-ups, one in so many is of a pfn that a balloon or grants may have, where the others go by a skew. */
const WIDE_SHARE = 4;

const KINDS_OF: Readonly<Record<MixOperation, number>> = Object.fromEntries(
  MIX_OPERATIONS.map((name, kind) => [name, kind]),
) as Record<MixOperation, number>;
const SET = KINDS_OF.set;
const CLEAR = KINDS_OF.clear;
const IDENTITY = KINDS_OF.identity;
const BALLOON_DOWN = KINDS_OF['balloon-down'];
const BALLOON_UP = KINDS_OF['balloon-up'];
const GRANT = KINDS_OF.grant;
const TOUCH = KINDS_OF.touch;

/**
 * The operations of one thread, without end: `next` puts each into the fields, and makes no object. The same seed gives the same
 * operations, but for those at the frontier, where all threads advance one word.
 *
 * Frames are set once in a run: thread t of T has the t-th part of those that the boot left over. What a mix asks for and a
 * thread has no pfn for is a look-up instead: with more threads than a leaf has entries, say.
 */
export class OperationStream {
  /** Number of the kernel's operation (`Operation`). */
  operation = 0;
  /** Which of `MIX_OPERATIONS` it is. */
  kind = 0;
  pfn = 0;
  value: Word = INVALID;
  /** Pfns of a balloon operation, slots of a grant operation. */
  count = 0;
  /** Page and frame of each of `count` grant slots. */
  readonly slotPfn: Int32Array;
  /** As `slotPfn`. */
  readonly slotMfn: Int32Array;
  /** Whether there are no more, for what they are made of is used up. */
  exhausted: 'regions' | 'frames' | undefined;

  readonly #random: Random;
  readonly #thread: number;
  readonly #threads: number;
  readonly #perPage: number;
  readonly #share: boolean;
  /** Kind of each part of the mix's sum: one draw, one load. */
  readonly #kinds: Uint8Array;
  readonly #sets: WantedPfns;
  readonly #chunks: BalloonChunks;
  readonly #grants: GrantPages;
  /** kmap_ops: as gntdev, which maps into the kernel as well, and as blkback, which does not. */
  readonly #grantOps: Word;
  readonly #frontier: Frontier | undefined;
  /** One in so many look-ups is of any pfn, where the others go by the skew of the sets; 0: none. */
  readonly #wideShare: number;
  /** Pfns are below this, but for those at the frontier. */
  readonly #wideEnd: number;
  /** Frames that nothing was set to yet are from `#mfn` on, below this. */
  readonly #mfnEnd: number;
  #mfn: number;

  constructor({ workload, layout, thread, threads, seed, tickets }: OperationStreamOptions) {
    const { mix, skew, share } = workload;
    const { sets, balloon, grants, geometry, mfnEnd } = layout;
    assert(thread >= 0 && thread < threads, `thread ${thread} of ${threads}`);
    const random = new Random(threadSeed(seed, thread));
    this.#random = random;
    this.#thread = thread;
    this.#threads = threads;
    this.#perPage = geometry.perPage;
    this.#share = share;
    this.#kinds = Uint8Array.from(
      MIX_OPERATIONS.flatMap((name, kind) => Array.from({ length: mix.weights[name] }, () => kind)),
    );
    this.#sets = new WantedPfns(random, {
      range: share ? { pfnStart: sets.pfnStart, pfnEnd: balloon.pfnEnd } : sets,
      perPage: geometry.perPage,
      skew,
      sharers: share ? 1 : threads,
      seed,
    });
    this.#chunks = new BalloonChunks(random, balloon, thread, threads);
    this.#grants = new GrantPages(random, grants, thread, threads);
    this.slotPfn = this.#grants.slotPfn;
    this.slotMfn = this.#grants.slotMfn;
    this.#grantOps = thread % 2 === 0 ? kernelOps() : INVALID;
    this.#frontier = mix.weights.touch > 0 ? new Frontier(layout, threads, tickets) : undefined;
    this.#wideEnd = grants.pfnEnd;
    this.#wideShare = wideShare(skew, sets.pfnEnd < this.#wideEnd);
    const frames = Math.floor((PAYLOAD_END - mfnEnd) / threads);
    this.#mfn = mfnEnd + thread * frames;
    this.#mfnEnd = this.#mfn + frames;
  }

  /** Puts the next operation into the fields. False: there is none, and `exhausted` says why. */
  next(): boolean {
    if (this.exhausted !== undefined) return false;
    const kind = this.#kinds[this.#random.below(this.#kinds.length)]!;
    this.kind = kind;
    switch (kind) {
      case SET:
      case CLEAR:
      case IDENTITY:
        return this.#set(kind);
      case BALLOON_DOWN:
      case BALLOON_UP:
        return this.#balloon(kind);
      case GRANT:
        return this.#grant();
      case TOUCH:
        return this.#touch();
      default:
        return this.#lookUp();
    }
  }

  #lookUp(): boolean {
    const random = this.#random;
    let pfn: number;
    if (this.#frontier !== undefined && random.below(2) === 0) {
      const leaf = this.#frontier.peek();
      if (leaf < 0) return this.#end('regions');
      pfn = leaf + random.below(this.#perPage);
    } else {
      const share = this.#wideShare;
      const isWide = share === 1 || (share > 1 && random.below(share) === 0);
      pfn = isWide ? random.below(this.#wideEnd) : this.#sets.any();
      // Fewer pfns than threads.
      if (pfn < 0) pfn = random.below(this.#wideEnd);
    }
    this.kind = KINDS_OF['look-up'];
    return this.#put(Operation.__pfn_to_mfn, pfn, INVALID, 0);
  }

  #set(kind: number): boolean {
    const pfn = this.#sets.of(this.#share ? 0 : this.#thread);
    if (pfn < 0) return this.#lookUp();
    if (kind === CLEAR) return this.#put(Operation.set_phys_to_machine, pfn, INVALID, 0);
    if (kind === IDENTITY) return this.#put(Operation.set_phys_to_machine, pfn, TAG_IDENTITY | pfn, 0);
    return this.#putFrame(Operation.set_phys_to_machine, pfn);
  }

  #touch(): boolean {
    const leaf = this.#frontier!.take();
    if (leaf < 0) return this.#end('regions');
    const random = this.#random;
    if (this.#share) return this.#putFrame(Operation.set_phys_to_machine, leaf + random.below(this.#perPage));
    const turns = Math.ceil((this.#perPage - this.#thread) / this.#threads);
    if (turns <= 0) return this.#lookUp();
    return this.#putFrame(Operation.set_phys_to_machine, leaf + random.below(turns) * this.#threads + this.#thread);
  }

  /** Down or up as wanted, or the other where only that can be. */
  #balloon(wanted: number): boolean {
    const chunks = this.#chunks;
    if (wanted === BALLOON_DOWN) {
      if (chunks.inflate()) return this.#balloonDown();
      return chunks.deflate() ? this.#balloonUp() : this.#lookUp();
    }
    if (chunks.deflate()) return this.#balloonUp();
    return chunks.inflate() ? this.#balloonDown() : this.#lookUp();
  }

  #balloonDown(): boolean {
    this.kind = BALLOON_DOWN;
    return this.#put(Operation.decrease_reservation, this.#chunks.pfn, INVALID, this.#chunks.count);
  }

  #balloonUp(): boolean {
    const { pfn, count } = this.#chunks;
    const mfn = this.#takeFrames(count);
    if (mfn < 0) return this.#end('frames');
    this.kind = BALLOON_UP;
    return this.#put(Operation.increase_reservation, pfn, mfnWord(mfn), count);
  }

  #grant(): boolean {
    const grants = this.#grants;
    if (grants.pages === 0) return this.#lookUp();
    if (!grants.mapsNext()) return this.#put(Operation.clear_foreign_p2m_mapping, 0, this.#grantOps, grants.unmap());
    const mfn = this.#takeFrames(GRANTS_AT_ONCE);
    if (mfn < 0) return this.#end('frames');
    return this.#put(Operation.set_foreign_p2m_mapping, 0, this.#grantOps, grants.map(mfn));
  }

  #putFrame(operation: number, pfn: number): boolean {
    const mfn = this.#takeFrames(1);
    return mfn < 0 ? this.#end('frames') : this.#put(operation, pfn, mfnWord(mfn), 0);
  }

  #put(operation: number, pfn: number, value: Word, count: number): boolean {
    this.operation = operation;
    this.pfn = pfn;
    this.value = value;
    this.count = count;
    return true;
  }

  /** The first of `count` frames that nothing was set to; -1: there are not so many left. */
  #takeFrames(count: number): number {
    const mfn = this.#mfn;
    if (mfn + count > this.#mfnEnd) return -1;
    this.#mfn = mfn + count;
    return mfn;
  }

  #end(why: 'regions' | 'frames'): boolean {
    this.exhausted = why;
    return false;
  }
}

function wideShare(skew: Skew, hasMore: boolean): number {
  if (skew.kind === 'uniform') return 1;
  return hasMore ? WIDE_SHARE : 0;
}

/** A seed of its own for one thread of a run, or one round. */
export function threadSeed(seed: number, thread: number): number {
  const mixed = Math.imul(seed ^ Math.imul(thread + 1, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
