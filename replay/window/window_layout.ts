import { Global, inputError, INVALID } from '../../events/index.js';
import { leafClass, LeafClass, lookUp, type Memory } from '../../src/index.js';
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
  const highest = Math.max(...pfns);
  if (highest >= PFN_END) {
    throw inputError('a pfn too far up for a scenario', {
      got: `0x${highest.toString(16)}`,
      expected: `below 0x${PFN_END.toString(16)}`,
    });
  }
  const layout: LayoutEntry[] = [['nr', String((Math.floor(highest / g.pfnsPerMidPage) + 1) * g.pfnsPerMidPage)]];
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
    const start = pfn - (pfn % g.pfnsPerPtePage);
    if (kind !== undefined) add(kind, start, g.pfnsPerPtePage);
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

/** What the PT page of `pfn` shows, where it is one of those that all share, or the list ends before. */
function sharedTable(memory: Memory, pfn: number): 'hole' | 'identity' | undefined {
  if (pfn >= memory.words[Global.xen_p2m_size]!) return 'identity';
  const page = memory.linkedPtPage(pfn);
  if (page === memory.words[Global.p2m_missing_pte]) return 'hole';
  return page === memory.words[Global.p2m_identity_pte] ? 'identity' : undefined;
}
