import { PostingList, type Postings } from './postings.js';

/**
 * An event that changes many pfns is kept once for each aligned block of 1, 2^9, 2^18 or 2^27 pfns of a level, so that it
 * is found from any of its pfns by one look-up a level, and takes at most a thousand places a level however many it changes.
 */
export const LEVELS = [0, 1, 2, 3] as const;
/** Bits of a pfn that the next level leaves out. */
export const LEVEL_BITS = 9;

/** The events that changed each pfn, within one stretch of the log; numbers count from its first event. */
export class PfnPostings {
  /** One for each level. */
  readonly levels: readonly Postings[];

  constructor(levels: readonly Postings[]) {
    this.levels = levels;
  }

  /** What they take in memory. */
  get bytes(): number {
    return this.levels.reduce((sum, level) => sum + level.bytes, 0);
  }

  /** The last event below `end` that changed the pfn; -1: none. */
  lastBefore(pfn: number, end: number): number {
    let last = -1;
    for (let level = 0; level < this.levels.length; level++) {
      const found = this.levels[level]!.lastBefore(pfn >>> (level * LEVEL_BITS), end);
      if (found > last) last = found;
    }
    return last;
  }

  /** Adds `base` + each event below `end` that changed the pfn to `to`, in their order. */
  eventsOf(pfn: number, end: number, base: number, to: number[]): void {
    const start = to.length;
    let parts = 0;
    for (const level of LEVELS) {
      const before = to.length;
      this.levels[level]!.eventsOf(pfn >>> (level * LEVEL_BITS), end, base, to);
      if (to.length > before) parts++;
    }
    // Each level gives its events in order; most pfns have events of one level alone.
    if (parts > 1) for (const seq of to.splice(start).sort((a, b) => a - b)) to.push(seq);
  }

  /** The pfn from which on the events may be others than those of `pfn`; 2^31 where none follows. */
  nextAfter(pfn: number): number {
    let next = 2 ** 31;
    for (const level of LEVELS) {
      const { keys } = this.levels[level]!;
      const size = 2 ** (level * LEVEL_BITS);
      const at = this.levels[level]!.indexFrom(pfn >>> (level * LEVEL_BITS));
      if (at === keys.length) continue;
      const start = keys[at]! * size;
      next = Math.min(next, start > pfn ? start : start + size);
    }
    return next;
  }
}

/** Collects the events of a stretch. */
export class PfnPostingLists {
  readonly #levels: readonly PostingList[];

  constructor(levels: readonly PostingList[] = LEVELS.map(() => new PostingList())) {
    this.#levels = levels;
  }

  /** Goes on with what was collected before. */
  static from({ levels }: PfnPostings): PfnPostingLists {
    return new PfnPostingLists(levels.map((postings) => PostingList.from(postings)));
  }

  /** Event `seq` changed the pfn. */
  push(pfn: number, seq: number): void {
    this.#levels[0]!.push(pfn, seq);
  }

  /** Event `seq` changed [pfnStart, pfnEnd). */
  pushRun(pfnStart: number, pfnEnd: number, seq: number): void {
    for (let pfn = pfnStart; pfn < pfnEnd;) {
      let level = LEVELS.length - 1;
      while (level > 0 && (pfn % blockOf(level) !== 0 || pfn + blockOf(level) > pfnEnd)) level--;
      this.#levels[level]!.push(pfn >>> (level * LEVEL_BITS), seq);
      pfn += blockOf(level);
    }
  }

  sorted(): PfnPostings {
    return new PfnPostings(this.#levels.map((list) => list.sorted()));
  }
}

/** Pfns that a key of the level stands for. */
function blockOf(level: number): number {
  return 2 ** (level * LEVEL_BITS);
}
