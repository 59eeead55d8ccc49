import { Global, Role, type EntryCodec } from '../../events/index.js';
import {
  Grant,
  GRANT_WORDS,
  GRANTS,
  GRANTS_MAX,
  isTree,
  leafAddress,
  LeafClass,
  leafClass,
  type Memory,
} from '../../src/index.js';

const SEED = 0x811c9dc5 | 0;
const PRIME = 16777619;

/** 32-bit digests, as 8 hexadecimal digits, of all that a memory holds: the same for either memory, codec and machine. */
export interface StateDigest {
  /** Of the list, of the old tree all that it spans: what each leaf is, and the entries of those that are not shared. */
  readonly list: string;
  /** Of everything else: globals, pools, grants, m2p, what each page is, and what the pages hold that are no leaves. */
  readonly rest: string;
}

/**
 * Digests of the memory as it stands. Unlike `digests`, which counts pfn by pfn as the vectors do, a shared leaf is one
 * step here: a list sized for memory hotplug has a hundred million pfns and few leaves of its own.
 */
export function stateDigest(memory: Memory): StateDigest {
  return { list: hex(listOf(memory)), rest: hex(restOf(memory)) };
}

function listOf(memory: Memory): number {
  const { words, geometry, codec } = memory;
  const end = isTree(memory) ? geometry.maxP2mPfn : words[Global.xen_p2m_size]!;
  let h = SEED;
  for (let pfn = 0; pfn < end; pfn += geometry.perPage) {
    const kind = leafClass(memory, pfn);
    h = Math.imul(h ^ kind, PRIME);
    if (kind !== LeafClass.entries) continue;
    const address = leafAddress(memory, pfn);
    h = addEntries(h, words, address, address + Math.min(geometry.perPage, end - pfn), codec);
  }
  return h;
}

function restOf(memory: Memory): number {
  const { words, roles, homes, layout, geometry, codec } = memory;
  const grantsEnd = GRANTS + GRANT_WORDS * GRANTS_MAX;
  let h = add(SEED, words, 0, GRANTS);
  for (let slot = GRANTS; slot < grantsEnd; slot += GRANT_WORDS) {
    h = add(h, words, slot, slot + Grant.savedEntry);
    h = addEntries(h, words, slot + Grant.savedEntry, slot + Grant.savedEntry + 1, codec);
    h = add(h, words, slot + Grant.savedEntry + 1, slot + GRANT_WORDS);
  }
  h = add(h, words, grantsEnd, layout.pagesBase);
  h = add(h, roles, 0, layout.pageEnd);
  for (let page = 1; page < layout.pageEnd; page++) {
    const role = memory.role(page);
    // A leaf counts by what look-ups see; the flat memory keeps no words of one that is not linked.
    if (role === Role.none || role === Role.init || role === Role.leaf) continue;
    const home = homes[page]!;
    const ofEntries = role === Role.missing || role === Role.identity;
    if (ofEntries) h = addEntries(h, words, home, home + geometry.pageWords, codec);
    else h = add(h, words, home, home + geometry.pageWords);
  }
  return h;
}

function add(seed: number, words: Int32Array | Uint8Array, start: number, end: number): number {
  let h = seed;
  for (let i = start; i < end; i++) h = Math.imul(h ^ words[i]!, PRIME);
  return h;
}

/** Entries count by their values: a handle means something only beside its codec. */
function addEntries(seed: number, words: Int32Array, start: number, end: number, codec: EntryCodec): number {
  let h = seed;
  for (let i = start; i < end; i++) {
    h = Math.imul(h ^ codec.rawLo(words[i]!), PRIME);
    h = Math.imul(h ^ codec.rawHi(words[i]!), PRIME);
  }
  return h;
}

function hex(h: number): string {
  return (h >>> 0).toString(16).padStart(8, '0');
}
