import { Global, KINDS, type EventBatch } from '../../../events/index.js';
import { isTree, LIST_BUILDER, NO_PAGE, type Memory } from '../../../src/index.js';
import { ListTables } from '../../scenario/checks/list_tables.js';
import type { PfnSpan } from './answer_image.js';

const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_ENTRY = KINDS.set_entry.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const FILL_PAGE = KINDS.fill_page.id;
const WIPE_PAGE = KINDS.wipe_page.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_GLOBAL = KINDS.set_global.id;
const SET_EXTRA_MEM = KINDS.set_extra_mem.id;
const BOOT = KINDS.boot.id;
const IDENTITY_RANGE = KINDS.identity_range.id;
const LOAD_ENTRIES = KINDS.load_entries.id;

/** Globals that a look-up reads. */
const READ_GLOBALS: ReadonlySet<number> = new Set([
  Global.xen_p2m_addr,
  Global.xen_p2m_size,
  Global.xen_max_p2m_pfn,
  Global.xen_extra_mem_count,
  Global.p2m_top,
  Global.p2m_identity,
]);

/** What a look-up goes through: nothing yet, the domain builder's list, tables, or more than one of them (no kernel's doing). */
export type Way = 'nothing' | 'builder' | 'tables' | 'several';

/** What a look-up of this memory goes through. */
export function wayOf(memory: Memory): Way {
  const { words } = memory;
  const size = words[Global.xen_p2m_size]!;
  if (isTree(memory)) return size === 0 ? 'tables' : 'several';
  if (size === 0) return 'nothing';
  return words[Global.xen_p2m_addr] === LIST_BUILDER ? 'builder' : 'tables';
}

/** Pfns that anything can be stored for are below this; what a look-up answers of others no index knows. */
export function pfnEndOf(memory: Memory, isTreeForm: boolean): number {
  const { layout, geometry } = memory;
  return isTreeForm ? Math.max(layout.areaPfns, geometry.maxP2mPfn) : layout.areaPfns;
}

/**
 * The pfns whose look-ups event `i`, which has not happened yet, may change; not all of them it does. A page that is mapped
 * more than once, or under another pfn than the one that an event names, is found wherever it is.
 */
export class ReachedPfns {
  readonly #memory: Memory;
  readonly #pfnEnd: number;

  /** @param pfnEnd as `pfnEndOf` */
  constructor(memory: Memory, pfnEnd: number) {
    this.#memory = memory;
    this.#pfnEnd = pfnEnd;
  }

  /** Ascending, none overlaps another. */
  of(batch: EventBatch, i: number): PfnSpan[] {
    const way = wayOf(this.#memory);
    const kind = batch.kind[i];
    const a = batch.a[i]!;
    if (kind === SET_GLOBAL) return READ_GLOBALS.has(a) ? this.#all() : [];
    if (kind === SET_EXTRA_MEM) return this.#all();
    if (way === 'nothing') return [];
    if (way === 'several' || kind === BOOT) return this.#all();
    switch (kind) {
      case SET_ENTRY:
        return this.#entries(batch.b[i]!, a & this.#memory.leafMask, 1);
      case WIPE_PAGE:
      case FILL_PAGE:
        return this.#page(a);
      case IDENTITY_RANGE:
        return this.#range(a, batch.b[i]!);
      case LOAD_ENTRIES:
        return this.#range(a, a + countOf(batch.payloadAt(batch.b[i]!)));
      default:
        return way === 'tables' ? this.#links(batch, i) : [];
    }
  }

  #links(batch: EventBatch, i: number): PfnSpan[] {
    const { leafShift, pteMask, pmdShift } = this.#memory;
    const a = batch.a[i]!;
    switch (batch.kind[i]) {
      case SET_PMD:
      case POPULATE_PMD:
        return this.#uppers([a >>> pmdShift]);
      case SET_TOP:
        return this.#uppers([a]);
      case SET_PTE:
        return this.#slots(batch.b[i]!, (a >>> leafShift) & pteMask);
      case SET_MID:
        return this.#slots(a, batch.b[i]!);
      default:
        return [];
    }
  }

  #all(): PfnSpan[] {
    return [{ pfnStart: 0, pfnEnd: this.#pfnEnd }];
  }

  /** `count` entries from `index` on of a leaf, wherever it is mapped. */
  #entries(leaf: number, index: number, count: number): PfnSpan[] {
    return this.#leaves((page) => page === leaf, index, count);
  }

  /** All that is mapped through a page, be it a leaf or a table. */
  #page(page: number): PfnSpan[] {
    const { perPage } = this.#memory.geometry;
    if (wayOf(this.#memory) === 'tables') {
      const uppers = new ListTables(this.#memory).uppersOf(page);
      if (uppers.length > 0) return this.#uppers(uppers);
    }
    return this.#entries(page, 0, perPage);
  }

  /** The entries that stores to [pfnStart, pfnEnd) reach, and all others in the same leaves. */
  #range(pfnStart: number, pfnEnd: number): PfnSpan[] {
    const memory = this.#memory;
    const { perPage } = memory.geometry;
    const pages = new Set<number>();
    const end = Math.min(pfnEnd, this.#pfnEnd);
    for (let pfn = pfnStart - (pfnStart & memory.leafMask); pfn < end; pfn += perPage) pages.add(memory.storePage(pfn));
    pages.delete(NO_PAGE);
    return this.#leaves((page) => pages.has(page), 0, perPage);
  }

  /** Slot `index` of a table, wherever the table is linked. */
  #slots(table: number, index: number): PfnSpan[] {
    const tables = new ListTables(this.#memory);
    const { perPage } = this.#memory.geometry;
    return tables.uppersOf(table).map((upper) => this.#span(upper * this.#upperPfns + index * perPage, perPage));
  }

  #uppers(uppers: readonly number[]): PfnSpan[] {
    return uppers.map((upper) => this.#span(upper * this.#upperPfns, this.#upperPfns));
  }

  get #upperPfns(): number {
    const { geometry } = this.#memory;
    return isTree(this.#memory) ? geometry.pfnsPerMidPage : geometry.pfnsPerPtePage;
  }

  /** Entries [index, index + count) of all leaves that are wanted. */
  #leaves(isWanted: (page: number) => boolean, index: number, count: number): PfnSpan[] {
    const memory = this.#memory;
    const { perPage } = memory.geometry;
    const spans: PfnSpan[] = [];
    if (wayOf(memory) === 'builder') {
      for (let page = 1; page <= memory.layout.initPages; page++) {
        if (isWanted(page)) spans.push(this.#span((page - 1) * perPage + index, count));
      }
      return spans;
    }
    const tables = new ListTables(memory);
    for (let upper = 0; upper < tables.upperCount; upper++) {
      const table = tables.upper(upper);
      if (table === NO_PAGE) continue;
      for (let slot = 0; slot < tables.lowerCount; slot++) {
        if (!isWanted(tables.lower(table, slot))) continue;
        spans.push(this.#span(upper * this.#upperPfns + slot * perPage + index, count));
      }
    }
    return spans;
  }

  #span(pfnStart: number, count: number): PfnSpan {
    return { pfnStart: Math.min(pfnStart, this.#pfnEnd), pfnEnd: Math.min(pfnStart + count, this.#pfnEnd) };
  }
}

/** Entries that runs `[count, word, stride]` stand for. */
function countOf(runs: Int32Array): number {
  let count = 0;
  for (let r = 0; r < runs.length; r += 3) count += runs[r]!;
  return count;
}
