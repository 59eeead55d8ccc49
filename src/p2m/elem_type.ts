import { Global, INVALID } from '../../events/index.js';
import type { Memory } from '../memory/memory.js';

/** P2M_TYPE_*: what `xen_p2m_elem_type` tells (spec 4.7). */
export const ElemType = { identity: 0, missing: 1, pfn: 2 } as const;

/**
 * `xen_p2m_elem_type(pfn)`: the type of an entry by the entry alone (spec 4.7). It never looks at the PTE, so a pfn of the
 * shared identity leaf reports missing; a foreign entry counts as pfn.
 */
export function elemType(memory: Memory, pfn: number): number {
  if (pfn >= memory.words[Global.xen_p2m_size]!) return ElemType.identity;
  const word = memory.loadEntry(pfn);
  if (word === INVALID) return ElemType.missing;
  return memory.codec.isIdentity(word) ? ElemType.identity : ElemType.pfn;
}
