import { FAULT, Global, INVALID, type EntryCodec } from '../../events/index.js';
import { LeafClass, leafClass, lookUp, NO_PAGE, ptePage, pteWritable, type Memory } from '../../src/index.js';
import type { ListDump } from '../recording/list_dump.js';
import type { Knowledge } from './knowledge.js';
import type { PageKind, PageRun, PtePage } from '../recording/page_kinds.js';

/** A place where the model's list is not the dump's. */
export interface Difference {
  /** `entry`, `page kind` or a symbol. */
  readonly what: string;
  readonly pfn: number;
  readonly expected: string;
  readonly actual: string;
}

/** What is known of the model's list, as far as a comparison asks. */
export type Known = Pick<
  Knowledge,
  'knowsPageTables' | 'isSettled' | 'isKindKnown' | 'isAnswerKnown' | 'mayBeIdentity' | 'racedWords'
>;

/** Of a list of which everything is known. */
export const ALL_KNOWN: Known = {
  knowsPageTables: true,
  isSettled: () => true,
  isKindKnown: () => true,
  isAnswerKnown: () => true,
  mayBeIdentity: () => false,
  racedWords: () => undefined,
};

/** What a comparison covered. Each difference was told to the listener. */
export interface Compared {
  readonly entries: number;
  /** Words of the dump that nothing is known to compare with. */
  readonly unknown: number;
  readonly leaves: number;
  readonly differences: number;
}

/**
 * Compares the model's list, as far as it is known, with a dump: every word, the kind of every leaf with its PT page and
 * whether it is writable, and xen_p2m_last_pfn. What is known only as a look-up is compared as one: a leaf of INVALID
 * words that is the shared p2m_identity page looks up as identity.
 *
 * @param compareLastPfn whether the model's xen_p2m_last_pfn is the kernel's
 */
export function compareWithDump(
  memory: Memory,
  knowledge: Known,
  dump: ListDump,
  compareLastPfn: boolean,
  onDifference: (difference: Difference) => void,
): Compared {
  let differences = 0;
  const tell = (difference: Difference): void => {
    differences++;
    onDifference(difference);
  };
  const { entries, unknown } = compareEntries(memory, knowledge, dump, tell);
  let leaves = 0;
  for (const run of dump.kinds) leaves += compareKinds(memory, knowledge, run, tell);
  const lastPfn = dump.info?.xenP2mLastPfn;
  if (compareLastPfn && lastPfn !== undefined && lastPfn !== memory.words[Global.xen_p2m_last_pfn]) {
    tell({
      what: 'xen_p2m_last_pfn',
      pfn: lastPfn,
      expected: hex(memory.words[Global.xen_p2m_last_pfn]!),
      actual: hex(lastPfn),
    });
  }
  return { entries, unknown, leaves, differences };
}

function compareEntries(
  memory: Memory,
  knowledge: Known,
  dump: ListDump,
  tell: (difference: Difference) => void,
): { entries: number; unknown: number } {
  const words = dump.entries;
  const { perPage } = memory.geometry;
  const size = Math.min(words.length, memory.words[Global.xen_p2m_size]!);
  let unknown = 0;
  for (let pfn = 0; pfn < size;) {
    const end = Math.min(size, pfn + perPage);
    if (!knowledge.isSettled(pfn)) {
      unknown += compareLookUps(memory, knowledge, dump, pfn, end, tell);
      pfn = end;
      continue;
    }
    const kind = leafClass(memory, pfn);
    let address = kind === LeafClass.entries ? memory.entryAddress(pfn) : -1;
    for (; pfn < end; pfn++, address++) {
      const model = kind === LeafClass.entries ? memory.words[address]! : kind === LeafClass.unmapped ? FAULT : INVALID;
      if (model !== words[pfn]) {
        tell({ what: 'entry', pfn, expected: show(memory.codec, model), actual: show(memory.codec, words[pfn]!) });
      }
    }
  }
  return { entries: size - unknown, unknown };
}

/** The look-ups of one leaf of which not all is known. Returns how many could not be compared. */
function compareLookUps(
  memory: Memory,
  knowledge: Known,
  dump: ListDump,
  pfnStart: number,
  pfnEnd: number,
  tell: (difference: Difference) => void,
): number {
  const kind = dump.kinds.find((run) => pfnStart >= run.pfnStart && pfnStart < run.pfnEnd)?.kind;
  let unknown = 0;
  for (let pfn = pfnStart; pfn < pfnEnd; pfn++) {
    const raced = knowledge.racedWords(pfn);
    if (raced?.includes(dump.entries[pfn]!) === true) continue;
    if (raced === undefined && !knowledge.isAnswerKnown(pfn)) {
      unknown++;
      continue;
    }
    const model = lookUp(memory, pfn);
    const identity = memory.codec.identityOf(pfn);
    const word = dump.entries[pfn]!;
    const actual = word === INVALID && kind === 'identity' ? identity : word;
    if (model === actual) continue;
    // Without its page kinds a dump does not tell p2m_identity from p2m_missing.
    if (word === INVALID && kind === undefined && model === identity && knowledge.mayBeIdentity(pfn)) continue;
    tell({ what: 'entry', pfn, expected: show(memory.codec, model), actual: show(memory.codec, actual) });
  }
  return unknown;
}

function compareKinds(memory: Memory, knowledge: Known, run: PageRun, tell: (difference: Difference) => void): number {
  const { perPage } = memory.geometry;
  let leaves = 0;
  const { knowsPageTables } = knowledge;
  for (let pfn = run.pfnStart; pfn < run.pfnEnd; pfn += perPage) {
    if (!knowledge.isKindKnown(pfn)) continue;
    leaves++;
    const kind = kindOf(memory, pfn);
    const page = knowsPageTables ? ptePageOf(memory, pfn) : undefined;
    const writable = run.writable === undefined ? undefined : pteWritable(memory.pteOf(pfn));
    const wantedPage = knowsPageTables ? run.ptePage : undefined;
    if (kind === run.kind && page === wantedPage && writable === run.writable) continue;
    const expected = describe(kind, page, writable);
    tell({ what: 'page kind', pfn, expected, actual: describe(run.kind, wantedPage, run.writable) });
  }
  return leaves;
}

/** What page of the list the PTE of `pfn` names. */
export function kindOf(memory: Memory, pfn: number): PageKind {
  const page = ptePage(memory.pteOf(pfn));
  if (page === NO_PAGE) return 'unmapped';
  if (page === memory.words[Global.p2m_identity]) return 'identity';
  return page === memory.words[Global.p2m_missing] ? 'missing' : 'own';
}

/** What PT page maps `pfn`; undefined where there is none. */
export function ptePageOf(memory: Memory, pfn: number): PtePage | undefined {
  const page = memory.ptPageOf(pfn);
  if (page === NO_PAGE) return undefined;
  if (page === memory.words[Global.p2m_identity_pte]) return 'p2m_identity_pte';
  return page === memory.words[Global.p2m_missing_pte] ? 'p2m_missing_pte' : 'own_pte';
}

function describe(kind: PageKind, pte: PtePage | undefined, writable: boolean | undefined): string {
  const access = writable === undefined ? '' : writable ? ' writable' : ' read-only';
  return `${kind}${access}${pte === undefined ? '' : ` in ${pte}`}`;
}

function show(codec: EntryCodec, word: number): string {
  return word === FAULT ? 'fault' : codec.toHex(word);
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
