import { Global, KINDS } from '../../../events/index.js';
import type { ScenarioOperation } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type PathEnd, type TakenStep } from './check_family.js';
import { Links } from './links.js';
import { ToolsTree } from './tools_tree.js';

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
  readonly #tree: ToolsTree;
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
    this.#tree = new ToolsTree(run.memory, this.#links, run.words);
    const { scenario, memory } = run;
    const operations = scenario.threads.flat();
    const set = new Set(operations.flatMap(([, pfn, value]) => (value === undefined ? [] : [pfn])));
    this.#targets = scenario.watch.filter((pfn) => set.has(pfn));
    this.#allocated = [...new Set(operations.filter(mayAllocate).map(([, pfn]) => pfn))];
    const { topPerPage } = memory.geometry;
    this.#differing = !this.#tree.stands
      ? []
      : Array.from({ length: topPerPage }, (_, i) => i).filter((i) => this.#tree.mismatch(i) !== undefined);
  }

  afterStep(step: TakenStep, changed: number): void {
    if (!this.#run.found.isOpen('list-and-tree-differ')) return;
    if ((changed & (Changed.table | Changed.tools)) !== 0) this.#checkSharedTables(step);
    for (const { operation, value } of step.finished) {
      if (value === 1 && mayAllocate(operation)) this.#checkReturned(step, operation);
    }
  }

  atEnd({ isQuiet, found }: PathEnd): void {
    if (!isQuiet || !this.#tree.stands) return;
    for (const pfn of this.#targets) {
      const says = this.#tree.miss(pfn);
      if (says !== undefined) found.raise('mfn-tree-misses-leaf', says);
    }
    for (const pfn of this.#allocated) {
      const says = this.#tree.difference(pfn);
      if (says !== undefined) found.raise('list-and-tree-differ', () => `at the end ${says()}`);
    }
    for (const index of [...this.#differing, ...this.#storedTops()]) {
      const says = this.#tree.mismatch(index);
      if (says !== undefined) found.raise('top-mismatch', () => `at the end ${says()}`);
    }
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
    const says = this.#tree.difference(pfn);
    if (says === undefined) return;
    found.raise('list-and-tree-differ', () => `${words.operation(operation, thread)} has returned true, and ${says()}`);
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
