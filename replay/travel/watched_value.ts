import { Global, GLOBALS, KINDS, usageError, type EventBatch } from '../../events/index.js';
import { lookUp, type Memory } from '../../src/index.js';
import { EventWords } from '../audit/event_words.js';

/** A value of the modelled memory that somebody watches. */
export interface WatchedValue {
  /** `pfn 0x40500`. */
  readonly name: string;
  /** By id of a kind: whether events of the kind can change it. */
  readonly kinds: Uint8Array;
  /** Whether event `i`, of such a kind, may: what is false here has not changed it. */
  mayChange(batch: EventBatch, i: number): boolean;
  /** As it is in the memory. Equal numbers are equal values. */
  read(): number;
  format(value: number): string;
}

const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_PMD = KINDS.set_pmd.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const SET_MID = KINDS.set_mid.id;
const SET_TOP = KINDS.set_top.id;
const SET_GLOBAL = KINDS.set_global.id;

/** What leads a walk to another leaf. */
const LINKS = [SET_PTE, SET_PMD, POPULATE_PMD, SET_MID, SET_TOP, SET_GLOBAL, KINDS.fill_page.id];
/** What a look-up answers by: those, entries, and what lies beyond the list. */
const ENTRIES = [
  ...LINKS,
  SET_ENTRY,
  KINDS.identity_range.id,
  KINDS.boot.id,
  KINDS.load_entries.id,
  KINDS.wipe_page.id,
  KINDS.set_extra_mem.id,
];
const GLOBAL_KINDS = [SET_GLOBAL, KINDS.lock.id, KINDS.unlock.id, KINDS.set_max_pfn.id, KINDS.set_generation.id];

/**
 * What a look-up of `pfn` answers. A store reaches it through any leaf that it shares with another pfn: what counts is the
 * index within the leaf, not the pfn of the event.
 */
export function watchedPfn(memory: Memory, pfn: number): WatchedValue {
  const words = wordsOf(memory);
  return {
    name: `pfn 0x${pfn.toString(16)}`,
    kinds: kindSet(ENTRIES),
    mayChange: (batch, i) =>
      batch.kind[i] === SET_ENTRY ? ((batch.a[i]! ^ pfn) & memory.leafMask) === 0 : mayRelink(memory, pfn, batch, i),
    read: () => lookUp(memory, pfn),
    format: (word) => words.entry(word),
  };
}

/** The PTE that maps the entry of `pfn`, of a kernel that has a linear list. */
export function watchedPte(memory: Memory, pfn: number): WatchedValue {
  return {
    name: `pte of pfn 0x${pfn.toString(16)}`,
    kinds: kindSet(LINKS),
    mayChange: (batch, i) => mayRelink(memory, pfn, batch, i),
    read: () => memory.pteOf(pfn),
    format: (pte) => wordsOf(memory).pte(pte),
  };
}

/** The PMD slot that spans `pfn`, of a kernel that has a linear list. @throws {P2mError} code `usage`: no slot does */
export function watchedPmd(memory: Memory, pfn: number): WatchedValue {
  const { areaPfns, pmdBase } = memory.layout;
  if (pfn >= areaPfns) {
    throw usageError('no PMD slot for the pfn', {
      got: `0x${pfn.toString(16)}`,
      expected: `below 0x${areaPfns.toString(16)}`,
    });
  }
  return {
    name: `pmd of pfn 0x${pfn.toString(16)}`,
    kinds: kindSet([SET_PMD, POPULATE_PMD]),
    mayChange: (batch, i) => mayRelink(memory, pfn, batch, i),
    read: () => memory.words[pmdBase + (pfn >>> memory.pmdShift)]!,
    format: (pmd) => wordsOf(memory).pte(pmd),
  };
}

/** A word of the kernel's global state. @throws {P2mError} code `usage`: there is none of that name */
export function watchedGlobal(memory: Memory, name: string): WatchedValue {
  const index = GLOBALS.indexOf(name as (typeof GLOBALS)[number]);
  if (index <= 0)
    throw usageError('no such global', { got: JSON.stringify(name), expected: 'one of: complete it with Tab' });
  return {
    name: index === Global.p2m_update_lock ? 'p2m_update_lock' : `global ${name}`,
    kinds: kindSet(GLOBAL_KINDS),
    mayChange: (batch, i) => batch.kind[i] !== SET_GLOBAL || batch.a[i] === index,
    read: () => memory.words[index]!,
    format: (value) => globalText(index, value),
  };
}

/** A global's value as people read it: who holds the lock, a number that is small as it is, else in hexadecimal. */
export function globalText(index: number, value: number): string {
  if (index === Global.p2m_update_lock) return value === 0 ? 'free' : `held by cpu${value - 1}`;
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}

/** The words for what is in the memory: pages go by what they are at its moment. */
export function wordsOf(memory: Memory): EventWords {
  return new EventWords(memory.codec, (page) => memory.role(page));
}

/** Whether an event other than a store to an entry may lead a walk of `pfn` to another leaf, or change that leaf. */
function mayRelink(memory: Memory, pfn: number, { kind, a, b }: EventBatch, i: number): boolean {
  switch (kind[i]) {
    case SET_PTE:
      // A PT page may be shared: what counts is the index within it.
      return (((a[i]! ^ pfn) >>> memory.leafShift) & memory.pteMask) === 0;
    case SET_PMD:
    case POPULATE_PMD:
      return a[i]! >>> memory.pmdShift === pfn >>> memory.pmdShift;
    case SET_TOP:
      return a[i] === pfn >>> memory.midShift;
    case SET_MID:
      return b[i] === ((pfn >>> memory.leafShift) & memory.midMask);
    default:
      return true;
  }
}

function kindSet(kinds: readonly number[]): Uint8Array {
  const set = new Uint8Array(256);
  for (const kind of kinds) set[kind] = 1;
  return set;
}
