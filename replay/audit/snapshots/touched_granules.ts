import { KINDS, kindName, type EventBatch } from '../../../events/index.js';
import { changedWords, GRANTS, NO_PAGE, type Memory, type WordSink } from '../../../src/index.js';

const SET_ENTRY = KINDS.set_entry.id;
const FILL_PAGE = KINDS.fill_page.id;
const WIPE_PAGE = KINDS.wipe_page.id;
const ALLOC_PAGE = KINDS.alloc_page.id;
const FREE_PAGE = KINDS.free_page.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const BOOT = KINDS.boot.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const LOAD_ENTRIES = KINDS.load_entries.id;

/** Words of a granule: what is saved and put back as one. */
export const GRANULE_WORDS = 512;
const WORD_SHIFT = 9;
/** Pages whose roles, a byte each, fill a granule. */
export const GRANULE_PAGES = 2048;
const PAGE_SHIFT = 11;

/** By kind: events that change only what is saved in any case, or nothing. */
const LEAVES_NO_TRACE = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  if (name === undefined || !KINDS[name].mutates) return 1;
  const low = ['set_global', 'set_max_pfn', 'set_generation', 'lock', 'unlock', 'set_extra_mem', 'arm_failure'];
  return low.includes(name) || name === 'alloc_failed' ? 1 : 0;
});

/** How a memory is cut into granules: its words, then the roles of its pages. */
export class Granules {
  /** Of words. */
  readonly wordCount: number;
  /** Of words and roles. */
  readonly count: number;
  /** Those below are of words that hardly any event leaves as they are: globals, pool heads, extra memory. */
  readonly lowCount = Math.ceil(GRANTS / GRANULE_WORDS);

  constructor({ layout }: Memory) {
    this.wordCount = Math.ceil(layout.words / GRANULE_WORDS);
    this.count = this.wordCount + Math.ceil(layout.pageEnd / GRANULE_PAGES);
  }
}

/** The granules that events have touched since the last snapshot. */
export class TouchedGranules implements WordSink {
  readonly #memory: Memory;
  readonly #granules: Granules;
  readonly #isTouched: Uint8Array;
  #touched: number[] = [];

  constructor(memory: Memory, granules: Granules) {
    this.#memory = memory;
    this.#granules = granules;
    this.#isTouched = new Uint8Array(granules.count);
    this.clear();
  }

  get count(): number {
    return this.#touched.length;
  }

  /** The granules, ascending. */
  sorted(): Int32Array {
    return Int32Array.from(this.#touched).sort();
  }

  clear(): void {
    for (const granule of this.#touched) this.#isTouched[granule] = 0;
    this.#touched = [];
    for (let granule = 0; granule < this.#granules.lowCount; granule++) this.#touch(granule);
  }

  /** Event `i` happens. The tables of the memory are as it finds them. */
  note(batch: EventBatch, i: number): void {
    const m = this.#memory;
    const kind = batch.kind[i]!;
    if (kind === SET_ENTRY) return this.#touch((m.homes[batch.b[i]!]! + (batch.a[i]! & m.leafMask)) >>> WORD_SHIFT);
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
        return this.#touch((m.layout.pmdBase + (a >>> m.pmdShift)) >>> WORD_SHIFT);
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
  change(address: number): void {
    this.#touch(address >>> WORD_SHIFT);
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
    for (let address = home; address < end; address += GRANULE_WORDS) this.#touch(address >>> WORD_SHIFT);
    this.#touch((end - 1) >>> WORD_SHIFT);
  }

  #role(page: number): void {
    this.#touch(this.#granules.wordCount + (page >>> PAGE_SHIFT));
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
