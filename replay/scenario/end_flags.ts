import { Global } from '../../events/index.js';
import { lookUp, NO_PAGE, POOL_HEAD, ptePage, type Domain, type Memory } from '../../src/index.js';
import type { PathFlag } from './path_flags.js';
import type { Scenario, ScenarioFlag } from './scenario.js';
import type { ScenarioThread } from './scenario_thread.js';

/** Flags of the last state of a path (vectors/README.md, "Flags"). */
export type EndFlag = Exclude<ScenarioFlag, PathFlag>;

/**
 * Checks the last state of a path against the state before the run. `double-free` is not among the flags: the port
 * asserts that no page is freed twice, which no machine of the linear list does.
 */
export class EndChecker {
  readonly #scenario: Scenario;
  readonly #domain: Domain;
  readonly #memory: Memory;
  readonly #targets: readonly number[];
  /** Pages that are shared by all, and what they hold. */
  readonly #sharedPtePages: readonly SharedPage[];
  readonly #sharedLeaves: readonly SharedPage[];
  /** First page of each pool that the run takes. */
  readonly #heads: readonly number[];

  constructor(scenario: Scenario, domain: Domain) {
    this.#scenario = scenario;
    this.#domain = domain;
    const { memory } = domain;
    this.#memory = memory;
    const set = new Set(
      scenario.threads.flat().flatMap(([kind, pfn]) => (kind === 'set' || kind === 'rawSet' ? [pfn] : [])),
    );
    this.#targets = scenario.watch.filter((pfn) => set.has(pfn));
    this.#sharedPtePages = [Global.p2m_missing_pte, Global.p2m_identity_pte].map((page) =>
      shared(memory, domain.global(page)),
    );
    this.#sharedLeaves = [Global.p2m_missing, Global.p2m_identity].map((page) => shared(memory, domain.global(page)));
    this.#heads = domain.cpus.map((_, cpu) => domain.global(POOL_HEAD + memory.poolOf(cpu)));
  }

  /** Pages that a CPU has allocated in the run. */
  allocated(cpu: number): number[] {
    const start = this.#heads[cpu]!;
    const end = this.#domain.global(POOL_HEAD + this.#memory.poolOf(cpu));
    return Array.from({ length: end - start }, (_, i) => start + i);
  }

  /** Flags of the state in hand. */
  flags(threads: readonly ScenarioThread[]): Set<EndFlag> {
    const found = new Set<EndFlag>();
    const check = (flag: EndFlag, holds: boolean): void => {
      if (holds) found.add(flag);
    };
    const linked = this.#linkedPages();
    const pages = threads.flatMap((_, cpu) => this.allocated(cpu));
    const quiescent = !threads.some((thread) => thread.died);
    check('BUG_ON', !quiescent);
    check(
      'shared-pte-page-written',
      this.#sharedPtePages.some((page) => isWritten(this.#memory, page)),
    );
    check(
      'shared-leaf-written',
      this.#sharedLeaves.some((page) => isWritten(this.#memory, page)),
    );
    check(
      'freed-page-reachable',
      pages.some((page) => this.#memory.isFreed(page) && linked.has(page)),
    );
    if (!quiescent) return found;
    check(
      'leak',
      pages.some((page) => !this.#memory.isFreed(page) && !linked.has(page)),
    );
    check('lost-update', this.#losesUpdate(threads));
    this.#checkTree(check);
    if (this.#domain.form.listForTools) this.#checkLastPfn(check, new Set(pages));
    return found;
  }

  /** The tools' tree names each private leaf of a target, and both top pages name the same mid pages. */
  #checkTree(check: (flag: EndFlag, holds: boolean) => void): void {
    const m = this.#memory;
    const g = m.geometry;
    const top = this.#domain.global(Global.p2m_top_mfn);
    if (top === NO_PAGE) return;
    const missing = this.#domain.global(Global.p2m_mid_missing_mfn);
    const topP = this.#domain.global(Global.p2m_top_mfn_p);
    const misses = this.#targets.some((pfn) => {
      const leaf = this.#privateLeaf(pfn);
      if (leaf === NO_PAGE || pfn >= g.maxP2mPfn) return false;
      const mid = m.loadWord(top, Math.floor(pfn / g.pfnsPerMidPage));
      return mid === missing || m.loadWord(mid, Math.floor(pfn / g.perPage) % g.midPerPage) !== leaf;
    });
    check('mfn-tree-misses-leaf', misses);
    let mismatch = false;
    for (let i = 0; i < g.topPerPage; i++) mismatch ||= m.loadWord(top, i) !== m.loadWord(topP, i);
    check('top-mismatch', mismatch);
  }

  #checkLastPfn(check: (flag: EndFlag, holds: boolean) => void, allocated: ReadonlySet<number>): void {
    const { perPage } = this.#memory.geometry;
    const last = this.#domain.global(Global.xen_p2m_last_pfn);
    const tooLow = this.#targets.some(
      (pfn) => allocated.has(this.#privateLeaf(pfn)) && last < (Math.floor(pfn / perPage) + 1) * perPage,
    );
    check('last-pfn-too-low', tooLow);
    check('shared-max_pfn-too-low', this.#scenario.tree && this.#domain.global(Global['shared_info.max_pfn']) < last);
  }

  /** The leaf that the list has for `pfn`; NO_PAGE where it is shared or there is none. */
  #privateLeaf(pfn: number): number {
    if (pfn >= this.#domain.global(Global.xen_p2m_size)) return NO_PAGE;
    const leaf = ptePage(this.#memory.pteOf(pfn));
    return this.#sharedLeaves.some(({ page }) => page === leaf) ? NO_PAGE : leaf;
  }

  /** A set returned true, and the entry is not what some thread's last true set of it stored. */
  #losesUpdate(threads: readonly ScenarioThread[]): boolean {
    const last = new Map<number, number[]>();
    for (const { finished } of threads) {
      const own = new Map<number, number>();
      for (const { operation, value } of finished) {
        if (operation.length === 3 && value === 1) own.set(operation[1], this.#memory.codec.parse(operation[2]));
      }
      for (const [pfn, word] of own) last.set(pfn, [...(last.get(pfn) ?? []), word]);
    }
    return [...last].some(([pfn, words]) => !words.includes(lookUp(this.#memory, pfn)));
  }

  /** Every page that a PMD, a PT page (those shared by all too) or p2m_top_mfn names. */
  #linkedPages(): Set<number> {
    const m = this.#memory;
    const g = m.geometry;
    const ptPages = new Set(this.#sharedPtePages.map(({ page }) => page));
    for (let i = 0; i < m.layout.pmdCount; i++) ptPages.add(ptePage(m.words[m.layout.pmdBase + i]!));
    ptPages.delete(NO_PAGE);
    const linked = new Set(ptPages);
    for (const page of ptPages) {
      for (let i = 0; i < g.ptrsPerPte; i++) linked.add(ptePage(m.loadWord(page, i)));
    }
    const top = this.#domain.global(Global.p2m_top_mfn);
    if (top !== NO_PAGE) for (let i = 0; i < g.topPerPage; i++) linked.add(m.loadWord(top, i));
    return linked;
  }
}

interface SharedPage {
  readonly page: number;
  readonly words: Int32Array;
}

function shared(m: Memory, page: number): SharedPage {
  const home = m.homes[page]!;
  return { page, words: m.words.slice(home, home + m.geometry.pageWords) };
}

function isWritten(m: Memory, { page, words }: SharedPage): boolean {
  const home = m.homes[page]!;
  return words.some((word, i) => m.words[home + i] !== word);
}
