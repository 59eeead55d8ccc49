import { Global, KINDS, kindName, Pattern, usageError, type EventBatch } from '../../events/index.js';
import { ATTEMPTS, POOL_HEAD, type Memory } from '../../src/index.js';
import type { StateHash } from '../explore/state_hash.js';

/** Key of what `free_page` marks; addresses of words are not negative. */
const FREED_KEY = -1;

/** Words of the dummy shared info page and of the real one (apply.ts). */
const MAX_PFN_OF = [Global['dummy.max_pfn'], Global['shared_info.max_pfn']];
const GENERATION_OF = [Global['dummy.p2m_generation'], Global['shared_info.p2m_generation']];

/**
 * Brings the hash of the paged memory up to date after events `from` to the end of the batch: the sum over all words of
 * (address, word), so two histories that leave the same words have the same hash. A page that a pattern filled counts as
 * one pair; a copied one by its words, for what it copies may have been written. What is never read again without being
 * filled anew (a page before its fill) does not count.
 *
 * Must be called after each step: a copied page is hashed as it is now, so nothing may have stored to it since.
 * @throws P2mError for a mutation that no operation of a scenario makes
 */
export function hashEvents(hash: StateHash, memory: Memory, batch: EventBatch, from: number): void {
  for (let i = from; i < batch.length; i++) hashEvent(hash, memory, batch, i);
}

function hashEvent(hash: StateHash, m: Memory, batch: EventBatch, i: number): void {
  const a = batch.a[i]!;
  const b = batch.b[i]!;
  const c = batch.c[i]!;
  const d = batch.d[i]!;
  switch (batch.kind[i]) {
    case KINDS.set_entry.id:
      return change(hash, m.homes[b]! + (a & m.leafMask), c, d);
    case KINDS.set_pte.id:
      return change(hash, m.homes[b]! + ((a >>> m.leafShift) & m.pteMask), c, d);
    case KINDS.set_pmd.id:
      return change(hash, m.layout.pmdBase + (a >>> m.pmdShift), b, c);
    case KINDS.fill_page.id:
      return b === Pattern.copy ? addWords(hash, m, a) : hash.add(m.homes[a]!, b ^ (c << 3));
    case KINDS.alloc_page.id:
      hash.add(ATTEMPTS, 0);
      return change(hash, POOL_HEAD + m.poolOf(batch.cpu[i]!), a, a + 1);
    case KINDS.alloc_failed.id:
      return hash.add(ATTEMPTS, 0);
    case KINDS.free_page.id:
      return hash.add(FREED_KEY, a);
    case KINDS.set_global.id:
      return change(hash, a, b, c);
    case KINDS.set_top_mfn.id:
      // A compare-and-exchange that found something else changes nothing.
      return change(hash, m.homes[m.words[Global.p2m_top_mfn]!]! + a, c, c === b ? d : c);
    case KINDS.set_top_mfn_p.id:
      return change(hash, m.homes[m.words[Global.p2m_top_mfn_p]!]! + a, b, c);
    case KINDS.set_mid_mfn.id:
      return change(hash, m.homes[a]! + b, c, d);
    case KINDS.set_max_pfn.id:
      return change(hash, MAX_PFN_OF[a]!, b, c);
    case KINDS.set_generation.id:
      return change(hash, GENERATION_OF[a]!, b, c);
    case KINDS.lock.id:
      return change(hash, Global.p2m_update_lock, 0, batch.cpu[i]! + 1);
    case KINDS.unlock.id:
      return change(hash, Global.p2m_update_lock, batch.cpu[i]! + 1, 0);
    default: {
      const name = kindName(batch.kind[i]!);
      if (name !== undefined && !KINDS[name].mutates) return;
      throw usageError('a step that an explorer cannot hash', { got: name ?? String(batch.kind[i]) });
    }
  }
}

function change(hash: StateHash, address: number, old: number, now: number): void {
  hash.take(address, old);
  hash.add(address, now);
}

function addWords(hash: StateHash, m: Memory, page: number): void {
  const home = m.homes[page]!;
  for (let i = 0; i < m.geometry.ptrsPerPte; i++) hash.add(home + i, m.words[home + i]!);
}
