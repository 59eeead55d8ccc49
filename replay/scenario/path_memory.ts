import { KINDS, type EventBatch } from '../../events/index.js';
import { ATTEMPTS, changedWords, undo, type Domain, type EventObserver, type Memory } from '../../src/index.js';
import type { StateSink } from '../explore/program.js';
import { StateHash } from '../explore/state_hash.js';
import { PageHashes } from './page_hashes.js';

/** Page p has the key PAGE_KEYS - p; addresses of words are not negative. */
const PAGE_KEYS = -(2 ** 30);

const ALLOC_PAGE = KINDS.alloc_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;
const FREE_PAGE = KINDS.free_page.id;
const FILL_PAGE = KINDS.fill_page.id;

/** What a page held that was filled while it held something. */
interface Overwritten {
  readonly event: number;
  readonly words: Int32Array;
}

/** What a path has reached. */
interface Reached {
  readonly pages: ReadonlySet<number>;
  readonly freed: ReadonlySet<number>;
  readonly before: ReadonlyMap<number, number>;
}

/**
 * The modelled memory along a path: its hash, kept up to date event by event, what it is beside what it was before the
 * path, and the way back. The memory is the sum over all words of (address, word), with the roles of pages: two histories
 * that leave the same words are one state.
 *
 * A page counts from its allocation on, when `ObservedPort` hands it out empty. A fill is no more than its words, so an
 * odd machine that fills a page in use is hashed and taken back too.
 */
export class PathMemory implements EventObserver {
  readonly hash = new StateHash();
  readonly #memory: Memory;
  readonly #batch: EventBatch;
  readonly #pages: PageHashes;
  readonly #overwritten: Overwritten[] = [];

  /** The path begins with the next event of the domain. */
  constructor({ memory, batch }: Domain) {
    this.#memory = memory;
    this.#batch = batch;
    this.#pages = new PageHashes(memory);
  }

  beforeFill(page: number): void {
    const words = this.#wordsOf(page);
    if (isEmpty(words)) return;
    const home = this.#memory.homes[page]!;
    words.forEach((word, i) => {
      this.change(home + i, word, 0);
    });
    this.#overwritten.push({ event: this.#batch.length, words: words.slice() });
  }

  applied(): void {
    const { kind, a, b, length } = this.#batch;
    const page = a[length - 1]!;
    switch (kind[length - 1]) {
      case FILL_PAGE:
        this.hash.join(this.#pages.of(page));
        return;
      case FREE_PAGE: {
        const now = this.#memory.roles[page]!;
        return this.change(PAGE_KEYS - page, this.#memory.role(page), now);
      }
      case ALLOC_PAGE:
        this.change(PAGE_KEYS - page, 0, b[length - 1]!);
        this.#countAttempt();
        break;
      case ALLOC_FAILED:
        this.#countAttempt();
        break;
      default:
    }
    changedWords(this.#memory, this.#batch, length - 1, this);
  }

  /** A word changes: `WordSink`. */
  change(address: number, old: number, now: number): void {
    this.hash.take(address, old);
    this.hash.add(address, now);
  }

  /** Takes back the events from `events` on; the hash is put back by who has kept it. */
  rewind(events: number): void {
    const batch = this.#batch;
    for (let i = batch.length - 1; i >= events; i--) {
      undo(this.#memory, batch, i);
      if (batch.kind[i] === FILL_PAGE) this.#emptyAgain(i);
    }
    batch.truncate(events);
  }

  /** Gives all that differs from the memory before the path. */
  state(into: StateSink): void {
    const { words, roles } = this.#memory;
    const { pages, freed, before } = this.#reached();
    for (const [address, old] of before) if (words[address] !== old) into.add(address, words[address]!);
    for (const page of pages) {
      const home = this.#memory.homes[page]!;
      const content = this.#wordsOf(page);
      for (let i = 0; i < content.length; i++) if (content[i] !== 0) into.add(home + i, content[i]!);
    }
    for (const page of new Set([...pages, ...freed])) into.add(PAGE_KEYS - page, roles[page]!);
  }

  /** Pages that were allocated or freed on the path, and what every word was that it reached outside its own pages. */
  #reached(): Reached {
    const { homes, leafShift, layout } = this.#memory;
    const pages = new Set<number>();
    const freed = new Set<number>();
    const before = new Map<number, number>();
    const change = (address: number, old: number): void => {
      const page = 1 + ((address - layout.pagesBase) >>> leafShift);
      if (!before.has(address) && (address < layout.pagesBase || !pages.has(page))) before.set(address, old);
    };
    const { kind, a, length } = this.#batch;
    let attempts = 0;
    for (let i = 0; i < length; i++) {
      const page = a[i]!;
      if (kind[i] === ALLOC_PAGE) pages.add(page);
      if (kind[i] === ALLOC_PAGE || kind[i] === ALLOC_FAILED) attempts++;
      if (kind[i] === FREE_PAGE) freed.add(page);
      if (kind[i] === FILL_PAGE && !pages.has(page)) {
        this.#oldOf(i).forEach((word, at) => {
          change(homes[page]! + at, word);
        });
      }
      changedWords(this.#memory, this.#batch, i, { change });
    }
    before.set(ATTEMPTS, this.#memory.words[ATTEMPTS]! - attempts);
    return { pages, freed, before };
  }

  /** What the page that event `i` filled held before. */
  #oldOf(i: number): Int32Array {
    const kept = this.#overwritten.find(({ event }) => event === i);
    return kept?.words ?? new Int32Array(this.#memory.geometry.pageWords);
  }

  /** The page that event `i` filled holds again what it did. */
  #emptyAgain(i: number): void {
    const words = this.#wordsOf(this.#batch.a[i]!);
    const last = this.#overwritten.at(-1);
    if (last?.event !== i) words.fill(0);
    else {
      words.set(last.words);
      this.#overwritten.pop();
    }
  }

  #wordsOf(page: number): Int32Array {
    const home = this.#memory.homes[page]!;
    return this.#memory.words.subarray(home, home + this.#memory.geometry.pageWords);
  }

  #countAttempt(): void {
    const attempts = this.#memory.words[ATTEMPTS]!;
    this.change(ATTEMPTS, attempts - 1, attempts);
  }
}

function isEmpty(words: Int32Array): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}
