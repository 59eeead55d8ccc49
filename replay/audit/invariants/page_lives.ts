import { Global, KINDS, type EventBatch } from '../../../events/index.js';
import { NO_PAGE } from '../../../src/index.js';
import { storedSlot } from '../../scenario/checks/link_checks.js';
import { storedPage } from '../../scenario/checks/page_checks.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

const ALLOC_PAGE = KINDS.alloc_page.id;
const FREE_PAGE = KINDS.free_page.id;
const RETURN = KINDS.return.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const SET_TOP_MFN_P = KINDS.set_top_mfn_p.id;

/** I7: what an operation takes, it links or gives back. */
export const LEAK: Invariant = {
  holds: 'a page that an operation allocates or unlinks is linked or freed when it has returned (I7)',
  kinds: ['alloc_page', 'set_pmd', 'set_pte', 'set_top', 'set_mid', 'return'],
  watch: (list) => new Leaks(list),
};

/** I7: what is linked is not free. */
export const FREED_PAGE_REACHABLE: Invariant = {
  holds: "no page that was freed is named by the list or by the tools' tree (I7)",
  kinds: ['free_page', 'set_pmd', 'set_pte', 'set_top', 'set_mid', 'set_top_mfn', 'set_top_mfn_p'],
  watch: (list) => ({
    begin: () => undefined,
    after: ({ batch, row, seq }) => {
      const { memory, words } = list;
      const page = namedPage(list, batch, row);
      if (page === NO_PAGE || !memory.isFreed(page) || !isLinked(list, page)) return undefined;
      return { seq, says: `${words.page(page)} is freed, and the list or the tools' tree names it` };
    },
  }),
};

/** I7: what is freed is left alone. Loads are no events: only stores are seen. */
export const USE_AFTER_FREE: Invariant = {
  holds: 'nothing is stored in a page that was freed (I7; a log does not have the loads)',
  kinds: ['free_page', 'set_entry', 'set_pte', 'set_mid', 'set_mid_mfn', 'fill_page'],
  watch: ({ memory, words }) => ({
    begin: () => undefined,
    before: (batch, i) => {
      if (batch.kind[i] === FREE_PAGE) return true;
      const page = storedPage(batch.kind[i]!, batch.a[i]!, batch.b[i]!);
      return page !== NO_PAGE && memory.isFreed(page);
    },
    after: ({ batch, row, seq }) => {
      if (batch.kind[row] === FREE_PAGE) return undefined;
      const page = storedPage(batch.kind[row]!, batch.a[row]!, batch.b[row]!);
      return { seq, says: `CPU ${batch.cpu[row]} stores in ${words.page(page)}, which was freed before` };
    },
  }),
};

/** A page that somebody has to link or to free, and the event since which. */
interface Owed {
  readonly page: number;
  readonly seq: number;
}

class Leaks implements InvariantWatch {
  readonly #list: ListAtMoment;
  /** By operation in the middle. */
  readonly #owed = new Map<number, Owed[]>();

  constructor(list: ListAtMoment) {
    this.#list = list;
  }

  begin(): undefined {
    return undefined;
  }

  /** A return matters only where its operation owes a page. */
  before(batch: EventBatch, i: number): boolean {
    return batch.kind[i] !== RETURN || this.#owed.has(batch.op[i]!);
  }

  get undecided(): number {
    const { memory } = this.#list;
    const owed = [...this.#owed.values()].flat();
    return owed.filter(({ page }) => !memory.isFreed(page) && !isLinked(this.#list, page)).length;
  }

  after({ batch, row, seq, ended }: Happened): Breach | undefined {
    if (ended !== undefined) {
      const breach = this.#settle(ended.op);
      if (breach !== undefined) return breach;
    }
    const { memory, tables, words } = this.#list;
    const op = batch.op[row]!;
    if (batch.kind[row] === ALLOC_PAGE) this.#owe(op, batch.a[row]!, seq);
    const stored = storedSlot(memory, tables, words, batch, row);
    if (stored !== undefined && stored.old !== stored.now && !tables.isShared(stored.old)) {
      this.#owe(op, stored.old, seq);
    }
    return undefined;
  }

  #owe(op: number, page: number, seq: number): void {
    const owed = this.#owed.get(op);
    if (owed === undefined) this.#owed.set(op, [{ page, seq }]);
    else owed.push({ page, seq });
  }

  /** The operation has ended. */
  #settle(op: number): Breach | undefined {
    const owed = this.#owed.get(op);
    if (owed === undefined) return undefined;
    this.#owed.delete(op);
    const { memory, words } = this.#list;
    const lost = owed.find(({ page }) => !memory.isFreed(page) && !isLinked(this.#list, page));
    if (lost === undefined) return undefined;
    const says = `${words.page(lost.page)} is not freed, and neither the list nor the tools' tree names it`;
    return { seq: lost.seq, says: `${says} when operation ${op} has returned` };
  }
}

/** The page that the event frees, or links. */
function namedPage({ memory, tables, words }: ListAtMoment, batch: EventBatch, row: number): number {
  switch (batch.kind[row]) {
    case FREE_PAGE:
      return batch.a[row]!;
    case SET_TOP_MFN:
      return batch.b[row] === batch.c[row] ? batch.d[row]! : NO_PAGE;
    case SET_TOP_MFN_P:
      return batch.c[row]!;
    default:
      return storedSlot(memory, tables, words, batch, row)?.now ?? NO_PAGE;
  }
}

/** Whether a slot names the page: of the list, of the tools' tree, or of a shared table, which others are copied from. */
function isLinked({ memory, links, tables }: ListAtMoment, page: number): boolean {
  if (links.isLinked(page)) return true;
  const { words } = memory;
  const shared = tables.isTree
    ? [words[Global.p2m_mid_missing]!, words[Global.p2m_mid_identity]!]
    : [words[Global.p2m_missing_pte]!, words[Global.p2m_identity_pte]!];
  for (const table of shared) {
    for (let index = 0; index < tables.lowerCount; index++) if (tables.lower(table, index) === page) return true;
  }
  const top = memory.words[Global.p2m_top_mfn]!;
  const topP = memory.words[Global.p2m_top_mfn_p]!;
  if (page === top || page === topP) return true;
  if (top === NO_PAGE) return false;
  for (let i = 0; i < memory.geometry.topPerPage; i++) {
    if (memory.loadWord(top, i) === page || memory.loadWord(topP, i) === page) return true;
  }
  return false;
}
