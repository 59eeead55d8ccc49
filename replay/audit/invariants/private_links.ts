import { storedSlot } from '../../scenario/checks/link_checks.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

/** I2: a slot goes from shared to private once, and a private page has one way to it. */
export const PRIVATE_PAGE_CHANGED: Invariant = {
  holds: 'a slot that names a private page keeps it, and no private page is reached in two ways (I2)',
  kinds: ['set_pmd', 'set_pte', 'set_top', 'set_mid', 'populate_pmd'],
  watch: (list) => new PrivateLinks(list),
};

class PrivateLinks implements InvariantWatch {
  readonly #list: ListAtMoment;

  constructor(list: ListAtMoment) {
    this.#list = list;
  }

  begin(): string | undefined {
    const { tables } = this.#list;
    for (let upper = 0; upper < tables.upperCount; upper++) {
      const says = this.#aliasOf(tables.upper(upper));
      if (says !== undefined) return says;
    }
    return undefined;
  }

  after({ batch, row, seq }: Happened): Breach | undefined {
    const { memory, tables, words } = this.#list;
    const stored = storedSlot(memory, tables, words, batch, row);
    if (stored === undefined || stored.old === stored.now) return undefined;
    const { slot, old, now } = stored;
    const says = tables.isShared(old)
      ? this.#aliasOf(now)
      : `${slot()} named ${words.page(old)}, a private page, and names ${words.page(now)} now`;
    return says === undefined ? undefined : { seq, says };
  }

  /** A page, or one that it names, that is private and reached in two ways. */
  #aliasOf(page: number): string | undefined {
    const { tables, links, words } = this.#list;
    if (links.walksTo(page) > 1 && !tables.isShared(page)) {
      return `${words.page(page)}, a private leaf, is reached by ${this.#walksTo(page).join(' and by ')}`;
    }
    const uppers = links.uppersOf(page);
    if (uppers === 0) return undefined;
    if (uppers > 1 && !tables.isShared(page)) {
      const slots = tables.uppersOf(page).map((upper) => tables.upperName(upper));
      return `${words.page(page)}, a private page, is named by ${slots.slice(0, 2).join(' and by ')}`;
    }
    for (let index = 0; index < tables.lowerCount; index++) {
      const leaf = tables.lower(page, index);
      if (links.uppersOf(leaf) > 0) continue;
      const says = this.#aliasOf(leaf);
      if (says !== undefined) return says;
    }
    return undefined;
  }

  /** Two ways to a leaf. */
  #walksTo(leaf: number): string[] {
    const { tables, words } = this.#list;
    const ways: string[] = [];
    for (let upper = 0; upper < tables.upperCount && ways.length < 2; upper++) {
      const table = tables.upper(upper);
      if (table === 0) continue;
      for (let index = 0; index < tables.lowerCount; index++) {
        if (tables.lower(table, index) === leaf)
          ways.push(`${tables.upperName(upper)} and ${words.page(table)}[${index}]`);
      }
    }
    return ways.slice(0, 2);
  }
}
