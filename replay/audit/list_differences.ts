import { FAULT, Global, GLOBALS, INVALID, type EntryCodec, type Word } from '../../events/index.js';
import { isTree, LeafClass, leafClass, lookUpRange, type Memory } from '../../src/index.js';
import { ListTables } from '../scenario/checks/list_tables.js';
import { kindOf, ptePageOf } from '../run/compare.js';
import { listEnd, listStands } from './list_runs.js';

/** Pfns [pfnStart, pfnEnd) that say one thing before and another after. */
export interface DifferingRun {
  /** `entries`: look-ups, which count up or stay alike; `page`: kind of leaf and PT page; `mfn tree`: what it names there. */
  readonly what: 'entries' | 'page' | 'mfn tree';
  readonly pfnStart: number;
  pfnEnd: number;
  /** Of entries that of `pfnStart`, in raw hexadecimal; `no list`, where none stands. */
  readonly before: string;
  readonly after: string;
}

/** A word of the global state that differs. Of those that name a page it is said whether they do. */
export interface DifferingGlobal {
  readonly global: string;
  readonly before: string;
  readonly after: string;
}

/** Globals whose number is a page or an address, which two logs need not have alike. */
const PLACES = new Set<number>([
  Global.p2m_missing,
  Global.p2m_identity,
  Global.p2m_missing_pte,
  Global.p2m_identity_pte,
  Global.p2m_top_mfn,
  Global.p2m_top_mfn_p,
  Global.p2m_mid_missing_mfn,
  Global.p2m_top,
  Global.p2m_mid_missing,
  Global.p2m_mid_identity,
  Global['dummy.pfn_to_mfn_frame_list_list'],
  Global['shared_info.pfn_to_mfn_frame_list_list'],
  Global['dummy.p2m_cr3'],
  Global['shared_info.p2m_cr3'],
]);

/** The globals that differ. */
export function differingGlobals(before: Memory, after: Memory): DifferingGlobal[] {
  return GLOBALS.flatMap((global, i) => {
    const [old, now] = [before, after].map(({ words }) => textOf(i, words[i]!)) as [string, string];
    return old === now ? [] : [{ global, before: old, after: now }];
  });
}

function textOf(global: number, value: number): string {
  if (PLACES.has(global)) return value === 0 ? 'none' : 'a page';
  return value < 0 ? String(value) : `0x${value.toString(16)}`;
}

/**
 * Where two lists differ, in pfns of both: look-ups, kinds of pages and what the tools' tree names, as runs. Entries are
 * compared by value, pages by what they are; page numbers do not count. A list that does not stand says `no list`.
 */
export function listDifferences(before: Memory, after: Memory): DifferingRun[] {
  const runs: DifferingRun[] = [];
  const both = listStands(before) && listStands(after);
  const { perPage } = before.geometry;
  const pfnEnd = Math.max(...[before, after].map((memory) => (listStands(memory) ? listEnd(memory) : 0)));
  if (!both) {
    const say = (memory: Memory): string => (listStands(memory) ? 'a list' : 'no list');
    if (pfnEnd === 0) return [];
    return [{ what: 'page', pfnStart: 0, pfnEnd, before: say(before), after: say(after) }];
  }
  const trees = [before, after].map((memory) => new TreeNames(memory)) as [TreeNames, TreeNames];
  const entries = new EntryRuns(before, after);
  const pages = new NamedRuns('page', perPage);
  const names = new NamedRuns('mfn tree', perPage);
  for (let pfn = 0; pfn < pfnEnd; pfn += perPage) {
    entries.leaf(pfn);
    pages.leaf(pfn, pageOf(before, pfn), pageOf(after, pfn));
    names.leaf(pfn, trees[0].of(pfn), trees[1].of(pfn));
  }
  runs.push(...entries.runs, ...pages.runs, ...names.runs);
  return runs;
}

function pageOf(memory: Memory, pfn: number): string {
  if (isTree(memory)) {
    const names: Readonly<Record<number, string>> = {
      [LeafClass.missing]: 'missing',
      [LeafClass.identity]: 'identity',
    };
    const kind = leafClass(memory, pfn);
    return names[kind] ?? (kind === LeafClass.beyond ? 'beyond the tree' : 'own');
  }
  if (pfn >= memory.words[Global.xen_p2m_size]!) return 'beyond the list';
  return `${kindOf(memory, pfn)} in ${ptePageOf(memory, pfn) ?? 'no PT page'}`;
}

/** What the tools' tree names for a leaf, beside what the list has. */
class TreeNames {
  readonly #memory: Memory;
  readonly #tables: ListTables;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#tables = new ListTables(memory);
  }

  of(pfn: number): string {
    const memory = this.#memory;
    const { geometry: g, words } = memory;
    const top = words[Global.p2m_top_mfn]!;
    if (top === 0 || pfn >= g.maxP2mPfn) return 'none';
    const mid = memory.loadWord(top, Math.floor(pfn / g.pfnsPerMidPage));
    const leaf = memory.loadWord(mid, Math.floor(pfn / g.perPage) % g.midPerPage);
    if (leaf === words[Global.p2m_missing]) return 'p2m_missing';
    if (leaf === words[Global.p2m_identity]) return 'p2m_identity';
    return leaf === this.#tables.leafOf(pfn) ? 'the leaf of the list' : 'another page';
  }
}

/** Leaves that differ alike. */
class NamedRuns {
  readonly runs: DifferingRun[] = [];
  readonly #what: 'page' | 'mfn tree';
  readonly #perPage: number;

  constructor(what: 'page' | 'mfn tree', perPage: number) {
    this.#what = what;
    this.#perPage = perPage;
  }

  leaf(pfn: number, before: string, after: string): void {
    if (before === after) return;
    const last = this.runs.at(-1);
    if (last?.pfnEnd === pfn && last.before === before && last.after === after) last.pfnEnd += this.#perPage;
    else this.runs.push({ what: this.#what, pfnStart: pfn, pfnEnd: pfn + this.#perPage, before, after });
  }
}

/** Look-ups that differ, and go on as they do. */
class EntryRuns {
  readonly runs: DifferingRun[] = [];
  readonly #before: Memory;
  readonly #after: Memory;
  readonly #old: Int32Array;
  readonly #now: Int32Array;
  /** The words that the last run would go on with. */
  #nextOld: Word = INVALID;
  #nextNow: Word = INVALID;

  constructor(before: Memory, after: Memory) {
    this.#before = before;
    this.#after = after;
    this.#old = new Int32Array(before.geometry.perPage);
    this.#now = new Int32Array(before.geometry.perPage);
  }

  leaf(pfnStart: number): void {
    const kind = leafClass(this.#before, pfnStart);
    if (kind !== LeafClass.entries && kind === leafClass(this.#after, pfnStart) && kind !== LeafClass.beyond) return;
    lookUpRange(this.#before, pfnStart, this.#old);
    lookUpRange(this.#after, pfnStart, this.#now);
    for (let i = 0; i < this.#old.length; i++)
      this.#entry(pfnStart + i, this.#old[i]!, translated(this.#after, this.#before.codec, this.#now[i]!));
  }

  #entry(pfn: number, old: Word, now: Word): void {
    if (old === now) return;
    const { codec } = this.#before;
    const last = this.runs.at(-1);
    if (last?.pfnEnd === pfn && old === this.#nextOld && now === this.#nextNow) last.pfnEnd++;
    else {
      const [before, after] = [wordText(codec, old), wordText(codec, now)];
      this.runs.push({ what: 'entries', pfnStart: pfn, pfnEnd: pfn + 1, before, after });
    }
    this.#nextOld = next(codec, old);
    this.#nextNow = next(codec, now);
  }
}

function wordText(codec: EntryCodec, word: Word): string {
  return word === FAULT ? 'fault' : codec.toHex(word);
}

function next(codec: EntryCodec, word: Word): Word {
  return word === FAULT ? FAULT : codec.add(word, 1);
}

/** A word of `memory` in another codec: handles count by their values. */
function translated({ codec: from }: Memory, to: EntryCodec, word: Word): Word {
  if (from === to || word === FAULT || word === INVALID) return word;
  return to.fromRaw(from.rawHi(word), from.rawLo(word));
}
