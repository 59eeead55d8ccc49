import { Global, KINDS } from '../../../events/index.js';
import type { CheckName } from '../scenario.js';
import type { CheckedRun, CheckFamily, PathEnd } from './check_family.js';
import { Links } from './links.js';

const SET_PTE = KINDS.set_pte.id;

/**
 * What the tools are told of how far the list reaches, at the end: last-pfn-too-low and shared-max_pfn-too-low
 * (vectors/README.md, "Flags") and max-pfn-misses-leaf (I8), which is of every leaf that the run has linked and of every
 * form of the linear list. xen_p2m_last_pfn and max_pfn are numbers of pfns.
 */
export class MaxPfnChecks implements CheckFamily {
  readonly #run: CheckedRun;
  readonly #links: Links;
  readonly #targets: readonly number[];

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    this.#links = new Links(run.domain);
    const { watch, threads } = run.scenario;
    const set = new Set(threads.flat().flatMap(([, pfn, value]) => (value === undefined ? [] : [pfn])));
    this.#targets = watch.filter((pfn) => set.has(pfn));
  }

  atEnd({ isQuiet, found }: PathEnd): void {
    const { domain, scenario, memory, words } = this.#run;
    if (!isQuiet || this.#links.isTree) return;
    const last = memory.words[Global.xen_p2m_last_pfn]!;
    const maxPfn = memory.words[Global['shared_info.max_pfn']]!;
    const check = (name: CheckName, pfn: number, covers: number, what: string): void => {
      if (covers < this.#leafEnd(pfn)) found.raise(name, this.#say(pfn, covers, what));
    };
    if (domain.form.listForTools) {
      for (const pfn of this.#targets) {
        if (this.#isNew(pfn)) check('last-pfn-too-low', pfn, last, 'xen_p2m_last_pfn');
      }
      if (scenario.tree && maxPfn < last) {
        found.raise(
          'shared-max_pfn-too-low',
          () => `at the end max_pfn is ${words.pfn(maxPfn)}, and xen_p2m_last_pfn is ${words.pfn(last)}`,
        );
      }
    }
    const { batch } = domain;
    for (let i = 0; i < batch.length; i++) {
      const pfn = batch.a[i]!;
      if (batch.kind[i] !== SET_PTE || !this.#isNew(pfn)) continue;
      if (domain.form.listForTools) check('max-pfn-misses-leaf', pfn, last, 'xen_p2m_last_pfn');
      if (scenario.tree) check('max-pfn-misses-leaf', pfn, maxPfn, 'max_pfn');
    }
  }

  /** Whether the run has allocated the leaf that the list has for `pfn`. */
  #isNew(pfn: number): boolean {
    return this.#run.pages.ownerOf(this.#links.leafOf(pfn)) >= 0;
  }

  /** The first pfn behind the leaf of `pfn`. */
  #leafEnd(pfn: number): number {
    const { perPage } = this.#run.memory.geometry;
    return (Math.floor(pfn / perPage) + 1) * perPage;
  }

  #say(pfn: number, covers: number, what: string): () => string {
    const { words } = this.#run;
    const leaf = this.#links.leafOf(pfn);
    const end = words.pfn(this.#leafEnd(pfn));
    return () =>
      `at the end ${what} is ${words.pfn(covers)}, and ${words.page(leaf)}, the leaf of ${words.pfn(pfn)}, reaches to ${end}`;
  }
}
