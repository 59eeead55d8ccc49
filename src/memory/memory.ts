import { assert, EntryCodec, FAULT, Global, Pattern, Role, type Word } from '../../events/index.js';
import type { Geometry } from '../geometry.js';
import { EXTRA_MEM, layOut, POOL_HEAD, type Capacity, type Layout } from './layout.js';
import { makePte, NO_PAGE, NO_PTE, ptePage, pteWritable, type Pte } from './pte.js';

/** xen_p2m_addr points at the list that the domain builder left; 0 is nothing yet. */
export const LIST_BUILDER = 1;
/** It points at the linear list in the vm area. */
export const LIST_AREA = 2;

/** PT page of the domain builder's list: the builder's own page tables, which are not modelled, all private and writable. */
export const BUILDER_PT = 0x1fff_ffff;

const FREED = 0x80;
const P2M_ADDR = Global.xen_p2m_addr;

/** Where a memory lives, all of it: threads that have the same buffers have the same memory. */
export interface MemoryBuffers {
  readonly words: SharedArrayBuffer;
  readonly roles: SharedArrayBuffer;
  readonly homes: SharedArrayBuffer;
  /** What is known of fills: FILL_BYTES a page, whose meaning is the kind of memory's. */
  readonly fills: SharedArrayBuffer;
}

/** Bytes that `MemoryBuffers.fills` has for a page. */
export const FILL_BYTES = 12;

/**
 * The modelled memory of one domain: words, and what is known of each page. Reads are its own; the only writer is
 * `apply` (and `undo`), through the methods named `apply*`.
 *
 * The page-table walk is the same in both memories; they differ in where the words of a leaf live:
 *
 *     paged   PMD slot -> PT page -> leaf page -> word           the reference: what is shared is shared
 *     flat    linear list -> word; page tables beside it, read where the word is 0 or a store needs to know
 */
export abstract class Memory {
  abstract readonly kind: 'paged' | 'flat';
  readonly geometry: Geometry;
  readonly codec: EntryCodec;
  readonly layout: Layout;
  readonly words: Int32Array;
  /** The words of the linear list by pfn, where the memory has one: the flat. Else empty. */
  readonly list: Int32Array;
  /** Role of each page, with FREED once it was freed. */
  readonly roles: Uint8Array;
  /** Where the words of each page begin. */
  readonly homes: Int32Array;
  readonly leafMask: number;
  readonly leafShift: number;
  readonly pmdShift: number;
  readonly pteMask: number;
  /** The two upper levels of the old tree: pfn >>> midShift is the index in p2m_top, (pfn >>> leafShift) & midMask in a mid page. */
  readonly midShift: number;
  readonly midMask: number;

  readonly capacity: Capacity;
  readonly buffers: MemoryBuffers;

  /** @param buffers of a memory of the same capacity and kind, which this one then is too; without them it begins empty */
  constructor(
    capacity: Capacity,
    flat: boolean,
    codec = new EntryCodec(capacity.geometry.entryBits),
    buffers?: MemoryBuffers,
  ) {
    const g = capacity.geometry;
    assert(g.perPage === g.pageWords, 'the pages of the builder list must follow each other word by word');
    assert(codec.bits === g.entryBits, 'the codec is for entries of another size');
    this.geometry = g;
    this.codec = codec;
    this.layout = layOut(capacity, flat);
    this.capacity = capacity;
    this.buffers = buffers ?? makeBuffers(this.layout);
    this.words = new Int32Array(this.buffers.words);
    const { linearBase, areaPfns } = this.layout;
    this.list = this.words.subarray(linearBase, flat ? linearBase + areaPfns : linearBase);
    this.roles = new Uint8Array(this.buffers.roles);
    this.homes = new Int32Array(this.buffers.homes);
    this.leafMask = g.perPage - 1;
    this.leafShift = Math.log2(g.perPage);
    this.pmdShift = Math.log2(g.pfnsPerPtePage);
    this.pteMask = g.ptrsPerPte - 1;
    this.midShift = Math.log2(g.pfnsPerMidPage);
    this.midMask = g.midPerPage - 1;
    if (buffers === undefined) this.#begin();
  }

  /** The entry of `pfn` as a plain load through xen_p2m_addr sees it; FAULT where nothing is mapped. 0 <= pfn < xen_p2m_size. */
  abstract loadEntry(pfn: number): Word;

  /** Called by `apply` before the PTE of `pfn` in `ptPage` changes, by `undo` after: the flat memory moves the leaf's words. */
  abstract applyLink(pfn: number, ptPage: number, old: Pte, now: Pte): void;

  /** Fills `page` (fill_page). */
  abstract applyFill(page: number, pattern: number, value: number): void;

  /** The page that a store to `pfn` through xen_p2m_addr reaches, NO_PAGE where it faults (not mapped, or read-only). */
  storePage(pfn: number): number {
    if (this.words[P2M_ADDR] === LIST_BUILDER) return this.initPage(pfn);
    const pte = this.pteOf(pfn);
    return pteWritable(pte) ? ptePage(pte) : NO_PAGE;
  }

  /** Index in `words` of the entry of `pfn`, in the page that xen_p2m_addr leads to; the leaf's other entries stand beside it. */
  entryAddress(pfn: number): number {
    const page = this.words[P2M_ADDR] === LIST_BUILDER ? this.initPage(pfn) : ptePage(this.pteOf(pfn));
    assert(page !== NO_PAGE, `nothing is mapped at pfn ${pfn}`);
    return this.homes[page]! + (pfn & this.leafMask);
  }

  /** The PTE that maps the entry of `pfn`; NO_PTE where no PT page or an empty one. */
  pteOf(pfn: number): Pte {
    const ptPage = this.ptPageOf(pfn);
    return ptPage === NO_PAGE ? NO_PTE : this.loadPte(ptPage, pfn);
  }

  /** The PT page linked in the PMD slot that spans `pfn`, as a software walk finds it; NO_PAGE where there is none. Any pfn. */
  ptPageOf(pfn: number): number {
    if (this.words[P2M_ADDR] === LIST_BUILDER) {
      return pfn < this.words[Global.xen_p2m_size]! ? BUILDER_PT : NO_PAGE;
    }
    return this.linkedPtPage(pfn);
  }

  /** As `ptPageOf`, in the vm area, also while it is being built. */
  linkedPtPage(pfn: number): number {
    if (pfn >= this.layout.areaPfns) return NO_PAGE;
    return ptePage(this.words[this.layout.pmdBase + (pfn >>> this.pmdShift)]!);
  }

  /** The PTE for `pfn` in `ptPage`. */
  loadPte(ptPage: number, pfn: number): Pte {
    if (ptPage === BUILDER_PT) return makePte(this.initPage(pfn), true);
    return this.words[this.homes[ptPage]! + ((pfn >>> this.leafShift) & this.pteMask)]!;
  }

  /** Word `index` of `page`: for mid pages, the top page, a leaf taken by itself. */
  loadWord(page: number, index: number): number {
    return this.words[this.homes[page]! + index]!;
  }

  /** The entry of `pfn` in `page`, whatever maps it. */
  loadEntryOf(page: number, pfn: number): Word {
    return this.words[this.homes[page]! + (pfn & this.leafMask)]!;
  }

  /** Page of the builder's list that holds `pfn`. */
  initPage(pfn: number): number {
    return 1 + (pfn >>> this.leafShift);
  }

  /** Whether `pfn` lies in a region of xen_extra_mem[]. */
  isExtraMem(pfn: number): boolean {
    const regions = this.words[Global.xen_extra_mem_count]!;
    for (let i = 0; i < regions; i++) {
      const start = this.words[EXTRA_MEM + 2 * i]!;
      if (pfn >= start && pfn < start + this.words[EXTRA_MEM + 2 * i + 1]!) return true;
    }
    return false;
  }

  /** First page of a pool. */
  poolStart(pool: number): number {
    return 1 + this.layout.initPages + pool * this.layout.pagesPerPool;
  }

  /** The pool that a CPU takes pages from. */
  poolOf(cpu: number): number {
    return cpu % this.layout.pools;
  }

  role(page: number): number {
    return this.roles[page]! & ~FREED;
  }

  isFreed(page: number): boolean {
    return (this.roles[page]! & FREED) !== 0;
  }

  /** alloc_page, or its undo with role none. */
  applyRole(page: number, role: number): void {
    this.roles[page] = role;
  }

  /** free_page, or its undo. */
  applyFreed(page: number, freed: boolean): void {
    this.roles[page] = freed ? this.roles[page]! | FREED : this.roles[page]! & ~FREED;
  }

  /** Where the words of `page` stand in the page area. */
  protected poolHome(page: number): number {
    return this.layout.pagesBase + (page - 1) * this.geometry.pageWords;
  }

  /** Fills the words from `home` on by a pattern; `fresh` words are known to be 0. */
  protected fillWords(home: number, pattern: number, value: number, fresh: boolean): void {
    const { words, codec } = this;
    const size = this.geometry.pageWords;
    const end = home + size;
    switch (pattern) {
      case Pattern.invalid:
        if (!fresh) words.fill(0, home, end);
        break;
      case Pattern.identity:
        for (let i = 0; i < size; i++) words[home + i] = codec.identityOf(value + i);
        break;
      case Pattern.frame:
        words.fill(value, home, end);
        break;
      case Pattern.pte:
        words.fill(value, home, home + this.geometry.ptrsPerPte);
        break;
      case Pattern.copy: {
        const source = this.homes[value]!;
        words.copyWithin(home, source, source + size);
        break;
      }
      default:
        assert(false, `unknown fill pattern ${pattern}`);
    }
  }

  /** The load through the page tables, the MMU's own: the reference of both memories. */
  protected walkAndLoad(pfn: number): Word {
    const words = this.words;
    const pmd = words[this.layout.pmdBase + (pfn >>> this.pmdShift)]!;
    if (pmd === NO_PTE) return FAULT;
    const pte = words[this.homes[pmd >>> 2]! + ((pfn >>> this.leafShift) & this.pteMask)]!;
    if (pte === NO_PTE) return FAULT;
    return words[this.homes[pte >>> 2]! + (pfn & this.leafMask)]!;
  }

  /** Word of entry 0 of the builder's list. */
  protected get builderBase(): number {
    return this.layout.pagesBase;
  }

  /** Nothing has happened yet. */
  #begin(): void {
    for (let page = 1; page < this.layout.pageEnd; page++) this.homes[page] = this.poolHome(page);
    this.roles.fill(Role.init, 1, 1 + this.layout.initPages);
    for (let pool = 0; pool < this.layout.pools; pool++) this.words[POOL_HEAD + pool] = this.poolStart(pool);
  }
}

function makeBuffers(layout: Layout): MemoryBuffers {
  return {
    words: new SharedArrayBuffer(layout.words * 4),
    roles: new SharedArrayBuffer(layout.pageEnd),
    homes: new SharedArrayBuffer(layout.pageEnd * 4),
    fills: new SharedArrayBuffer(layout.pageEnd * FILL_BYTES),
  };
}
