import { Global, KINDS, kindName, type EventBatch, type KindName } from '../../../events/index.js';
import type { Memory } from '../../../src/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { ListTables } from '../../scenario/checks/list_tables.js';
import { LinkCounts, LINK_KINDS } from '../link_counts.js';
import type { TouchedGranules } from '../snapshots/touched_granules.js';
import { AnswerImage } from './answer_image.js';
import type { PfnPostingLists } from './pfn_postings.js';
import { pfnEndOf, ReachedPfns, wayOf, type Way } from './reached_pfns.js';

const SET_ENTRY = KINDS.set_entry.id;
const FILL_PAGE = KINDS.fill_page.id;
const SET_GLOBAL = KINDS.set_global.id;

/** What a kind of event asks for, as bits. */
const Asks = { trace: 1, look: 2, links: 4 } as const;

const LOOKED_AT: readonly KindName[] = [
  ...LINK_KINDS,
  'set_entry',
  'set_global',
  'set_extra_mem',
  'boot',
  'identity_range',
  'load_entries',
];

const ASKS = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  if (name === undefined || !KINDS[name].mutates) return 0;
  return Asks.trace | (LOOKED_AT.includes(name) ? Asks.look : 0) | (LINK_KINDS.includes(name) ? Asks.links : 0);
});

/**
 * Plays a log and finds which events change what a look-up of which pfns answers.
 *
 * A store into a leaf that is mapped once, under its own pfn, changes that pfn and no other: nearly all events are such, and
 * need no look at the memory. For every other one the answers of all pfns that it can reach are compared, before and after.
 */
export class IndexPlayer {
  readonly #guarded: GuardedMemory;
  readonly #memory: Memory;
  readonly #touched: TouchedGranules;
  readonly #reached: ReachedPfns;
  #way: Way = 'nothing';
  #tables: ListTables;
  #links: LinkCounts | undefined;

  /** Goes on from what the memory holds. */
  constructor(guarded: GuardedMemory, touched: TouchedGranules) {
    this.#guarded = guarded;
    this.#memory = guarded.memory;
    this.#touched = touched;
    this.#reached = new ReachedPfns(guarded.memory, pfnEndOf(guarded.memory, guarded.form.structure === 'tree'));
    this.#tables = new ListTables(guarded.memory);
    this.#look();
  }

  /**
   * Plays a block of events.
   * @param seq  number of its first event
   * @param to   told of the changes; counts events from `base` on
   * @throws {P2mError} an event does not fit the memory; `to` knows too much then
   */
  play(batch: EventBatch, seq: number, to: PfnPostingLists, base: number): void {
    const { kind, a, c, d } = batch;
    let applied = 0;
    for (let i = 0; i < batch.length; i++) {
      const asks = ASKS[kind[i]!]!;
      if (asks === 0) continue;
      this.#touched.note(batch, i);
      if ((asks & Asks.look) === 0) continue;
      const reach = this.#reachOf(batch, i);
      if (reach === Reach.own && c[i] !== d[i]) to.push(a[i]!, seq + i - base);
      if (reach !== Reach.others) continue;
      this.#guarded.apply(batch, applied, i, seq);
      this.#step(batch, i, seq, to, base);
      applied = i + 1;
    }
    this.#guarded.apply(batch, applied, batch.length, seq);
  }

  #step(batch: EventBatch, i: number, seq: number, to: PfnPostingLists, base: number): void {
    const spans = this.#reached.of(batch, i);
    const image = spans.length > 0 ? new AnswerImage(this.#memory, spans) : undefined;
    this.#guarded.apply(batch, i, i + 1, seq);
    image?.changes((pfnStart, pfnEnd) => to.pushRun(pfnStart, pfnEnd, seq + i - base));
    if (batch.kind[i] === SET_GLOBAL) this.#look();
    else if ((ASKS[batch.kind[i]!]! & Asks.links) !== 0) this.#links?.note(batch, i);
  }

  #reachOf(batch: EventBatch, i: number): Reach {
    const kind = batch.kind[i]!;
    if (kind === FILL_PAGE) return this.#links?.isLinked(batch.a[i]!) === false ? Reach.none : Reach.others;
    if (kind !== SET_ENTRY) return Reach.others;
    const pfn = batch.a[i]!;
    const page = batch.b[i]!;
    const memory = this.#memory;
    if (this.#links !== undefined) {
      const walks = this.#links.walksTo(page);
      if (walks === 0) return Reach.none;
      const isOwn = walks === 1 && this.#tables.leafOf(pfn) === page;
      return isOwn && page !== memory.words[Global.p2m_identity] ? Reach.own : Reach.others;
    }
    const isOwn = this.#way === 'builder' && page === memory.initPage(pfn) && pfn < memory.words[Global.xen_p2m_size]!;
    return isOwn ? Reach.own : Reach.others;
  }

  /** Looks anew at what look-ups go through. */
  #look(): void {
    this.#way = wayOf(this.#memory);
    this.#tables = new ListTables(this.#memory);
    this.#links = this.#way === 'tables' ? new LinkCounts(this.#memory, this.#tables) : undefined;
  }
}

/** Whose answers an event can change: nobody's, those of the pfn that it names alone, or others too. */
const Reach = { none: 0, own: 1, others: 2 } as const;
type Reach = (typeof Reach)[keyof typeof Reach];
