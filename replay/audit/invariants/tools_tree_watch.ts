import { Global, KINDS, type EventBatch } from '../../../events/index.js';
import { NO_PAGE, ptePage } from '../../../src/index.js';
import { ToolsTree } from '../../scenario/checks/tools_tree.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';
import { Settled } from './settled.js';

const RETURN = KINDS.return.id;
const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const SET_TOP_MFN_P = KINDS.set_top_mfn_p.id;

/** What is compared, and whether a private leaf in a table that all share counts. */
type Compared = 'miss' | 'difference' | 'mismatch';

/** I3, one way: what the list has, the tree names. */
export const MFN_TREE_MISSES_LEAF: Invariant = {
  holds: "the tools' tree names every private leaf of the list, once its allocation has returned (I3)",
  kinds: ['set_pmd', 'set_pte', 'set_top', 'set_mid', 'set_mid_mfn', 'set_top_mfn', 'return'],
  watch: (list) => new ToolsTreeWatch(list, 'miss'),
};

/** I3: list and tree say the same. */
export const LIST_AND_TREE_DIFFER: Invariant = {
  holds: "the list and the tools' tree name the same private leaves, and none stands in a table that all share (I3)",
  kinds: ['set_pmd', 'set_pte', 'set_top', 'set_mid', 'set_mid_mfn', 'set_top_mfn', 'set_top_mfn_p', 'return'],
  watch: (list) => new ToolsTreeWatch(list, 'difference'),
};

/** I3: the two top pages say the same. */
export const TOP_MISMATCH: Invariant = {
  holds: 'p2m_top_mfn and p2m_top_mfn_p name the same mid pages, once an allocation there has returned (I3)',
  kinds: ['set_top_mfn', 'set_top_mfn_p', 'return'],
  watch: (list) => new ToolsTreeWatch(list, 'mismatch'),
};

/** Leaves by number (pfn / perPage), or slots of the top pages, whose words have changed and are not judged yet. */
class ToolsTreeWatch implements InvariantWatch {
  readonly #list: ListAtMoment;
  readonly #tree: ToolsTree;
  readonly #compared: Compared;
  readonly #settled: Settled;
  /** Pfns of a thing that is judged: a leaf, or what a mid page spans. */
  readonly #span: number;

  constructor(list: ListAtMoment, compared: Compared) {
    const { memory, tables, words, operations } = list;
    this.#list = list;
    this.#compared = compared;
    this.#tree = new ToolsTree(memory, tables, words);
    this.#span = compared === 'mismatch' ? memory.geometry.pfnsPerMidPage : memory.geometry.perPage;
    const spanOf = (thing: number): { pfnStart: number; pfnEnd: number } => ({
      pfnStart: thing * this.#span,
      pfnEnd: (thing + 1) * this.#span,
    });
    this.#settled = new Settled(operations, spanOf, (thing) => this.#judge(thing));
  }

  get undecided(): number {
    return this.#settled.undecided;
  }

  begin(): string | undefined {
    const { memory, tables } = this.#list;
    if (!this.#tree.stands) return undefined;
    const { maxP2mPfn } = memory.geometry;
    const pfnEnd = tables.isTree ? maxP2mPfn : Math.min(maxP2mPfn, memory.words[Global.xen_p2m_size]!);
    for (let thing = 0; thing * this.#span < pfnEnd; thing++) {
      const says = this.#judge(thing);
      if (says !== undefined) return says;
    }
    return undefined;
  }

  /** A return matters only to what waits for it. */
  before(batch: EventBatch, i: number): boolean {
    return batch.kind[i] !== RETURN || this.#settled.undecided > 0;
  }

  after(event: Happened): Breach | undefined {
    if (!this.#tree.stands) return undefined;
    if (event.ended !== undefined) {
      const breach = this.#settled.decide();
      if (breach !== undefined) return breach;
    }
    const { seq } = event;
    const shared = this.#compared === 'difference' ? this.#inSharedTable(event) : undefined;
    if (shared !== undefined) return { seq, says: shared };
    for (const thing of this.#touched(event)) {
      const breach = this.#settled.touch(thing, seq);
      if (breach !== undefined) return breach;
    }
    return undefined;
  }

  #judge(thing: number): string | undefined {
    switch (this.#compared) {
      case 'miss':
        return this.#tree.miss(thing * this.#span)?.();
      case 'difference':
        return this.#tree.difference(thing * this.#span)?.();
      case 'mismatch':
        return this.#tree.mismatch(thing)?.();
    }
  }

  /** What the event may have changed. */
  #touched({ batch, row }: Happened): Iterable<number> {
    const { memory, tables } = this.#list;
    const { geometry: g } = memory;
    const a = batch.a[row]!;
    const isTop = this.#compared === 'mismatch';
    switch (batch.kind[row]) {
      case SET_PTE:
        return this.#leavesAt(batch.b[row]!, (a >>> memory.leafShift) & memory.pteMask);
      case SET_MID:
        return this.#leavesAt(a, batch.b[row]!);
      case SET_PMD:
        return range((a >>> memory.pmdShift) * tables.lowerCount, tables.lowerCount);
      case SET_TOP:
        return range(a * tables.lowerCount, tables.lowerCount);
      case SET_MID_MFN:
        return this.#topsOf(a).map((top) => top * g.midPerPage + batch.b[row]!);
      case SET_TOP_MFN:
      case SET_TOP_MFN_P:
        return isTop ? [a] : range(a * g.midPerPage, g.midPerPage);
      default:
        return [];
    }
  }

  /** Leaves that slot `index` of a table of the list says, in each area that it maps. */
  #leavesAt(table: number, index: number): number[] {
    const { tables, links } = this.#list;
    if (links.uppersOf(table) === 0) return [];
    return tables.uppersOf(table).map((upper) => upper * tables.lowerCount + index);
  }

  /** Slots of p2m_top_mfn that name the mid page. */
  #topsOf(mid: number): number[] {
    const { memory } = this.#list;
    const top = memory.words[Global.p2m_top_mfn]!;
    const tops: number[] = [];
    for (let i = 0; i < memory.geometry.topPerPage; i++) if (memory.loadWord(top, i) === mid) tops.push(i);
    return tops;
  }

  /** A private leaf that the event has put in a table that all share, be it the list's or the tools'. */
  #inSharedTable({ batch, row }: Happened): string | undefined {
    const { memory, tables, words } = this.#list;
    const [a, b] = [batch.a[row]!, batch.b[row]!];
    let table = a;
    let index = b;
    let leaf = NO_PAGE;
    switch (batch.kind[row]) {
      case SET_PTE:
        table = b;
        index = (a >>> memory.leafShift) & memory.pteMask;
        leaf = tables.isSharedTable(table) ? ptePage(memory.loadWord(table, index)) : NO_PAGE;
        break;
      case SET_MID:
        leaf = tables.isSharedTable(table) ? memory.loadWord(table, index) : NO_PAGE;
        break;
      case SET_MID_MFN:
        leaf = table === memory.words[Global.p2m_mid_missing_mfn] ? memory.loadWord(table, index) : NO_PAGE;
        break;
      default:
    }
    if (tables.isShared(leaf)) return undefined;
    return `${words.page(leaf)}, a private leaf, is linked at ${words.page(table)}[${index}], which all areas share`;
  }
}

function* range(start: number, count: number): Generator<number, void> {
  for (let i = start; i < start + count; i++) yield i;
}
