import { Global, INVALID, type Word } from '../events/index.js';
import { LIST_BUILDER, type Memory } from './memory/memory.js';
import { NO_PAGE, ptePage } from './memory/pte.js';

/** What a range of pfns within one leaf is to a look-up. */
export const LeafClass = { entries: 0, missing: 1, identity: 2, unmapped: 3, beyond: 4 } as const;

/**
 * What the leaf of `pfn` is to a look-up: entries to load, one shared page for all of it, nothing, or beyond the list.
 */
export function leafClass(memory: Memory, pfn: number): number {
  const { words } = memory;
  if (pfn >= words[Global.xen_p2m_size]!) return LeafClass.beyond;
  if (words[Global.xen_p2m_addr] === LIST_BUILDER) return LeafClass.entries;
  const pte = memory.pteOf(pfn);
  const page = ptePage(pte);
  if (page === NO_PAGE) return LeafClass.unmapped;
  if (page === words[Global.p2m_identity]) return LeafClass.identity;
  return page === words[Global.p2m_missing] ? LeafClass.missing : LeafClass.entries;
}

/**
 * A look-up as one atomic act: what `__pfn_to_mfn` answers when nobody is in the middle of anything; FAULT where it would
 * fault or BUG. Linear forms. For checkers, dumps and hot look-ups; that it equals the step machine is a property test.
 */
export function lookUp(memory: Memory, pfn: number): Word {
  if (pfn < memory.words[Global.xen_p2m_size]!) {
    const word = memory.loadEntry(pfn);
    return word === INVALID ? lookUpInvalid(memory, pfn) : word;
  }
  return beyondList(memory, pfn);
}

function lookUpInvalid(memory: Memory, pfn: number): Word {
  const { words } = memory;
  if (words[Global.xen_p2m_addr] === LIST_BUILDER) return INVALID;
  const page = ptePage(memory.pteOf(pfn));
  return page === words[Global.p2m_identity] ? memory.codec.identityOf(pfn) : INVALID;
}

/** A pfn above the list: INVALID in extra memory that boot has not mapped yet (xen_chk_extra_mem), else identity (spec 5.2.1). */
export function beyondList(memory: Memory, pfn: number): Word {
  const { words } = memory;
  if (pfn < words[Global.xen_max_p2m_pfn]! && memory.isExtraMem(pfn)) return INVALID;
  return memory.codec.identityOf(pfn);
}
