import { Global } from '../../../events/index.js';
import { NO_PAGE, type Memory } from '../../../src/index.js';
import type { ListTables } from './list_tables.js';
import type { PathWords } from './path_words.js';

/** The tree that the tools read, beside the list: where they differ, in words that are made when somebody asks. */
export class ToolsTree {
  readonly #memory: Memory;
  readonly #tables: ListTables;
  readonly #words: Pick<PathWords, 'page' | 'pfn'>;

  /** After the boot. */
  constructor(memory: Memory, tables: ListTables, words: Pick<PathWords, 'page' | 'pfn'>) {
    this.#memory = memory;
    this.#tables = tables;
    this.#words = words;
  }

  /** Whether there is a tree. */
  get stands(): boolean {
    return this.#top !== NO_PAGE;
  }

  /** What the list and the tree say differently of `pfn`. */
  difference(pfn: number): (() => string) | undefined {
    const missed = this.miss(pfn);
    if (missed !== undefined) return missed;
    const memory = this.#memory;
    const words = this.#words;
    if (this.#top === NO_PAGE || pfn >= memory.geometry.maxP2mPfn) return undefined;
    const leaf = this.#tables.leafOf(pfn);
    if (!this.#tables.isShared(leaf)) return this.mismatch(this.#topIndex(pfn));
    const named = this.#named(pfn);
    if (this.#tables.isShared(named)) return undefined;
    return () =>
      `the tools' tree names ${words.page(named)} for ${words.pfn(pfn)}, whose leaf in the list is ${words.page(leaf)}`;
  }

  /** The list has a private leaf for `pfn`, and the tree does not name it. */
  miss(pfn: number): (() => string) | undefined {
    const memory = this.#memory;
    const words = this.#words;
    if (this.#top === NO_PAGE || pfn >= memory.geometry.maxP2mPfn) return undefined;
    const leaf = this.#tables.leafOf(pfn);
    if (this.#tables.isShared(leaf)) return undefined;
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
    const memory = this.#memory;
    return memory.loadWord(memory.loadWord(this.#top, this.#topIndex(pfn)), this.#midIndex(pfn));
  }

  #topIndex(pfn: number): number {
    return Math.floor(pfn / this.#memory.geometry.pfnsPerMidPage);
  }

  #midIndex(pfn: number): number {
    const { perPage, midPerPage } = this.#memory.geometry;
    return Math.floor(pfn / perPage) % midPerPage;
  }

  /** The two top pages name different mid pages. */
  mismatch(index: number): (() => string) | undefined {
    const memory = this.#memory;
    const words = this.#words;
    const mid = memory.loadWord(this.#top, index);
    const midP = memory.loadWord(memory.words[Global.p2m_top_mfn_p]!, index);
    if (mid === midP) return undefined;
    return () => `p2m_top_mfn[${index}] names ${words.page(mid)}, p2m_top_mfn_p[${index}] names ${words.page(midP)}`;
  }

  get #top(): number {
    return this.#memory.words[Global.p2m_top_mfn]!;
  }
}
