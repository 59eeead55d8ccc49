import { Global } from '../../events/index.js';
import { isTree } from '../look_up.js';
import { LIST_BUILDER, type Memory } from '../memory/memory.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';
import { ElemType, elemType } from '../p2m/elem_type.js';
import { entryRuns, type RunKind } from './entry_runs.js';

const NAMES: Readonly<Record<number, string>> = {
  [ElemType.identity]: 'identity',
  [ElemType.missing]: 'missing',
  [ElemType.pfn]: 'pfn',
};
/** Where nothing is mapped; the kernel's own loop dies there (B2). */
const FAULTS = -1;
const TYPE_OF: Readonly<Record<RunKind, number>> = {
  missing: ElemType.missing,
  identity: ElemType.identity,
  identity_of: ElemType.identity,
  foreign_identity: ElemType.identity,
  mfn: ElemType.pfn,
  foreign: ElemType.pfn,
  fault: FAULTS,
};
/** A leaf whose entries are of more than one type. */
const MIXED = -2;

/**
 * The text of /sys/kernel/debug/xen/mmu/p2m (spec 12): a line ` [0x0->0x400] pfn` for each run of entries of one
 * xen_p2m_elem_type, the end not included. It looks at entries alone, so a shared identity leaf reads `missing`. A range
 * where nothing is mapped reads `fault`. The old tree's version walked the tree and knew the shared identity pages: there
 * it is what look-ups say, up to xen_max_p2m_pfn. Nobody may write while it is read.
 */
export function* debugfsDump(memory: Memory): Generator<string, void> {
  if (isTree(memory)) {
    yield* treeDump(memory);
    return;
  }
  const size = memory.words[Global.xen_p2m_size]!;
  const { perPage } = memory.geometry;
  let start = 0;
  let type: number | undefined;
  let page = -1;
  let pageType = MIXED;
  for (let leaf = 0; leaf < size; leaf += perPage) {
    const found = pageOf(memory, leaf);
    // Neighbours with one leaf, the shared ones, hold one content: what it was seen to be, it is.
    if (found !== page) pageType = uniformType(memory, leaf, found);
    page = found;
    for (let pfn = leaf; pfn < leaf + perPage; pfn = pageType === MIXED ? pfn + 1 : leaf + perPage) {
      const next = pageType === MIXED ? elemType(memory, pfn) : pageType;
      if (next === type) continue;
      if (type !== undefined) yield line(start, pfn, type);
      type = next;
      start = pfn;
    }
  }
  if (type !== undefined) yield line(start, size, type);
}

function* treeDump(memory: Memory): Generator<string, void> {
  let start = 0;
  let type: number | undefined;
  for (const run of entryRuns(memory, 0, memory.words[Global.xen_max_p2m_pfn]!)) {
    const next = TYPE_OF[run.kind];
    if (next === type) continue;
    if (type !== undefined) yield line(start, run.start, type);
    type = next;
    start = run.start;
  }
  if (type !== undefined) yield line(start, memory.words[Global.xen_max_p2m_pfn]!, type);
}

function line(start: number, end: number, type: number): string {
  return ` [0x${start.toString(16)}->0x${end.toString(16)}] ${NAMES[type] ?? 'fault'}`;
}

function pageOf(memory: Memory, pfn: number): number {
  return memory.words[Global.xen_p2m_addr] === LIST_BUILDER ? memory.initPage(pfn) : ptePage(memory.pteOf(pfn));
}

/** The type of all entries of the leaf at `pfn`, MIXED where they differ. Equal tags are equal types but for the tag of INVALID. */
function uniformType(memory: Memory, pfn: number, page: number): number {
  if (page === NO_PAGE) return FAULTS;
  const { words, geometry: g } = memory;
  const start = memory.entryAddress(pfn);
  const first = words[start]!;
  const tag = first >>> 30;
  for (let a = start + 1; a < start + g.perPage; a++) {
    const word = words[a]!;
    if (word !== first && (tag === 0 || word >>> 30 !== tag)) return MIXED;
  }
  return elemType(memory, pfn);
}
