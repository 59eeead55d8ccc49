import { KINDS, kindName, type EventBatch } from '../../../events/index.js';
import { changedWords, NO_PAGE, type Memory, type WordSink } from '../../../src/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { GRANULE_WORDS, type Granules } from './granules.js';
import { ChangeTaker, type WordChanges } from './word_changes.js';
import { WordList } from './word_list.js';

const SET_ENTRY = KINDS.set_entry.id;
const FILL_PAGE = KINDS.fill_page.id;
const WIPE_PAGE = KINDS.wipe_page.id;
const ALLOC_PAGE = KINDS.alloc_page.id;
const FREE_PAGE = KINDS.free_page.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const BOOT = KINDS.boot.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const LOAD_ENTRIES = KINDS.load_entries.id;
const WORD_SHIFT = 9;

/** By kind: events that change only what is saved in any case, or nothing. */
const LEAVES_NO_TRACE = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  if (name === undefined || !KINDS[name].mutates) return 1;
  const low = ['set_global', 'set_max_pfn', 'set_generation', 'lock', 'unlock', 'set_extra_mem', 'arm_failure'];
  return low.includes(name) || name === 'alloc_failed' ? 1 : 0;
});

/** What events have touched: granules since the last snapshot, words and whole granules since the last step. */
export class TouchedGranules implements WordSink {
  readonly #guarded: GuardedMemory;
  readonly #memory: Memory;
  readonly #shape: Granules;
  readonly #isTouched: Uint8Array;
  #touched: number[] = [];
  /** Places since the last step; one may be there twice. */
  readonly #places = new WordList();
  readonly #isWhole: Uint8Array;
  #whole: number[] = [];
  /** The place of a role that was touched last; -1: none since the last step. */
  #lastRole = -1;
  /** The low granules as they were at the last step. */
  readonly #low: Int32Array;

  constructor(guarded: GuardedMemory, shape: Granules) {
    this.#guarded = guarded;
    this.#memory = guarded.memory;
    this.#shape = shape;
    this.#isTouched = new Uint8Array(shape.count);
    this.#isWhole = new Uint8Array(shape.count);
    this.#low = new Int32Array(shape.lowCount * GRANULE_WORDS);
    this.clear();
  }

  get count(): number {
    return this.#touched.length;
  }

  /** The granules, ascending. */
  sorted(): Int32Array {
    return Int32Array.from(this.#touched).sort();
  }

  /** A snapshot was taken. */
  clear(): void {
    for (const granule of this.#touched) this.#isTouched[granule] = 0;
    this.#touched = [];
    for (let granule = 0; granule < this.#shape.lowCount; granule++) this.#touch(granule);
    this.clearStep();
  }

  /** What the events since the last step, all of which have happened, have left. */
  step(): WordChanges {
    const { words } = this.#memory;
    const taker = new ChangeTaker(this.#guarded, this.#shape);
    this.#low.forEach((word, place) => {
      if (words[place] !== word) taker.word(place);
    });
    for (const place of this.#places.words) if (this.#isWhole[place >>> WORD_SHIFT] === 0) taker.word(place >>> 0);
    for (const granule of this.#whole) taker.granule(granule);
    return taker.changes();
  }

  /** A step was taken. */
  clearStep(): void {
    this.#places.clear();
    this.#lastRole = -1;
    for (const granule of this.#whole) this.#isWhole[granule] = 0;
    this.#whole = [];
    this.#low.set(this.#memory.words.subarray(0, this.#low.length));
  }

  /** Event `i` happens. The tables of the memory are as it finds them. */
  note(batch: EventBatch, i: number): void {
    const m = this.#memory;
    const kind = batch.kind[i]!;
    if (kind === SET_ENTRY) return this.change(m.homes[batch.b[i]!]! + (batch.a[i]! & m.leafMask));
    if (LEAVES_NO_TRACE[kind] === 1) return;
    const a = batch.a[i]!;
    switch (kind) {
      case FILL_PAGE:
        this.#role(a);
        return this.#page(a);
      case WIPE_PAGE:
        return this.#page(a);
      case ALLOC_PAGE:
      case FREE_PAGE:
        return this.#role(a);
      case POPULATE_PMD:
        this.#role(batch.b[i]!);
        return this.change(m.layout.pmdBase + (a >>> m.pmdShift));
      case BOOT:
        return this.#boot(batch.payloadAt(batch.b[i]!));
      case IDENTITY_RANGE:
        return this.#entries(a, batch.b[i]!);
      case LOAD_ENTRIES:
        return this.#entries(a, a + countOf(batch.payloadAt(batch.b[i]!)));
      default:
        changedWords(m, batch, i, this);
    }
  }

  /** A word changes. */
  change(place: number): void {
    this.#touch(place >>> WORD_SHIFT);
    this.#places.push(place);
  }

  #boot(entries: Int32Array): void {
    const { layout, geometry } = this.#memory;
    const pages = Math.min(layout.initPages, Math.ceil(countOf(entries) / geometry.perPage));
    for (let page = 1; page <= pages; page++) this.#page(page);
  }

  #entries(pfnStart: number, pfnEnd: number): void {
    const m = this.#memory;
    const end = Math.min(pfnEnd, m.layout.areaPfns);
    for (let pfn = pfnStart - (pfnStart & m.leafMask); pfn < end; pfn += m.geometry.perPage) {
      const page = m.storePage(pfn);
      if (page !== NO_PAGE) this.#page(page);
    }
  }

  #page(page: number): void {
    const home = this.#memory.homes[page]!;
    const end = home + this.#memory.geometry.pageWords;
    for (let place = home; place < end; place += GRANULE_WORDS) this.#wholly(place >>> WORD_SHIFT);
    this.#wholly((end - 1) >>> WORD_SHIFT);
  }

  /** Pages are given out and filled one after the other: their roles are mostly in the word of the one before. */
  #role(page: number): void {
    const place = this.#shape.rolePlace(page);
    if (place !== this.#lastRole) this.change(place);
    this.#lastRole = place;
  }

  #wholly(granule: number): void {
    this.#touch(granule);
    if (this.#isWhole[granule] !== 0) return;
    this.#isWhole[granule] = 1;
    this.#whole.push(granule);
  }

  /** What lies outside of the memory is refused when the event is applied. */
  #touch(granule: number): void {
    if (this.#isTouched[granule] !== 0) return;
    this.#isTouched[granule] = 1;
    this.#touched.push(granule);
  }
}

/** Entries that runs `[count, word, stride]` stand for. */
function countOf(runs: Int32Array): number {
  let count = 0;
  for (let r = 0; r < runs.length; r += 3) count += runs[r]!;
  return count;
}
