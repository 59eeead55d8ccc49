import { INVALID, type EntryCodec, type Word } from '../../events/index.js';
import { beyondList, leafAddress, LeafClass, leafClass } from '../look_up.js';
import type { Memory } from '../memory/memory.js';

const SEED = 0x811c9dc5 | 0;
const PRIME = 16777619;
/** What a look-up that faults counts as. */
const FAULT_VALUE = 0xfa017;

/** 32-bit digests of a window of the list, as 8 hexadecimal digits (vectors/README.md, "dump"). */
export interface Digests {
  /** Of what look-ups answer. */
  readonly lookup: string;
  /** Of the words stored in the list: INVALID on a shared identity leaf; above the list the look-up. */
  readonly raw: string;
}

/** Digests of [pfnStart, pfnEnd). The two are computed once as long as they are the same. */
export function digests(memory: Memory, pfnStart: number, pfnEnd: number): Digests {
  const { perPage } = memory.geometry;
  const { codec } = memory;
  let lookup = SEED;
  let raw = SEED;
  for (let pfn = pfnStart; pfn < pfnEnd;) {
    const end = Math.min(pfnEnd, (Math.floor(pfn / perPage) + 1) * perPage);
    const same = raw === lookup;
    const kind = leafClass(memory, pfn);
    if (kind === LeafClass.identity) {
      lookup = addIdentity(codec, lookup, pfn, end);
      raw = addValue(raw, codec.rawLo(INVALID), codec.rawHi(INVALID), end - pfn);
    } else {
      lookup = addLeaf(memory, kind, lookup, pfn, end);
      raw = same ? lookup : addLeaf(memory, kind, raw, pfn, end);
    }
    pfn = end;
  }
  return { lookup: hex(lookup), raw: hex(raw) };
}

function addLeaf(memory: Memory, kind: number, seed: number, pfn: number, end: number): number {
  const { codec } = memory;
  if (kind === LeafClass.missing) return addValue(seed, codec.rawLo(INVALID), codec.rawHi(INVALID), end - pfn);
  if (kind === LeafClass.unmapped) return addValue(seed, FAULT_VALUE, 0, end - pfn);
  let h = seed;
  let address = kind === LeafClass.entries ? leafAddress(memory, pfn) : 0;
  for (let p = pfn; p < end; p++) {
    const word: Word = kind === LeafClass.entries ? memory.words[address++]! : beyondList(memory, p);
    h = Math.imul(h ^ codec.rawLo(word), PRIME);
    h = Math.imul(h ^ codec.rawHi(word), PRIME);
  }
  return h;
}

function addIdentity(codec: EntryCodec, seed: number, pfn: number, end: number): number {
  let h = seed;
  for (let p = pfn; p < end; p++) {
    const word = codec.identityOf(p);
    h = Math.imul(h ^ codec.rawLo(word), PRIME);
    h = Math.imul(h ^ codec.rawHi(word), PRIME);
  }
  return h;
}

function addValue(seed: number, lo: number, hi: number, count: number): number {
  let h = seed;
  for (let i = 0; i < count; i++) {
    h = Math.imul(h ^ lo, PRIME);
    h = Math.imul(h ^ hi, PRIME);
  }
  return h;
}

function hex(h: number): string {
  return (h >>> 0).toString(16).padStart(8, '0');
}
