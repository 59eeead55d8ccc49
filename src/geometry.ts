import { usageError, type EntryBits } from '../events/index.js';

/**
 * The constants of one architecture (spec 2). All counts are powers of two; `*PerPage` are entries, not bytes.
 *
 *     pfn = | top | mid | entry |        entry < perPage, mid < midPerPage, top < topPerPage
 *     the linear list's page tables:     PMD slot -> PT page (ptrsPerPte leaves) -> leaf (perPage entries)
 */
export interface Geometry {
  readonly name: string;
  readonly entryBits: EntryBits;
  /** P2M_PER_PAGE: entries in a leaf. */
  readonly perPage: number;
  /** P2M_MID_PER_PAGE: leaves in a mid page. */
  readonly midPerPage: number;
  /** P2M_TOP_PER_PAGE: mid pages in the top page. */
  readonly topPerPage: number;
  /** PTRS_PER_PTE: leaves that one PT page maps. */
  readonly ptrsPerPte: number;
  /** PMDS_PER_MID_PAGE = midPerPage / ptrsPerPte: PT pages that span one mid page. */
  readonly pmdsPerMidPage: number;
  /** Pfns that one PT page spans. */
  readonly pfnsPerPtePage: number;
  /** Pfns that one mid page spans; the list's size is a multiple of it. */
  readonly pfnsPerMidPage: number;
  /** MAX_P2M_PFN: pfns that the three-level tree spans. */
  readonly maxP2mPfn: number;
  /** P2M_LIMIT is counted in GiB of guest memory; pfns in one. */
  readonly pfnsPerGib: number;
  /** Most pages that the domain builder's list may have: four times what the tree spans, at most what the model holds. */
  readonly nrPagesMax: number;
  /** Pfns are below this: what an unsigned long holds of a physical address (x86_64: 2^64 bytes, PAE: 2^32 pfns). */
  readonly pfnEnd: number;
  /** Words of a modelled page: the largest table that a page holds. */
  readonly pageWords: number;
}

function geometry(
  name: string,
  entryBits: EntryBits,
  perPage: number,
  midPerPage: number,
  topPerPage: number,
  ptrsPerPte: number,
  pfnEnd: number,
): Geometry {
  return {
    name,
    entryBits,
    perPage,
    midPerPage,
    topPerPage,
    ptrsPerPte,
    pmdsPerMidPage: midPerPage / ptrsPerPte,
    pfnsPerPtePage: perPage * ptrsPerPte,
    pfnsPerMidPage: perPage * midPerPage,
    maxP2mPfn: perPage * midPerPage * topPerPage,
    pfnsPerGib: name.startsWith('tiny') ? perPage * midPerPage : 2 ** 18,
    nrPagesMax: Math.min(4 * perPage * midPerPage * topPerPage, 2 ** 29),
    pfnEnd,
    pageWords: Math.max(perPage, midPerPage, topPerPage, ptrsPerPte),
  };
}

/** The rows of spec 2, and two of the same shapes small enough to exhaust. */
export const GEOMETRIES = {
  x86_64: geometry('x86_64', 64, 512, 512, 512, 512, 2 ** 52),
  x86_32: geometry('x86_32', 32, 1024, 1024, 1024, 512, 2 ** 32),
  tiny: geometry('tiny', 64, 4, 4, 4, 4, 2 ** 52),
  'tiny-pae': geometry('tiny-pae', 32, 4, 4, 4, 2, 2 ** 32),
} as const satisfies Record<string, Geometry>;

export type GeometryName = keyof typeof GEOMETRIES;

/** The geometry of that name (`pae` is x86_32 PAE). @throws P2mError when there is none. */
export function geometryByName(name: string): Geometry {
  const known = name === 'pae' ? 'x86_32' : name;
  const found = Object.hasOwn(GEOMETRIES, known)
    ? (GEOMETRIES as Readonly<Record<string, Geometry>>)[known]
    : undefined;
  if (found === undefined) {
    throw usageError('unknown geometry', { got: JSON.stringify(name), expected: Object.keys(GEOMETRIES).join(', ') });
  }
  return found;
}

/** `value` rounded up to a multiple of `unit` (a power of two); exact below 2^53. */
export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
