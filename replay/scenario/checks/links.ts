import { Global, KINDS } from '../../../events/index.js';
import { NO_PAGE, type Domain } from '../../../src/index.js';
import { ListTables } from './list_tables.js';

const SET_PMD = KINDS.set_pmd.id;
const SET_PTE = KINDS.set_pte.id;
const SET_TOP = KINDS.set_top.id;
const SET_MID = KINDS.set_mid.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;

/** A slot, and the page that it names. */
export interface Link {
  readonly page: number;
  /** The table that the slot is in; `NO_PAGE` where that is the PMD, or p2m_top. */
  readonly table: number;
  readonly index: number;
}

/** A way from the upper level to a leaf. */
export interface Walk extends Link {
  /** Index in the PMD, or in p2m_top. */
  readonly upper: number;
}

/**
 * The links of the list: PMD slots name PT pages, whose slots name leaves. In the old tree p2m_top names mid pages: here
 * they are tables of the upper and of the lower level too.
 *
 * Whole tables are never read. A slot of the lower level names a page of the run only where an event stored it there, or
 * stored it at the same index of a table that was copied: so the indices of all such events are all there is to look at,
 * in the shared tables and in each table that the run has linked or stored in.
 */
export class Links extends ListTables {
  readonly #domain: Domain;
  /** Of the events so far: indices stored in the upper level, in the lower, in p2m_top_mfn; tables stored in. */
  readonly #upper = new Set<number>();
  readonly #lower = new Set<number>();
  readonly #topMfn = new Set<number>();
  readonly #tables = new Set<number>();

  /** After the boot. */
  constructor(domain: Domain) {
    super(domain.memory);
    this.#domain = domain;
  }

  /** Slots that the run has stored, and those that may name what it stored. */
  stored(): Link[] {
    this.#collect();
    const links = this.#storedUppers();
    for (const { page } of links) this.#tables.add(page);
    for (const table of this.#tables) {
      if (table === NO_PAGE || !this.#isLinked(table)) continue;
      for (const index of this.#lower) links.push({ page: this.lower(table, index), table, index });
    }
    const top = this.memory.words[Global.p2m_top_mfn]!;
    for (const index of this.#topMfn) links.push({ page: this.memory.loadWord(top, index), table: top, index });
    return links;
  }

  /** Slots of the upper level that the run has stored. */
  uppers(): Link[] {
    this.#collect();
    return this.#storedUppers();
  }

  /** Slots of the list, as the MMU would walk to them, whose index in the lower level the run has stored. */
  walked(): Walk[] {
    this.#collect();
    const walks: Walk[] = [];
    for (let upper = 0; upper < this.upperCount; upper++) {
      const table = this.upper(upper);
      // A shared table that nobody stored in names shared leaves alone.
      if (table === NO_PAGE || (this.isSharedTable(table) && !this.#tables.has(table))) continue;
      for (const index of this.#lower) walks.push({ page: this.lower(table, index), table, index, upper });
    }
    return walks;
  }

  #storedUppers(): Link[] {
    return Array.from(this.#upper, (index) => ({ page: this.upper(index), table: NO_PAGE, index }));
  }

  /** Goes through the events once. */
  #collect(): void {
    this.#upper.clear();
    this.#lower.clear();
    this.#topMfn.clear();
    this.#tables.clear();
    const { batch } = this.#domain;
    const { pmdShift, leafShift, pteMask } = this.memory;
    for (let i = 0; i < batch.length; i++) {
      const a = batch.a[i]!;
      const b = batch.b[i]!;
      switch (batch.kind[i]) {
        case SET_PMD:
          this.#upper.add(a >>> pmdShift);
          break;
        case SET_TOP:
          this.#upper.add(a);
          break;
        case SET_PTE:
          this.#lower.add((a >>> leafShift) & pteMask);
          this.#tables.add(b);
          break;
        case SET_MID:
          this.#lower.add(b);
          this.#tables.add(a);
          break;
        case SET_TOP_MFN:
          this.#topMfn.add(a);
          break;
        default:
      }
    }
  }

  #isLinked(table: number): boolean {
    if (this.isSharedTable(table)) return true;
    for (let index = 0; index < this.upperCount; index++) if (this.upper(index) === table) return true;
    return false;
  }
}
