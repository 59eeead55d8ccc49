import { FAULT, type Word } from '../../events/index.js';
import { NO_PAGE, type Memory } from '../../src/index.js';
import { MANY, roleWord } from '../scenario/word_names.js';

/** The words of a log's memory: a private page by its number, as events have it (`leaf 1234`), a shared one by its name. */
export class PageWords {
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** What a page is called. */
  page(page: number): string {
    if (page === NO_PAGE) return 'none';
    const role = this.#memory.role(page);
    const name = roleWord(role);
    if (name === undefined) return `page ${page}`;
    return MANY.includes(role) ? `${name} ${page}` : name;
  }

  /** An entry as scenarios write it. */
  entry(word: Word): string {
    return word === FAULT ? 'a fault' : this.#memory.codec.format(word);
  }

  /** A pfn in hexadecimal. */
  pfn(pfn: number): string {
    return `0x${pfn.toString(16)}`;
  }
}
