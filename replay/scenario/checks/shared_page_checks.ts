import { Global, KINDS, type Word } from '../../../events/index.js';
import { isTree, ptePage, type Memory } from '../../../src/index.js';
import type { CheckName } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type PathEnd, type TakenStep } from './check_family.js';
import type { Findings } from './findings.js';
import type { PathWords } from './path_words.js';

/** A page that all share, and what it held when the run began. */
interface SharedPage {
  readonly page: number;
  readonly check: CheckName;
  readonly isTable: boolean;
  readonly words: Int32Array;
}

const SET_ENTRY = KINDS.set_entry.id;
const SET_PTE = KINDS.set_pte.id;
const SET_MID = KINDS.set_mid.id;
const FILL_PAGE = KINDS.fill_page.id;
const WIPE_PAGE = KINDS.wipe_page.id;

/**
 * Shared PT pages and shared leaves never change (I1): shared-pte-page-written, shared-leaf-written. A path has broken it
 * with the first word that differs; a vector's flag is of the end alone, where the word may be what it was again.
 *
 * In the old tree the mid pages that all share, p2m_mid_missing and p2m_mid_identity, stand for the PT pages.
 */
export class SharedPageChecks implements CheckFamily {
  readonly #run: CheckedRun;
  readonly #shared = new Map<number, SharedPage>();

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    const { memory } = run;
    const tables = isTree(memory)
      ? [Global.p2m_mid_missing, Global.p2m_mid_identity]
      : [Global.p2m_missing_pte, Global.p2m_identity_pte];
    for (const global of tables) this.#add(memory.words[global]!, 'shared-pte-page-written', true);
    for (const global of [Global.p2m_missing, Global.p2m_identity]) {
      this.#add(memory.words[global]!, 'shared-leaf-written', false);
    }
  }

  afterStep({ thread, inHand, eventsFrom }: TakenStep, changed: number): void {
    if ((changed & (Changed.entry | Changed.table | Changed.fill)) === 0) return;
    const by = (): string => this.#run.words.operation(inHand[thread], thread);
    this.#check(eventsFrom, this.#run.found, () => `, by ${by()}`);
  }

  atEnd({ found }: PathEnd): void {
    this.#check(0, found, () => '');
  }

  #add(page: number, check: CheckName, isTable: boolean): void {
    const { homes, words, geometry } = this.#run.memory;
    const home = homes[page]!;
    this.#shared.set(page, { page, check, isTable, words: words.slice(home, home + geometry.pageWords) });
  }

  /** Looks at what events stored in a shared page, from the `from`-th on. */
  #check(from: number, found: Findings, by: () => string): void {
    const { memory, domain } = this.#run;
    const { batch } = domain;
    for (let i = from; i < batch.length; i++) {
      const page = sharedPageStored(batch.kind[i]!, batch.a[i]!, batch.b[i]!);
      const shared = page === 0 ? undefined : this.#shared.get(page);
      if (shared === undefined || !found.isOpen(shared.check)) continue;
      const index = this.#firstDifference(memory, shared);
      if (index < 0) continue;
      const now = memory.words[memory.homes[page]! + index]!;
      found.raise(shared.check, this.#say(shared, index, now, by()));
    }
  }

  #firstDifference(memory: Memory, { page, words }: SharedPage): number {
    const home = memory.homes[page]!;
    return words.findIndex((word, i) => memory.words[home + i] !== word);
  }

  #say({ page, isTable, words: old }: SharedPage, index: number, now: Word, by: string): () => string {
    const { words, memory } = this.#run;
    return () => sharedPageSays(memory, words, page, isTable, index, old[index]!, now, by);
  }
}

/** What is wrong with a page that all share: word `index` of it is `now`, and was `old`, in words; `by` says whose doing. */
export function sharedPageSays(
  memory: Memory,
  words: Pick<PathWords, 'page' | 'entry'>,
  page: number,
  isTable: boolean,
  index: number,
  old: number,
  now: number,
  by: string,
): string {
  const name = words.page(page);
  if (!isTable) {
    return `${name}[${index}] now holds ${words.entry(now)} instead of ${words.entry(old)}${by}: it is an entry of every pfn whose leaf is ${name}`;
  }
  const frame = (word: number): string => words.page(isTree(memory) ? word : ptePage(word));
  const is = `${name}[${index}] now names ${frame(now)} instead of ${frame(old)}${by}`;
  return `${is}: a store through it changes every area still mapped by ${name}`;
}

/** The page whose words the event stored, of those kinds that may reach a shared page; else 0. */
export function sharedPageStored(kind: number, a: number, b: number): number {
  switch (kind) {
    case SET_ENTRY:
    case SET_PTE:
      return b;
    case SET_MID:
    case FILL_PAGE:
    case WIPE_PAGE:
      return a;
    default:
      return 0;
  }
}
