import { KINDS } from '../../../events/index.js';
import { NO_PAGE, ObservedPort } from '../../../src/index.js';
import type { CheckedRun, CheckFamily, PathEnd, TakenStep } from './check_family.js';
import { Links, type Link } from './links.js';

const FREE_PAGE = KINDS.free_page.id;
const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_MID = KINDS.set_mid.id;
const SET_MID_MFN = KINDS.set_mid_mfn.id;
const FILL_PAGE = KINDS.fill_page.id;

/**
 * Each page that the run allocates is linked or freed, and once freed left alone (I7): leak, freed-page-reachable,
 * double-free, use-after-free.
 */
export class PageChecks implements CheckFamily {
  readonly #run: CheckedRun;
  readonly #links: Links;

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    this.#links = new Links(run.domain);
  }

  afterStep(step: TakenStep): void {
    const { found } = this.#run;
    if (found.isOpen('use-after-free')) this.#checkUses(step);
    if (found.isOpen('double-free')) this.#checkFrees(step);
  }

  atEnd({ isQuiet, found }: PathEnd): void {
    const { memory, pages, words } = this.#run;
    if (!found.isOpen('leak') && !found.isOpen('freed-page-reachable')) return;
    let links: Link[] | undefined;
    pages.forEach((page, cpu) => {
      links ??= this.#links.stored();
      const link = links.find((candidate) => candidate.page === page);
      const isFreed = memory.isFreed(page);
      if (isFreed && link !== undefined) {
        found.raise(
          'freed-page-reachable',
          () => `${words.page(page)} was freed, and ${this.#slot(link)} still names it`,
        );
      }
      if (isQuiet && !isFreed && link === undefined) {
        const nowhere = this.#links.isTree ? 'no p2m_top, no mid page' : 'no PMD, no PT page';
        found.raise(
          'leak',
          () =>
            `${words.page(page)}, which ${words.thread(cpu)} allocated, is not freed, and ${nowhere} and no p2m_top_mfn names it`,
        );
      }
    });
  }

  /** A step must not touch what was freed before it; of what it frees itself, not store in it afterwards. */
  #checkUses({ thread, inHand, eventsFrom, accesses }: TakenStep): void {
    const { memory, domain } = this.#run;
    const { batch } = domain;
    for (let i = eventsFrom; i < batch.length; i++) {
      const page = storedPage(batch.kind[i]!, batch.a[i]!, batch.b[i]!);
      if (page === NO_PAGE || !memory.isFreed(page) || this.#isFreedBy(page, i + 1)) continue;
      return this.#raiseUse(page, 'stores in', this.#run.words.operation(inHand[thread], thread));
    }
    const { pagesBase } = memory.layout;
    for (let i = 0; i < accesses.count; i++) {
      const location = accesses.locations[i]!;
      if (location < pagesBase) continue;
      const page = 1 + ((location - pagesBase) >>> memory.leafShift);
      if (!memory.isFreed(page) || this.#isFreedBy(page, eventsFrom)) continue;
      return this.#raiseUse(page, 'reads', this.#run.words.operation(inHand[thread], thread));
    }
  }

  /** Whether an event from row `from` on frees the page. */
  #isFreedBy(page: number, from: number): boolean {
    const { batch } = this.#run.domain;
    for (let i = from; i < batch.length; i++) if (batch.kind[i] === FREE_PAGE && batch.a[i] === page) return true;
    return false;
  }

  #raiseUse(page: number, does: string, who: string): void {
    const { found, words } = this.#run;
    found.raise('use-after-free', () => `${who} ${does} ${words.page(page)}, which was freed before`);
  }

  /** An observed port notes what is freed once more, and lets it pass. */
  #checkFrees({ thread, inHand }: TakenStep): void {
    const { found, domain, words } = this.#run;
    const { port } = domain.cpus[thread]!;
    if (!(port instanceof ObservedPort)) return;
    const page = port.doubleFreed.at(-1);
    if (page === undefined) return;
    found.raise(
      'double-free',
      () => `${words.operation(inHand[thread], thread)} frees ${words.page(page)}, which was freed before`,
    );
  }

  #slot({ table, index }: Link): string {
    if (table !== NO_PAGE) return `${this.#run.words.page(table)}[${index}]`;
    return this.#links.upperName(index);
  }
}

/** The page whose words the event stored, or would have; else `NO_PAGE`. */
export function storedPage(kind: number, a: number, b: number): number {
  switch (kind) {
    case SET_ENTRY:
    case SET_PTE:
      return b;
    case SET_MID:
    case SET_MID_MFN:
    case FILL_PAGE:
      return a;
    default:
      return NO_PAGE;
  }
}
