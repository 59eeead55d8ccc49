import { Global, INVALID, KINDS, type EventBatch } from '../../../events/index.js';
import { makePte, NO_PAGE, ptePage, type Memory } from '../../../src/index.js';
import { sharedPageSays, sharedPageStored } from '../../scenario/checks/shared_page_checks.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

const RANGES: readonly number[] = [KINDS.identity_range.id, KINDS.load_entries.id];

/** A page that all share, and the one that each of its words names; `NO_PAGE`: its words are INVALID. */
interface SharedPage {
  readonly page: number;
  readonly names: number;
}

/** I1: what all share is never written. */
export const SHARED_LEAF_WRITTEN: Invariant = {
  holds: 'p2m_missing and p2m_identity hold only INVALID (I1)',
  kinds: ['set_entry', 'fill_page', 'wipe_page', 'set_pte', 'set_mid', 'identity_range', 'load_entries'],
  watch: (list) => {
    const { words } = list.memory;
    const pages = [words[Global.p2m_missing]!, words[Global.p2m_identity]!];
    return new SharedPages(
      list,
      pages.map((page) => ({ page, names: NO_PAGE })),
    );
  },
};

/** I1, of the PT pages; in the old tree of p2m_mid_missing and p2m_mid_identity. */
export const SHARED_PTE_PAGE_WRITTEN: Invariant = {
  holds: 'p2m_missing_pte and p2m_identity_pte name only their leaf (I1)',
  kinds: ['set_pte', 'set_mid', 'set_entry', 'fill_page', 'wipe_page'],
  watch: (list) => {
    const { words } = list.memory;
    const [missing, identity] = list.tables.isTree
      ? [Global.p2m_mid_missing, Global.p2m_mid_identity]
      : [Global.p2m_missing_pte, Global.p2m_identity_pte];
    return new SharedPages(list, [
      { page: words[missing]!, names: words[Global.p2m_missing]! },
      { page: words[identity]!, names: words[Global.p2m_identity]! },
    ]);
  },
};

class SharedPages implements InvariantWatch {
  readonly #list: ListAtMoment;
  readonly #shared: readonly SharedPage[];

  constructor(list: ListAtMoment, shared: readonly SharedPage[]) {
    this.#list = list;
    this.#shared = shared;
  }

  begin(): string | undefined {
    return this.#judge();
  }

  before(batch: EventBatch, i: number): boolean {
    const kind = batch.kind[i]!;
    const page = sharedPageStored(kind, batch.a[i]!, batch.b[i]!);
    return page === 0 ? RANGES.includes(kind) : this.#shared.some((shared) => shared.page === page);
  }

  after({ seq }: Happened): Breach | undefined {
    const says = this.#judge();
    return says === undefined ? undefined : { seq, says };
  }

  #judge(): string | undefined {
    const { memory, tables, words } = this.#list;
    for (const { page, names } of this.#shared) {
      const index = this.#firstDifference(page, names);
      if (index < 0) continue;
      const isTable = names !== NO_PAGE;
      const was = !isTable ? INVALID : tables.isTree ? names : makePte(names, true);
      return sharedPageSays(memory, words, page, isTable, index, was, memory.loadWord(page, index), '');
    }
    return undefined;
  }

  #firstDifference(page: number, names: number): number {
    const { memory, tables } = this.#list;
    if (page === NO_PAGE) return -1;
    const isTable = names !== NO_PAGE;
    const of = isTable && !tables.isTree ? ptePage : (word: number): number => word;
    const wanted = isTable ? names : INVALID;
    return wordsOf(memory, page, isTable ? tables.lowerCount : memory.geometry.perPage).findIndex(
      (word) => of(word) !== wanted,
    );
  }
}

function wordsOf({ homes, words }: Memory, page: number, count: number): Int32Array {
  return words.subarray(homes[page], homes[page]! + count);
}
