import { assert, GLOBALS, P2mError } from '../../events/index.js';
import type { Geometry } from '../geometry.js';

/**
 * Where everything lives in the one array of words (design 2.1). Only pages that are touched cost memory: the operating
 * system backs the rest with its one zero page, and 0 is INVALID, an empty slot, no page.
 *
 *     0            globals        one word each, index = Global.*
 *     64           pool heads     next page of each pool
 *     128          injection      attempts, fail at, fail from
 *     136          extra memory   [start, count] of xen_extra_mem[]
 *     ...          grants         8 words a slot of the grant operation in hand
 *     ...          PMD slots      of the linear list, one per PT page span
 *     ...          m2p, overrides one word a machine frame each, if asked for
 *     ...          pages          1 .. initPages: the domain builder's list; then the pools of the CPUs
 *     ...          linear list    flat memory only: one word a pfn
 */
export interface Layout {
  readonly geometry: Geometry;
  readonly cpus: number;
  /** Pools that the CPUs take pages from; CPU n takes from pool n modulo this. */
  readonly pools: number;
  readonly pmdBase: number;
  readonly pmdCount: number;
  readonly m2pBase: number;
  readonly overrideBase: number;
  readonly m2pFrames: number;
  /** Word of page 1; page p begins at pagesBase + (p - 1) * pageWords. */
  readonly pagesBase: number;
  /** Pages 1 .. initPages hold the domain builder's list. */
  readonly initPages: number;
  readonly pagesPerPool: number;
  /** Pages are below this. */
  readonly pageEnd: number;
  readonly linearBase: number;
  /** Most pfns that the linear list can have. */
  readonly areaPfns: number;
  readonly words: number;
}

/** Most CPUs: an event keeps its CPU in a byte. */
export const CPUS_MAX = 256;
/** Most pools of pages. */
export const POOLS_MAX = 64;
/** Next page of pool 0; the other pools follow. */
export const POOL_HEAD = 64;
/** Attempts to allocate since the injection was armed. */
export const ATTEMPTS = 128;
/** The attempt that fails; 0 none. */
export const FAIL_AT = 129;
/** The attempt from which on all fail; 0 none. */
export const FAIL_FROM = 130;
/** First region of xen_extra_mem[]. */
export const EXTRA_MEM = 136;
/** Most regions in xen_extra_mem[] (the kernel has 128). */
export const EXTRA_MEM_MAX = 1024;
/** Slot 0 of the grant operation in hand. */
export const GRANTS = EXTRA_MEM + 2 * EXTRA_MEM_MAX;
/** Words of a grant slot; see `Grant`. */
export const GRANT_WORDS = 8;
/** Words of a slot: gnttab map and unmap op, with what the kernel keeps in the page. */
export const Grant = { pfn: 0, mfn: 1, status: 2, kernelStatus: 3, handle: 4, savedEntry: 5, kernelMapped: 6 } as const;
/** Most slots in one grant operation. */
export const GRANTS_MAX = 4096;
const PMDS = GRANTS + GRANT_WORDS * GRANTS_MAX;

/** What a domain may grow to. Room that is not touched costs nothing. */
export interface Capacity {
  readonly geometry: Geometry;
  /** Entries of the longest list the domain builder may leave. */
  readonly nrPages: number;
  /** Pfns of the largest linear list (the end of RAM, of extra memory or P2M_LIMIT, before rounding). */
  readonly areaPfns: number;
  /** CPUs, numbered from 0. */
  readonly cpus?: number;
  /** Pools of pages; one for each CPU makes page numbers independent of the interleaving. Default: as many as CPUs. */
  readonly pools?: number;
  /** Pages that a pool may waste in allocations that it loses or undoes; pages are never recycled. */
  readonly sparePages?: number;
  /** machine_to_phys_nr: machine frames that the m2p knows; 0 is none. */
  readonly m2pFrames?: number;
}

/** Indices stay in 31 bits. */
const WORDS_MAX = 2 ** 31 - 2 ** 16;

/** Lays out the words for `capacity`; `flat` adds the linear list. @throws P2mError where it does not fit 31 bits of words. */
export function layOut(capacity: Capacity, flat: boolean): Layout {
  const g = capacity.geometry;
  const cpus = capacity.cpus ?? 1;
  assert(GLOBALS.length <= (POOL_HEAD as number), 'the globals run into the pool heads');
  if (cpus < 1 || cpus > CPUS_MAX) {
    throw new P2mError('usage', 'bad number of CPUs', { got: String(cpus), expected: `1 to ${CPUS_MAX}` });
  }
  const pools = capacity.pools ?? cpus;
  if (pools < 1 || pools > POOLS_MAX) {
    throw new P2mError('usage', 'bad number of pools', { got: String(pools), expected: `1 to ${POOLS_MAX}` });
  }
  const initPages = Math.ceil(capacity.nrPages / g.perPage);
  const area = Math.ceil(Math.max(capacity.areaPfns, capacity.nrPages) / g.pfnsPerMidPage) * g.pfnsPerMidPage;
  const pmdCount = area / g.pfnsPerPtePage;
  const m2pFrames = capacity.m2pFrames ?? 0;
  const m2pBase = PMDS + pmdCount;
  const overrideBase = m2pBase + m2pFrames;
  const unaligned = overrideBase + m2pFrames;
  const pagesBase = Math.ceil(unaligned / g.pageWords) * g.pageWords;
  const tables = pmdCount + g.topPerPage * 2 + 16;
  const pagesPerPool = area / g.perPage + tables + (capacity.sparePages ?? 2 ** 14);
  const pageEnd = 1 + initPages + pools * pagesPerPool;
  const linearBase = pagesBase + (pageEnd - 1) * g.pageWords;
  const words = linearBase + (flat ? area : 0);
  if (words > WORDS_MAX) {
    throw new P2mError('capacity', 'the list is too large for this model', {
      got: `${capacity.nrPages} pages, ${area} pfns, ${cpus} CPUs: ${words} words`,
      expected: `at most ${WORDS_MAX} words`,
    });
  }
  return {
    geometry: g,
    cpus,
    pools,
    pmdBase: PMDS,
    pmdCount,
    m2pBase,
    overrideBase,
    m2pFrames,
    pagesBase,
    initPages,
    pagesPerPool,
    pageEnd,
    linearBase,
    areaPfns: area,
    words,
  };
}
