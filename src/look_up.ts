import { Global, INVALID, type Word } from '../events/index.js';
import { LIST_BUILDER, type Memory } from './memory/memory.js';
import { NO_PAGE, ptePage } from './memory/pte.js';

// Indices of the hot look-ups, as constants that the compiler sees.
const P2M_SIZE = Global.xen_p2m_size;
const P2M_TOP = Global.p2m_top;
const P2M_IDENTITY = Global.p2m_identity;

/** What a range of pfns within one leaf is to a look-up. */
export const LeafClass = { entries: 0, missing: 1, identity: 2, unmapped: 3, beyond: 4 } as const;

/** Whether the p2m of this domain is the old tree (3.16, 3.18), and its top page stands. */
export function isTree(memory: Memory): boolean {
  return memory.words[P2M_TOP] !== NO_PAGE;
}

/**
 * What the leaf of `pfn` is to a look-up: entries to load, one shared page for all of it, nothing, or beyond the list.
 */
export function leafClass(memory: Memory, pfn: number): number {
  const { words } = memory;
  if (isTree(memory)) {
    return pfn < memory.geometry.maxP2mPfn ? classOf(memory, treeLeaf(memory, pfn)) : LeafClass.beyond;
  }
  if (pfn >= words[P2M_SIZE]!) return LeafClass.beyond;
  if (words[Global.xen_p2m_addr] === LIST_BUILDER) return LeafClass.entries;
  const page = ptePage(memory.pteOf(pfn));
  return page === NO_PAGE ? LeafClass.unmapped : classOf(memory, page);
}

function classOf(memory: Memory, leaf: number): number {
  if (leaf === memory.words[P2M_IDENTITY]) return LeafClass.identity;
  return leaf === memory.words[Global.p2m_missing] ? LeafClass.missing : LeafClass.entries;
}

/**
 * Index in `words` of the entry of `pfn`, whose leaf has entries to load (`leafClass`); the leaf's other entries stand
 * beside it. Both structures.
 */
export function leafAddress(memory: Memory, pfn: number): number {
  if (!isTree(memory)) return memory.entryAddress(pfn);
  return memory.homes[treeLeaf(memory, pfn)]! + (pfn & memory.leafMask);
}

/**
 * A look-up as one atomic act: what `__pfn_to_mfn` answers when nobody is in the middle of anything; FAULT where it would
 * fault or BUG. Any form, any pfn. For checkers, dumps and hot look-ups; that it equals the step machine is a property
 * test. The linear list comes first: on the tree xen_p2m_size stays 0.
 */
export function lookUp(memory: Memory, pfn: number): Word {
  const { list } = memory;
  if (pfn < list.length) {
    // A word that is not 0 stands in the flat list only while its leaf is linked, and is the entry wherever boot has got to.
    const word = list[pfn]!;
    if (word !== 0) return word;
  }
  // `| 0` changes nothing but what V8 knows: on either way the answer is an int32, and stays in a register.
  return lookUpByTables(memory, pfn) | 0;
}

/**
 * `lookUp` of one memory as a function of its own, for hot loops: what it closes over is constant to V8, which then need
 * not check and fetch the memory's array anew for each look-up (docs/benchmarks.md). Made once, used often.
 */
export function boundLookUp(memory: Memory): (pfn: number) => Word {
  const { list } = memory;
  const end = list.length;
  return (pfn) => {
    if (pfn < end) {
      const word = list[pfn]!;
      if (word !== 0) return word;
    }
    return lookUpByTables(memory, pfn) | 0;
  };
}

/**
 * Looks up the pfns from `pfnStart` on, one for each word of `out`, as `lookUp` does. For dumps and checkers that read
 * ranges: what stands in the flat memory's list is copied, and only what is 0 there is looked up one by one.
 */
export function lookUpRange(memory: Memory, pfnStart: number, out: Int32Array): void {
  out.fill(0);
  out.set(memory.list.subarray(pfnStart, pfnStart + out.length));
  for (let i = out.indexOf(0); i >= 0; i = out.indexOf(0, i + 1)) out[i] = lookUpByTables(memory, pfnStart + i);
}

/** By the page tables, or the tree: right for every pfn. */
function lookUpByTables(memory: Memory, pfn: number): Word {
  if (pfn < memory.words[P2M_SIZE]!) {
    const word = memory.loadEntry(pfn);
    return word === INVALID ? lookUpInvalid(memory, pfn) : word;
  }
  return isTree(memory) && pfn < memory.geometry.maxP2mPfn ? lookUpTree(memory, pfn) : beyondList(memory, pfn);
}

function lookUpInvalid(memory: Memory, pfn: number): Word {
  const { words } = memory;
  if (words[Global.xen_p2m_addr] === LIST_BUILDER) return INVALID;
  const page = ptePage(memory.pteOf(pfn));
  return page === words[P2M_IDENTITY] ? memory.codec.identityOf(pfn) : INVALID;
}

function lookUpTree(memory: Memory, pfn: number): Word {
  const leaf = treeLeaf(memory, pfn);
  if (leaf === memory.words[P2M_IDENTITY]) return memory.codec.identityOf(pfn);
  return memory.words[memory.homes[leaf]! + (pfn & memory.leafMask)]!;
}

/** p2m_top -> mid -> leaf of a pfn below MAX_P2M_PFN. No slot of a tree that stands is empty. */
function treeLeaf(memory: Memory, pfn: number): number {
  const { words, homes } = memory;
  const mid = words[homes[words[P2M_TOP]!]! + (pfn >>> memory.midShift)]!;
  return words[homes[mid]! + ((pfn >>> memory.leafShift) & memory.midMask)]!;
}

/**
 * A pfn above the list: INVALID in extra memory that boot has not mapped yet (xen_chk_extra_mem), else identity (spec
 * 5.2.1). Above the tree, from MAX_P2M_PFN on, it is always identity.
 */
export function beyondList(memory: Memory, pfn: number): Word {
  const { words } = memory;
  const unmapped = pfn < words[Global.xen_max_p2m_pfn]! && !isTree(memory) && memory.isExtraMem(pfn);
  return unmapped ? INVALID : memory.codec.identityOf(pfn);
}
