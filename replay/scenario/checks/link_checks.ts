import { KINDS, type EventBatch } from '../../../events/index.js';
import { ptePage, type Memory } from '../../../src/index.js';
import type { ScenarioOperation } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type TakenStep } from './check_family.js';
import { Links, type Walk } from './links.js';
import type { ListTables } from './list_tables.js';
import type { PathWords } from './path_words.js';

const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;

/** A slot of the list that an event stored: its name, and the pages. */
export interface StoredSlot {
  readonly slot: () => string;
  readonly old: number;
  readonly now: number;
}

/**
 * What the list names (I2): a slot goes from a shared page to a private one, at most once, and a private page has one way
 * to it: private-page-changed. PMD and PTE here are p2m_top and mid pages in the old tree.
 */
export class LinkChecks implements CheckFamily {
  readonly #run: CheckedRun;
  readonly #links: Links;

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    this.#links = new Links(run.domain);
  }

  afterStep({ thread, inHand, eventsFrom }: TakenStep, changed: number): void {
    if ((changed & Changed.table) === 0 || !this.#run.found.isOpen('private-page-changed')) return;
    this.#checkStores(eventsFrom, inHand[thread], thread);
    this.#checkAliases(inHand[thread], thread);
  }

  #checkStores(from: number, operation: ScenarioOperation | undefined, thread: number): void {
    const { domain, found, memory, words } = this.#run;
    for (let i = from; i < domain.batch.length; i++) {
      const stored = storedSlot(memory, this.#links, words, domain.batch, i);
      if (stored === undefined) continue;
      const { slot, old, now } = stored;
      if (old === now || this.#links.isShared(old)) continue;
      const by = (): string => words.operation(operation, thread);
      found.raise(
        'private-page-changed',
        () => `${slot()} named ${words.page(old)}, a private page, and names ${words.page(now)} now, by ${by()}`,
      );
    }
  }

  /** A private leaf that two walks lead to, or a private table that two slots name. */
  #checkAliases(operation: ScenarioOperation | undefined, thread: number): void {
    const { found, words } = this.#run;
    const by = (): string => `after a step of ${words.operation(operation, thread)}`;
    const first = new Map<number, Walk>();
    for (const walk of this.#links.walked()) {
      const { page } = walk;
      if (this.#links.isShared(page)) continue;
      const other = first.get(page);
      first.set(page, other ?? walk);
      if (other === undefined) continue;
      const ways = (): string => `${this.#way(other)} and by ${this.#way(walk)}`;
      found.raise('private-page-changed', () => `${words.page(page)}, a private leaf, is reached by ${ways()} ${by()}`);
    }
    for (const { page } of this.#links.uppers()) {
      const uppers = this.#links.isShared(page) ? [] : this.#links.uppersOf(page);
      if (uppers.length < 2) continue;
      const slots = uppers.map((index) => this.#links.upperName(index)).join(' and by ');
      found.raise('private-page-changed', () => `${words.page(page)}, a private page, is named by ${slots} ${by()}`);
    }
  }

  #way({ upper, table, index }: Walk): string {
    return `${this.#links.upperName(upper)} and ${this.#run.words.page(table)}[${index}]`;
  }
}

/** What event `i` stored in a slot of the list; undefined where it did not. */
export function storedSlot(
  memory: Memory,
  tables: ListTables,
  words: Pick<PathWords, 'page'>,
  batch: EventBatch,
  i: number,
): StoredSlot | undefined {
  const { a, b, c, d, e, kind } = batch;
  const [pfn, page] = [a[i]!, b[i]!];
  switch (kind[i]) {
    case SET_PMD:
      return { slot: () => tables.upperName(pfn >>> memory.pmdShift), old: ptePage(page), now: ptePage(c[i]!) };
    case SET_PTE: {
      const index = (pfn >>> memory.leafShift) & memory.pteMask;
      return { slot: () => `${words.page(page)}[${index}]`, old: ptePage(c[i]!), now: ptePage(d[i]!) };
    }
    case SET_TOP:
      return b[i] === c[i] ? { slot: () => tables.upperName(pfn), old: c[i]!, now: d[i]! } : undefined;
    case SET_MID:
      return c[i] === d[i] ? { slot: () => `${words.page(pfn)}[${page}]`, old: d[i]!, now: e[i]! } : undefined;
    default:
      return undefined;
  }
}
