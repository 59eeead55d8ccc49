import { Global, KINDS } from '../../../events/index.js';
import { NO_PAGE } from '../../../src/index.js';
import type { ScenarioOperation } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type PathEnd, type TakenStep } from './check_family.js';
import { Links } from './links.js';

const SET_PTE = KINDS.set_pte.id;
const SET_MID = KINDS.set_mid.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const SET_TOP_MFN = KINDS.set_top_mfn.id;
const SET_TOP_MFN_P = KINDS.set_top_mfn_p.id;

/**
 * The tree that the tools read: mfn-tree-misses-leaf and top-mismatch at the end (vectors/README.md, "Flags"), and on the
 * way list-and-tree-differ (I3): a private leaf has a private PT page, and once its allocation has returned the tree names
 * it, by both top pages.
 */
export class ToolsTreeChecks implements CheckFamily {
  readonly #run: CheckedRun;
  readonly #links: Links;
  /** Watched pfns that some thread sets. */
  readonly #targets: readonly number[];
  /** Pfns whose leaf the run may allocate. */
  readonly #allocated: readonly number[];
  /** Indices at which the two top pages differ before the run. */
  readonly #differing: readonly number[];

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    this.#links = new Links(run.domain);
    const { scenario, memory } = run;
    const operations = scenario.threads.flat();
    const set = new Set(operations.flatMap(([, pfn, value]) => (value === undefined ? [] : [pfn])));
    this.#targets = scenario.watch.filter((pfn) => set.has(pfn));
    this.#allocated = [...new Set(operations.filter(mayAllocate).map(([, pfn]) => pfn))];
    const { topPerPage } = memory.geometry;
    this.#differing =
      this.#top === NO_PAGE
        ? []
        : Array.from({ length: topPerPage }, (_, i) => i).filter((i) => this.#mismatch(i) !== undefined);
  }

  afterStep(step: TakenStep, changed: number): void {
    if (!this.#run.found.isOpen('list-and-tree-differ')) return;
    if ((changed & (Changed.table | Changed.tools)) !== 0) this.#checkSharedTables(step);
    for (const { operation, value } of step.finished) {
      if (value === 1 && mayAllocate(operation)) this.#checkReturned(step, operation);
    }
  }

  atEnd({ isQuiet, found }: PathEnd): void {
    if (!isQuiet || this.#top === NO_PAGE) return;
    for (const pfn of this.#targets) {
      const says = this.#miss(pfn);
      if (says !== undefined) found.raise('mfn-tree-misses-leaf', says);
    }
    for (const pfn of this.#allocated) {
      const says = this.#difference(pfn);
      if (says !== undefined) found.raise('list-and-tree-differ', () => `at the end ${says()}`);
    }
    for (const index of [...this.#differing, ...this.#storedTops()]) {
      const says = this.#mismatch(index);
      if (says !== undefined) found.raise('top-mismatch', () => `at the end ${says()}`);
    }
  }

  get #top(): number {
    return this.#run.memory.words[Global.p2m_top_mfn]!;
  }

  /** A private leaf in a table that all share, be it the list's or the tools'. */
  #checkSharedTables({ thread, inHand, eventsFrom }: TakenStep): void {
    const { domain, found, words, memory } = this.#run;
    const { batch } = domain;
    for (let i = eventsFrom; i < batch.length; i++) {
      const table = batch.kind[i] === SET_PTE ? batch.b[i]! : batch.a[i]!;
      const isList = batch.kind[i] === SET_PTE || batch.kind[i] === SET_MID;
      if (!isList && batch.kind[i] !== SET_MID_MFN) continue;
      const isShared = isList ? this.#links.isSharedTable(table) : table === memory.words[Global.p2m_mid_missing_mfn];
      const index = batch.kind[i] === SET_PTE ? (batch.a[i]! >>> memory.leafShift) & memory.pteMask : batch.b[i]!;
      if (!isShared) continue;
      const leaf = isList ? this.#links.lower(table, index) : memory.loadWord(table, index);
      if (this.#links.isShared(leaf)) continue;
      const by = (): string => words.operation(inHand[thread], thread);
      found.raise(
        'list-and-tree-differ',
        () =>
          `${words.page(leaf)}, a private leaf, is linked at ${words.page(table)}[${index}], which all areas share, by ${by()}`,
      );
    }
  }

  /** An operation has returned with success: what it has allocated, or others that have returned, must be in the tree. */
  #checkReturned({ thread, inHand }: TakenStep, operation: ScenarioOperation): void {
    const { pages, found, words } = this.#run;
    const pfn = operation[1];
    const owner = pages.ownerOf(this.#links.leafOf(pfn));
    const inMiddle = owner >= 0 && owner !== thread ? inHand[owner] : undefined;
    if (inMiddle !== undefined && mayAllocate(inMiddle)) return;
    const says = this.#difference(pfn);
    if (says === undefined) return;
    found.raise('list-and-tree-differ', () => `${words.operation(operation, thread)} has returned true, and ${says()}`);
  }

  /** What the list and the tree say differently of `pfn`. */
  #difference(pfn: number): (() => string) | undefined {
    const missed = this.#miss(pfn);
    if (missed !== undefined) return missed;
    const { memory, words } = this.#run;
    if (this.#top === NO_PAGE || pfn >= memory.geometry.maxP2mPfn) return undefined;
    const leaf = this.#links.leafOf(pfn);
    if (!this.#links.isShared(leaf)) return this.#mismatch(this.#topIndex(pfn));
    const named = this.#named(pfn);
    if (this.#links.isShared(named)) return undefined;
    return () =>
      `the tools' tree names ${words.page(named)} for ${words.pfn(pfn)}, whose leaf in the list is ${words.page(leaf)}`;
  }

  /** The list has a private leaf for `pfn`, and the tree does not name it. */
  #miss(pfn: number): (() => string) | undefined {
    const { memory, words } = this.#run;
    if (this.#top === NO_PAGE || pfn >= memory.geometry.maxP2mPfn) return undefined;
    const leaf = this.#links.leafOf(pfn);
    if (this.#links.isShared(leaf)) return undefined;
    const top = this.#topIndex(pfn);
    const mid = memory.loadWord(this.#top, top);
    const has = (): string => `the list has ${words.page(leaf)} for ${words.pfn(pfn)}`;
    if (mid === memory.words[Global.p2m_mid_missing_mfn]) {
      return () => `${has()}, and p2m_top_mfn[${top}] names p2m_mid_missing_mfn`;
    }
    const named = this.#named(pfn);
    if (named === leaf) return undefined;
    return () =>
      `${has()}, and the tools' tree has ${words.page(named)} there (${words.page(mid)}[${this.#midIndex(pfn)}])`;
  }

  /** The leaf that the tree names for `pfn`. */
  #named(pfn: number): number {
    const { memory } = this.#run;
    return memory.loadWord(memory.loadWord(this.#top, this.#topIndex(pfn)), this.#midIndex(pfn));
  }

  #topIndex(pfn: number): number {
    return Math.floor(pfn / this.#run.memory.geometry.pfnsPerMidPage);
  }

  #midIndex(pfn: number): number {
    const { perPage, midPerPage } = this.#run.memory.geometry;
    return Math.floor(pfn / perPage) % midPerPage;
  }

  /** The two top pages name different mid pages. */
  #mismatch(index: number): (() => string) | undefined {
    const { memory, words } = this.#run;
    const mid = memory.loadWord(this.#top, index);
    const midP = memory.loadWord(memory.words[Global.p2m_top_mfn_p]!, index);
    if (mid === midP) return undefined;
    return () => `p2m_top_mfn[${index}] names ${words.page(mid)}, p2m_top_mfn_p[${index}] names ${words.page(midP)}`;
  }

  /** Indices of the top pages that the run has stored. */
  #storedTops(): number[] {
    const { batch } = this.#run.domain;
    const tops: number[] = [];
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] === SET_TOP_MFN || batch.kind[i] === SET_TOP_MFN_P) tops.push(batch.a[i]!);
    }
    return tops;
  }
}

function mayAllocate([kind]: ScenarioOperation): boolean {
  return kind === 'set' || kind === 'alloc';
}
