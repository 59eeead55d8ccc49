import { Global, KINDS, kindName, usageError, type EventBatch } from '../../events/index.js';
import { GRANTS, GRANT_WORDS, POOL_HEAD } from './layout.js';
import type { Memory } from './memory.js';

const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_PMD = KINDS.set_pmd.id;
const ALLOC_PAGE = KINDS.alloc_page.id;
const SET_GLOBAL = KINDS.set_global.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const SET_TOP_MFN_P = KINDS.set_top_mfn_p.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const SET_MAX_PFN = KINDS.set_max_pfn.id;
const SET_GENERATION = KINDS.set_generation.id;
const LOCK = KINDS.lock.id;
const UNLOCK = KINDS.unlock.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_M2P = KINDS.set_m2p.id;
const SET_OVERRIDE = KINDS.set_override.id;
const SET_GRANT = KINDS.set_grant.id;
const FILL_PAGE = KINDS.fill_page.id;
const FREE_PAGE = KINDS.free_page.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;

const P2M_TOP = Global.p2m_top;
const P2M_TOP_MFN = Global.p2m_top_mfn;
const P2M_TOP_MFN_P = Global.p2m_top_mfn_p;
const UPDATE_LOCK = Global.p2m_update_lock;
/** Words of the dummy shared info page and of the real one. */
const MAX_PFN_OF = [Global['dummy.max_pfn'], Global['shared_info.max_pfn']];
const GENERATION_OF = [Global['dummy.p2m_generation'], Global['shared_info.p2m_generation']];

/** Is told of words that change. */
export interface WordSink {
  change(address: number, old: number, now: number): void;
}

/**
 * Tells `to` which word event `i` of the batch changes, from what to what: where a word stands is what `apply` says. A
 * compare-and-exchange that found something else changes none. What is not told: the words of a page that is filled, the
 * mark of one that is freed, and the count of attempts to allocate.
 *
 * Only of events that an operation makes after the boot.
 * @throws {P2mError} code `usage`: another event that changes memory
 */
export function changedWords(m: Memory, batch: EventBatch, i: number, to: WordSink): void {
  const a = batch.a[i]!;
  const b = batch.b[i]!;
  const c = batch.c[i]!;
  const d = batch.d[i]!;
  switch (batch.kind[i]) {
    case SET_ENTRY:
      return to.change(m.homes[b]! + (a & m.leafMask), c, d);
    case SET_PTE:
      return to.change(m.homes[b]! + ((a >>> m.leafShift) & m.pteMask), c, d);
    case SET_PMD:
      return to.change(m.layout.pmdBase + (a >>> m.pmdShift), b, c);
    case ALLOC_PAGE:
      return to.change(POOL_HEAD + m.poolOf(batch.cpu[i]!), a, a + 1);
    case SET_GLOBAL:
      return to.change(a, b, c);
    case SET_TOP_MFN:
      return c === b ? to.change(m.homes[m.words[P2M_TOP_MFN]!]! + a, c, d) : undefined;
    case SET_TOP_MFN_P:
      return to.change(m.homes[m.words[P2M_TOP_MFN_P]!]! + a, b, c);
    case SET_MID_MFN:
      return to.change(m.homes[a]! + b, c, d);
    case SET_MAX_PFN:
      return to.change(MAX_PFN_OF[a]!, b, c);
    case SET_GENERATION:
      return to.change(GENERATION_OF[a]!, b, c);
    case LOCK:
      return to.change(UPDATE_LOCK, 0, batch.cpu[i]! + 1);
    case UNLOCK:
      return to.change(UPDATE_LOCK, batch.cpu[i]! + 1, 0);
    case SET_TOP:
      return c === b ? to.change(m.homes[m.words[P2M_TOP]!]! + a, c, d) : undefined;
    case SET_MID:
      return d === c ? to.change(m.homes[a]! + b, d, batch.e[i]!) : undefined;
    case SET_M2P:
      return to.change(m.layout.m2pBase + a, b, c);
    case SET_OVERRIDE:
      return to.change(m.layout.overrideBase + a, b, c);
    case SET_GRANT:
      return to.change(GRANTS + a * GRANT_WORDS + b, c, d);
    case FILL_PAGE:
    case FREE_PAGE:
    case ALLOC_FAILED:
      return;
    default: {
      const name = kindName(batch.kind[i]!);
      if (name !== undefined && !KINDS[name].mutates) return;
      throw usageError('an event that only the boot makes', { got: name ?? String(batch.kind[i]) });
    }
  }
}
