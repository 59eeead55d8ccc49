import type { Geometry } from '../geometry.js';

/** `p2m_top_index(pfn)`, without its BUG: index of the mid page in p2m_top, and in p2m_top_mfn of the tools' tree. */
export function p2mTopIndex(g: Geometry, pfn: number): number {
  return Math.floor(pfn / g.pfnsPerMidPage);
}

/** `p2m_mid_index(pfn)`: index of the leaf in its mid page. */
export function p2mMidIndex(g: Geometry, pfn: number): number {
  return Math.floor(pfn / g.perPage) % g.midPerPage;
}
