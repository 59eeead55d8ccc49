import { Global, INVALID, Role, ROLES } from '../../events/index.js';
import { isTree } from '../look_up.js';
import type { Memory } from '../memory/memory.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';

/** A run of named pages: `count` of them from `index` on; a numbered name counts up (`leaf#7`, `leaf#8`, ...). */
export type NameRun = readonly [index: number, count: number, name: string];

/** The page tables and the tools' tree by canonical names, which do not depend on page numbers (vectors/README.md, "dump"). */
export interface Structure {
  /** PT pages by PMD slot. Old tree: its mid pages by index in p2m_top. */
  readonly ptePages: readonly NameRun[];
  readonly leaves: readonly NameRun[];
  /** Both shared leaves hold only INVALID, both shared PT pages (old tree: mid pages) name only their leaf. */
  readonly sharedIntact: boolean;
  /** Absent while there is no tree. */
  readonly top?: readonly NameRun[];
  readonly mids?: Readonly<Record<string, readonly NameRun[]>>;
  /** Only where the array of pointers differs from the array of frames. */
  readonly topP?: readonly NameRun[];
}

/** The structure of the whole list area, or of the whole old tree. The list must have been rebuilt, the tree built. */
export function structure(memory: Memory): Structure {
  const { geometry: g, words } = memory;
  const [ptPages, leaves] = isTree(memory) ? treeTables(memory) : linearTables(memory);
  const names = new Names(memory);
  names.number(isTree(memory) ? Role.tree_mid : Role.pte, ptPages);
  names.number(Role.leaf, leaves);
  const base = {
    ptePages: names.runs(ptPages),
    leaves: names.runs(leaves),
    sharedIntact: sharedIntact(memory),
  };
  if (words[Global.p2m_top_mfn] === NO_PAGE) return base;

  const top = pageWords(memory, words[Global.p2m_top_mfn]!, g.topPerPage);
  const topP = pageWords(memory, words[Global.p2m_top_mfn_p]!, g.topPerPage);
  const both = new Int32Array(g.topPerPage * 2);
  both.set(top);
  both.set(topP, g.topPerPage);
  names.number(Role.mid, both);
  const mids: Record<string, NameRun[]> = {};
  for (const page of new Set([words[Global.p2m_mid_missing_mfn]!, ...both])) {
    mids[names.of(page)] = names.runs(pageWords(memory, page, g.midPerPage));
  }
  const differs = top.some((page, i) => page !== topP[i]);
  return { ...base, top: names.runs(top), mids, ...(differs ? { topP: names.runs(topP) } : {}) };
}

/** What each PMD slot links, and each PTE. */
function linearTables(memory: Memory): [ptPages: Int32Array, leaves: Int32Array] {
  const { geometry: g, words } = memory;
  const size = words[Global.xen_p2m_size]!;
  const ptPages = new Int32Array(size / g.pfnsPerPtePage);
  const leaves = new Int32Array(size / g.perPage);
  for (let slot = 0; slot < ptPages.length; slot++) {
    const pfn = slot * g.pfnsPerPtePage;
    const page = memory.linkedPtPage(pfn);
    ptPages[slot] = page;
    if (page === NO_PAGE) continue;
    for (let i = 0; i < g.ptrsPerPte; i++) {
      leaves[slot * g.ptrsPerPte + i] = ptePage(memory.loadPte(page, pfn + i * g.perPage));
    }
  }
  return [ptPages, leaves];
}

/** What each entry of p2m_top names, and each of its mid pages. */
function treeTables(memory: Memory): [mids: Int32Array, leaves: Int32Array] {
  const { geometry: g, words } = memory;
  const mids = pageWords(memory, words[Global.p2m_top]!, g.topPerPage);
  const leaves = new Int32Array(g.topPerPage * g.midPerPage);
  mids.forEach((mid, top) => leaves.set(pageWords(memory, mid, g.midPerPage), top * g.midPerPage));
  return [mids, leaves];
}

/** Whether the shared pages still are what the rebuild, or the building of the tree, made them (invariant I1). */
export function sharedIntact(memory: Memory): boolean {
  const { geometry: g, words } = memory;
  const missing = words[Global.p2m_missing]!;
  const identity = words[Global.p2m_identity]!;
  const uniform = (page: number, count: number, want: (word: number) => boolean): boolean =>
    pageWords(memory, page, count).every(want);
  const leaves =
    uniform(missing, g.perPage, (word) => word === INVALID) && uniform(identity, g.perPage, (word) => word === INVALID);
  if (isTree(memory)) {
    return (
      leaves &&
      uniform(words[Global.p2m_mid_missing]!, g.midPerPage, (leaf) => leaf === missing) &&
      uniform(words[Global.p2m_mid_identity]!, g.midPerPage, (leaf) => leaf === identity)
    );
  }
  return (
    leaves &&
    uniform(words[Global.p2m_missing_pte]!, g.ptrsPerPte, (pte) => ptePage(pte) === missing) &&
    uniform(words[Global.p2m_identity_pte]!, g.ptrsPerPte, (pte) => ptePage(pte) === identity)
  );
}

function pageWords(memory: Memory, page: number, count: number): Int32Array {
  const home = memory.homes[page]!;
  return memory.words.subarray(home, home + count);
}

/**
 * Names for pages: shared ones by their kernel name, private ones by role and rank in the order of their allocation among
 * those of the role that are reachable. Page numbers are that order while one CPU allocates.
 */
class Names {
  readonly #memory: Memory;
  readonly #ranks = new Map<number, number>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Gives the pages of `role` among `pages` their numbers. */
  number(role: number, pages: Int32Array): void {
    const found = new Set<number>();
    for (const page of pages) {
      if (page > NO_PAGE && this.#memory.role(page) === role) found.add(page);
    }
    [...found].sort((a, b) => a - b).forEach((page, rank) => this.#ranks.set(page, rank));
  }

  of(page: number): string {
    return this.#number(page) < 0 ? this.#stem(page) : `${this.#stem(page)}#${this.#number(page)}`;
  }

  runs(pages: Int32Array): NameRun[] {
    const runs: NameRun[] = [];
    for (let i = 0; i < pages.length;) {
      const first = pages[i]!;
      const stem = this.#stem(first);
      const number = this.#number(first);
      let next = i + 1;
      if (number < 0)
        while (next < pages.length && this.#stem(pages[next]!) === stem && this.#number(pages[next]!) < 0) next++;
      else
        while (
          next < pages.length &&
          this.#stem(pages[next]!) === stem &&
          this.#number(pages[next]!) === number + next - i
        )
          next++;
      runs.push([i, next - i, this.of(first)]);
      i = next;
    }
    return runs;
  }

  #stem(page: number): string {
    return page <= NO_PAGE ? 'none' : ROLES[this.#memory.role(page)]!;
  }

  /** Rank of a private page; -1 where the name stands alone. */
  #number(page: number): number {
    if (page <= NO_PAGE) return -1;
    if (this.#memory.role(page) === Role.init) return page - 1;
    return this.#ranks.get(page) ?? -1;
  }
}
