import type { Word } from '../events/index.js';
import type { Pte } from './memory/pte.js';

/**
 * All that a row of a step machine can do to shared memory: one method, one access (design 2.3). The model port does it
 * at once and in order; a port with TLBs or store buffers answers `loadEntry`, `storeEntry` and the stores differently,
 * and no row changes for it.
 *
 * A port belongs to one CPU. Pages are numbers, 0 is none; pfns in `load*` are below the list's size where it says so.
 */
export interface Port {
  /** Number of the CPU, from 0. */
  readonly cpu: number;

  /** R of a global. */
  global(index: number): number;
  /** W of a global. */
  setGlobal(index: number, value: number): void;

  /** R entry[pfn] through the linear mapping: the MMU's walk and the load are one access. FAULT where nothing is mapped. */
  loadEntry(pfn: number): Word;
  /** W entry[pfn], likewise. False: the store faulted, nothing is stored. */
  storeEntry(pfn: number, value: Word): boolean;

  /** R PMD: the software walk to the PT page of `pfn`; 0 where there is no 4 KiB mapping. Any pfn. */
  walk(pfn: number): number;
  /** R PTE of `pfn` in `ptPage`. */
  loadPte(ptPage: number, pfn: number): Pte;
  /** W PTE (a hypercall; no TLB flush). */
  setPte(ptPage: number, pfn: number, pte: Pte): void;
  /** W PMD slot that spans `pfn` (a hypercall). */
  setPmd(pfn: number, pte: Pte): void;

  /** alloc_p2m_page: a page, or 0 where it fails. */
  allocPage(role: number): number;
  freePage(page: number): void;
  fillInvalid(page: number): void;
  fillIdentity(page: number, pfnBase: number): void;
  /** Every word names `frame`. */
  fillFrame(page: number, frame: number): void;
  /** Every PTE is `pte`. */
  fillPte(page: number, pte: Pte): void;
  copyPage(page: number, source: number): void;
  /** paravirt_alloc_pte / paravirt_release_pte. */
  announcePage(page: number): void;
  retractPage(page: number): void;

  /** LOCK p2m_update_lock. False: another CPU holds it; the row stays where it is. */
  lock(): boolean;
  unlock(): void;

  /** R / W of p2m_top_mfn[], p2m_top_mfn_p[] and mid pages (frames are page numbers). */
  loadTopMfn(index: number): number;
  casTopMfn(index: number, expected: number, value: number): number;
  setTopMfn(index: number, value: number): void;
  loadTopMfnP(index: number): number;
  setTopMfnP(index: number, value: number): void;
  loadMid(page: number, index: number): number;
  setMidMfn(page: number, index: number, value: number): void;

  /** R / CAS of the old tree: p2m_top[] and its mid pages. Gives what was found. */
  loadTop(index: number): number;
  casTop(index: number, expected: number, value: number): number;
  casMid(page: number, index: number, expected: number, value: number): number;

  /** An entry in a leaf taken by itself, as the old tree stores and loads. */
  loadLeaf(page: number, pfn: number): Word;
  storeLeaf(page: number, pfn: number, value: Word): void;

  /** Shared info, real or dummy: what HYPERVISOR_shared_info points at. */
  bumpGeneration(): void;
  setGeneration(value: number): void;
  setMaxPfn(value: number): void;

  /** R m2p[mfn] and the m2p overrides: pfn + 1, 0 for none. */
  loadM2p(mfn: number): number;
  loadOverride(mfn: number): number;
  setM2p(mfn: number, pfnPlusOne: number): void;
  setOverride(mfn: number, pfnPlusOne: number): void;

  /** R / W of a word of a grant operation (set_grant). */
  loadGrant(slot: number, field: number): number;
  setGrant(slot: number, field: number, value: number): void;

  /** Boot alone: a new, empty PT page in the PMD slot of `pfn`. */
  populatePmd(pfn: number): number;
  /** Boot alone: the PT page in the PMD slot of `pfn` of the vm area, whatever xen_p2m_addr points at. */
  areaPtPage(pfn: number): number;
  /** Boot alone: the first pfn after `pfn`, at most `pfnEnd`, whose xen_p2m_elem_type differs from that of `pfn`. */
  firstOfOtherType(pfn: number, pfnEnd: number): number;
  /** Boot alone: entries [pfnStart, pfnEnd), all of them storable, become identity. */
  setIdentity(pfnStart: number, pfnEnd: number): void;
  /** Boot alone: the first pfn from `pfn` on, below `pfnEnd`, whose store would fault; `pfnEnd` where none. */
  firstReadOnly(pfn: number, pfnEnd: number): number;
  /** R xen_extra_mem[index]: start and count of pfns. */
  extraMemStart(index: number): number;
  extraMemCount(index: number): number;

  /** A leaf's page that a reader of the list found: its output, which no row reads. */
  emit(page: number): void;

  /** Observations. */
  bug(bug: number, pfn: number): void;
  warn(warning: number, pfn: number): void;
  fault(access: number, pfn: number): void;
}
