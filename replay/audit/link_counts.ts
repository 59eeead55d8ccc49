import { KINDS, type EventBatch, type KindName } from '../../events/index.js';
import { NO_PAGE, ptePage, type Memory } from '../../src/index.js';
import type { ListTables } from '../scenario/checks/list_tables.js';

const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const POPULATE_PMD = KINDS.populate_pmd.id;
const FILL_PAGE = KINDS.fill_page.id;
const WIPE_PAGE = KINDS.wipe_page.id;

/** Kinds of events that change the links of the list, or what the numbers are of. */
export const LINK_KINDS: readonly KindName[] = [
  'set_pmd',
  'set_pte',
  'set_top',
  'set_mid',
  'populate_pmd',
  'fill_page',
  'wipe_page',
];

/**
 * In how many ways the list leads to each page: slots of the upper level that name a table, and walks that end at a leaf.
 * Kept up event by event, where going through all tables for each would cost a thousand times as much.
 */
export class LinkCounts {
  readonly #tables: ListTables;
  readonly #uppers: Int32Array;
  readonly #walks: Int32Array;

  /** Of the memory as it is. */
  constructor(memory: Memory, tables: ListTables) {
    this.#tables = tables;
    this.#uppers = new Int32Array(memory.layout.pageEnd);
    this.#walks = new Int32Array(memory.layout.pageEnd);
    this.#countAll();
  }

  /** Slots of the upper level that name the table. */
  uppersOf(table: number): number {
    return this.#uppers[table]!;
  }

  /** Walks that end at the leaf. */
  walksTo(leaf: number): number {
    return this.#walks[leaf]!;
  }

  /** Whether the list names the page, as a table or as a leaf. */
  isLinked(page: number): boolean {
    return this.#uppers[page]! > 0 || this.#walks[page]! > 0;
  }

  /** Event `i` has happened. */
  note(batch: EventBatch, i: number): void {
    const { a, b, c, d, e } = batch;
    switch (batch.kind[i]) {
      case SET_PMD:
        return this.#relink(ptePage(b[i]!), ptePage(c[i]!));
      case POPULATE_PMD:
        return this.#relink(NO_PAGE, b[i]!);
      case SET_TOP:
        return b[i] === c[i] ? this.#relink(c[i]!, d[i]!) : undefined;
      case SET_PTE:
        return this.#move(b[i]!, ptePage(c[i]!), ptePage(d[i]!));
      case SET_MID:
        return c[i] === d[i] ? this.#move(a[i]!, d[i]!, e[i]!) : undefined;
      case FILL_PAGE:
      case WIPE_PAGE:
        // A table that is in use: no kernel does it, so it may cost.
        return this.#uppers[a[i]!]! > 0 ? this.#countAll() : undefined;
      default:
    }
  }

  #relink(old: number, now: number): void {
    this.#addTable(old, -1);
    this.#addTable(now, 1);
  }

  #move(table: number, old: number, now: number): void {
    const ways = this.#uppers[table]!;
    this.#walks[old]! -= ways;
    this.#walks[now]! += ways;
  }

  #addTable(table: number, ways: number): void {
    if (table === NO_PAGE) return;
    this.#uppers[table]! += ways;
    for (let index = 0; index < this.#tables.lowerCount; index++)
      this.#walks[this.#tables.lower(table, index)]! += ways;
  }

  #countAll(): void {
    this.#uppers.fill(0);
    this.#walks.fill(0);
    const { upperCount } = this.#tables;
    for (let upper = 0; upper < upperCount; upper++) this.#addTable(this.#tables.upper(upper), 1);
  }
}
