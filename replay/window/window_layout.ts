import { Global, inputError, INVALID } from '../../events/index.js';
import { leafClass, LeafClass, lookUp, NO_PAGE, type Memory } from '../../src/index.js';
import type { LayoutEntry } from '../scenario/scenario.js';

/** A scenario lays its whole list out: above this the list would take longer than the search. */
const PFN_END = 2 ** 24;

/**
 * The layout of a scenario that shows `pfns` as `memory` does: the same PMDs and leaves shared, the same entries missing or
 * identity. What no pfn lies in is left populated, and mfns are those of a scenario (1000 + pfn), not of the log.
 *
 * @throws {P2mError} bad input: a pfn lies too far up to be laid out
 */
export function windowLayout(memory: Memory, pfns: readonly number[]): LayoutEntry[] {
  const g = memory.geometry;
  const layout: LayoutEntry[] = [['nr', String(windowPages(memory, pfns))]];
  if (memory.words[Global.p2m_top_mfn] === NO_PAGE) layout.push(['notree']);
  const done = new Set<string>();
  const add = (kind: 'hole' | 'identity', start: number, count: number): void => {
    const entry = [kind, String(start), String(start + count)] as const;
    if (done.has(entry.join())) return;
    done.add(entry.join());
    layout.push(entry);
  };
  // From the widest to the narrowest: a later entry lies over an earlier one.
  for (const pfn of pfns) {
    const kind = sharedTable(memory, pfn);
    if (kind === undefined) continue;
    const mid = pfn - (pfn % g.pfnsPerMidPage);
    for (let start = mid; start < mid + g.pfnsPerMidPage; start += g.pfnsPerPtePage) {
      // A form that leaves the second PMD of a mid page empty (B2) does so where the whole page is alike.
      const isEmpty = memory.linkedPtPage(start) === NO_PAGE;
      if (isEmpty || sharedTable(memory, start) === kind) add(kind, start, g.pfnsPerPtePage);
    }
  }
  for (const pfn of pfns) {
    if (sharedTable(memory, pfn) !== undefined) continue;
    const of = leafClass(memory, pfn);
    if (of === LeafClass.missing) add('hole', pfn - (pfn % g.perPage), g.perPage);
    if (of === LeafClass.identity) add('identity', pfn - (pfn % g.perPage), g.perPage);
  }
  for (const pfn of pfns) {
    if (sharedTable(memory, pfn) !== undefined || leafClass(memory, pfn) !== LeafClass.entries) continue;
    const word = lookUp(memory, pfn);
    if (word === INVALID) add('hole', pfn, 1);
    else if (word === memory.codec.identityOf(pfn)) add('identity', pfn, 1);
  }
  return layout;
}

/**
 * Pages of the list: as many as the log's list has, so that what lies beyond it still does; where those are too many to be laid
 * out (the room for hotplug), up to the end of the highest mid page.
 */
export function windowPages({ geometry, words }: Memory, pfns: readonly number[]): number {
  const size = words[Global.xen_p2m_size]!;
  if (size > 0 && size <= PFN_END) return size;
  const highest = Math.max(...pfns);
  if (highest < PFN_END) return (Math.floor(highest / geometry.pfnsPerMidPage) + 1) * geometry.pfnsPerMidPage;
  throw inputError('a pfn too far up for a scenario', {
    got: `0x${highest.toString(16)}`,
    expected: `below 0x${PFN_END.toString(16)}`,
  });
}

/** What the PT page of `pfn` shows, where it is one of those that all share, or the list ends before. */
function sharedTable(memory: Memory, pfn: number): 'hole' | 'identity' | undefined {
  // Beyond the list there is nothing to lay out.
  if (pfn >= memory.words[Global.xen_p2m_size]!) return undefined;
  const page = memory.linkedPtPage(pfn);
  if (page === memory.words[Global.p2m_missing_pte]) return 'hole';
  return page === memory.words[Global.p2m_identity_pte] ? 'identity' : undefined;
}
