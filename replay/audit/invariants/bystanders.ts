import { KINDS, type EventBatch } from '../../../events/index.js';
import { lookUpRange, ptePage } from '../../../src/index.js';
import type { Breach, Happened, Invariant, InvariantWatch, ListAtMoment } from './invariant.js';

const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_MID = KINDS.set_mid.id;
const SET_PMD = KINDS.set_pmd.id;
const SET_TOP = KINDS.set_top.id;

/** I6: an operation on one pfn leaves the look-ups of the others alone. */
export const BYSTANDER_CHANGED: Invariant = {
  holds: 'an operation on one pfn changes no look-up of another (I6)',
  kinds: ['set_entry', 'set_pte', 'set_mid', 'set_pmd', 'set_top'],
  watch: (list) => new Bystanders(list),
};

/** Look-ups from a pfn on, as they were. */
interface Seen {
  readonly pfn: number;
  readonly words: Int32Array;
}

/**
 * What an event can change beside the pfn of its operation: the leaf whose slot it stores, in the area of the operation and
 * in one more where the table is shared; for an entry the same entry of one more area that maps the page.
 */
class Bystanders implements InvariantWatch {
  readonly #list: ListAtMoment;
  #seen: readonly Seen[] = [];

  constructor(list: ListAtMoment) {
    this.#list = list;
  }

  begin(): undefined {
    return undefined;
  }

  before(batch: EventBatch, i: number): boolean {
    const { operations, links } = this.#list;
    const pfn = operations.of(batch.op[i]!)?.pfn;
    if (pfn === undefined) return false;
    if (batch.kind[i] === SET_ENTRY && batch.a[i] === pfn && links.walksTo(batch.b[i]!) === 1) return false;
    return true;
  }

  /** Just before the event, where `before` has asked for it. */
  look(batch: EventBatch, i: number): void {
    this.#seen = this.#reached(batch, i).map(({ pfn, count }) => {
      const words = new Int32Array(count);
      lookUpRange(this.#list.memory, pfn, words);
      return { pfn, words };
    });
  }

  after({ batch, row, seq }: Happened): Breach | undefined {
    const { memory, operations, words } = this.#list;
    const own = operations.of(batch.op[row]!)!.pfn!;
    for (const { pfn, words: old } of this.#seen) {
      const now = new Int32Array(old.length);
      lookUpRange(memory, pfn, now);
      const at = now.findIndex((word, i) => word !== old[i] && pfn + i !== own);
      if (at < 0) continue;
      const change = `from ${words.entry(old[at]!)} to ${words.entry(now[at]!)}`;
      return {
        seq,
        says: `${words.pfn(pfn + at)} has changed ${change} by an operation on ${words.pfn(own)}`,
      };
    }
    return undefined;
  }

  #reached(batch: EventBatch, i: number): { pfn: number; count: number }[] {
    const { memory } = this.#list;
    const [a, b] = [batch.a[i]!, batch.b[i]!];
    switch (batch.kind[i]) {
      case SET_ENTRY:
        return [{ pfn: a, count: 1 }, ...this.#otherWays(b, a)];
      case SET_PTE:
        return this.#areas(b, (a >>> memory.leafShift) & memory.pteMask);
      case SET_MID:
        return this.#areas(a, b);
      case SET_PMD:
        return this.#differing(a >>> memory.pmdShift, ptePage(batch.c[i]!));
      case SET_TOP:
        return this.#differing(a, batch.d[i]!);
      default:
        return [];
    }
  }

  /** The leaf at slot `index` of a table, in each of the first areas that map the table. */
  #areas(table: number, index: number): { pfn: number; count: number }[] {
    const { memory, tables } = this.#list;
    const { perPage } = memory.geometry;
    const uppers = tables.uppersOf(table).slice(0, 2);
    return uppers.map((upper) => ({ pfn: (upper * tables.lowerCount + index) * perPage, count: perPage }));
  }

  /** Leaves that table `now` names otherwise than what slot `upper` names so far. */
  #differing(upper: number, now: number): { pfn: number; count: number }[] {
    const { memory, tables } = this.#list;
    const { perPage } = memory.geometry;
    const old = tables.upper(upper);
    const leaves: { pfn: number; count: number }[] = [];
    for (let index = 0; old !== 0 && now !== 0 && index < tables.lowerCount; index++) {
      if (tables.lower(old, index) === tables.lower(now, index)) continue;
      leaves.push({ pfn: (upper * tables.lowerCount + index) * perPage, count: perPage });
    }
    return leaves;
  }

  /** The entry of `pfn` in its leaf, as one other pfn whose leaf is the same page sees it. */
  #otherWays(leaf: number, pfn: number): { pfn: number; count: number }[] {
    const { memory, tables, links } = this.#list;
    if (links.walksTo(leaf) === 0) return [];
    const { perPage } = memory.geometry;
    for (let upper = 0; upper < tables.upperCount; upper++) {
      const table = tables.upper(upper);
      for (let index = 0; table !== 0 && index < tables.lowerCount; index++) {
        const other = (upper * tables.lowerCount + index) * perPage + (pfn & memory.leafMask);
        if (other !== pfn && tables.lower(table, index) === leaf) return [{ pfn: other, count: 1 }];
      }
    }
    return [];
  }
}
