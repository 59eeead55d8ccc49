import { KINDS } from '../events/index.js';
import type { Domain } from './domain.js';
import { apply } from './memory/apply.js';
import { NO_PAGE } from './memory/pte.js';

const SET_ENTRY = KINDS.set_entry.id;
/** No operation of the kernel makes these events: a loader does. */
const NO_OP = 0;

/**
 * Stores entries in leaves that are private already, one `set_entry` event each: what the store of `__set_phys_to_machine`
 * does there (spec 6.1, S2), by no operation, for loaders and tools that set millions. Stops at the first leaf that takes no
 * store, for there the kernel would allocate: that one is for `set_phys_to_machine`.
 *
 * The events stay in `domain.batch`: whoever sets more than some thousands calls `domain.flush` (an engine: `flush`) between.
 *
 * @param pfns  below xen_p2m_size
 * @param words what each of them becomes, of the domain's codec; `pfns.length` of them
 * @returns how many were set: `pfns.length`, or the place in `pfns` of the one whose leaf is shared
 */
export function setEntries(domain: Domain, pfns: Int32Array, words: Int32Array): number {
  const { memory, batch } = domain;
  for (let i = 0; i < pfns.length; i++) {
    const pfn = pfns[i]!;
    const page = memory.storePage(pfn);
    if (page === NO_PAGE) return i;
    apply(memory, batch, batch.push(SET_ENTRY, 0, NO_OP, pfn, page, memory.loadEntryOf(page, pfn), words[i]));
  }
  return pfns.length;
}
