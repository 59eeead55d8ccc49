import { Global, KINDS, type EventBatch } from '../../../events/index.js';
import { NO_PAGE, ptePage } from '../../../src/index.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';
import { Settled } from './settled.js';

const RETURN = KINDS.return.id;
const SET_PTE = KINDS.set_pte.id;
const SET_PMD = KINDS.set_pmd.id;
const LAST_PFN = Global.xen_p2m_last_pfn;
const MAX_PFN = Global['shared_info.max_pfn'];
/** The one thing that is judged: how far the list reaches. */
const REACH = 0;

/** I8: the tools are told of every private leaf. */
export const MAX_PFN_MISSES_LEAF: Invariant = {
  holds:
    'xen_p2m_last_pfn and shared_info.max_pfn cover every private leaf linked after the boot, once its allocation has returned (I8)',
  kinds: ['set_pte', 'set_pmd', 'set_global', 'set_max_pfn', 'return'],
  watch: (list) => new MaxPfn(list),
};

class MaxPfn implements InvariantWatch {
  readonly #list: ListAtMoment;
  readonly #settled: Settled;
  /** The highest private leaf that was linked, by number; -1 where none was. */
  #highest = -1;

  constructor(list: ListAtMoment) {
    this.#list = list;
    const { perPage } = list.memory.geometry;
    const spanOf = (): { pfnStart: number; pfnEnd: number } => ({
      pfnStart: this.#highest * perPage,
      pfnEnd: (this.#highest + 1) * perPage,
    });
    this.#settled = new Settled(list.operations, spanOf, () => this.#judge());
  }

  get undecided(): number {
    return this.#settled.undecided;
  }

  /** The leaves of the boot are not judged: it tells the tools of its pages, not of whole leaves. */
  begin(): undefined {
    return undefined;
  }

  /** A return matters only to what waits for it. */
  before(batch: EventBatch, i: number): boolean {
    return batch.kind[i] !== RETURN || this.#settled.undecided > 0;
  }

  after({ batch, row, seq, ended }: Happened): Breach | undefined {
    const { memory, tables, links } = this.#list;
    if (tables.isTree) return undefined;
    const breach = ended === undefined ? undefined : this.#settled.decide();
    if (breach !== undefined) return breach;
    const [a, b] = [batch.a[row]!, batch.b[row]!];
    switch (batch.kind[row]) {
      case SET_PTE: {
        if (links.uppersOf(b) === 0 || tables.isShared(ptePage(batch.d[row]!))) return undefined;
        const index = (a >>> memory.leafShift) & memory.pteMask;
        for (const upper of links.uppersOf(b) === 1 ? [a >>> memory.pmdShift] : tables.uppersOf(b)) {
          this.#highest = Math.max(this.#highest, upper * tables.lowerCount + index);
        }
        break;
      }
      case SET_PMD:
        // A PT page that takes the place of another has its leaves from there.
        if (ptePage(b) === NO_PAGE) this.#raise(a >>> memory.pmdShift);
        break;
      default:
    }
    return this.#settled.touch(REACH, seq);
  }

  /** Takes the private leaves in of one slot of the PMD. */
  #raise(upper: number): void {
    const { tables } = this.#list;
    const table = tables.upper(upper);
    if (table === 0) return;
    for (let index = tables.lowerCount - 1; index >= 0; index--) {
      if (tables.isShared(tables.lower(table, index))) continue;
      this.#highest = Math.max(this.#highest, upper * tables.lowerCount + index);
      return;
    }
  }

  #judge(): string | undefined {
    const { memory, form, words, tables } = this.#list;
    if (this.#highest < 0) return undefined;
    const pfn = this.#highest * memory.geometry.perPage;
    const pfnEnd = pfn + memory.geometry.perPage;
    const short = (what: string, covers: number): string | undefined =>
      covers >= pfnEnd
        ? undefined
        : `${what} is ${words.pfn(covers)}, and ${words.page(tables.leafOf(pfn))}, the leaf of ${words.pfn(pfn)}, reaches to ${words.pfn(pfnEnd)}`;
    const last = form.listForTools ? short('xen_p2m_last_pfn', memory.words[LAST_PFN]!) : undefined;
    if (last !== undefined) return last;
    const maxPfn = memory.words[MAX_PFN]!;
    // It is 0 until the boot has told the tools of the tree.
    return maxPfn === 0 ? undefined : short('max_pfn', maxPfn);
  }
}
