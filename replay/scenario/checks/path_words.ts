import { FAULT, type Word } from '../../../events/index.js';
import type { Domain } from '../../../src/index.js';
import { THREAD_NAMES, type Scenario, type ScenarioOperation } from '../scenario.js';
import { WordNames } from '../word_names.js';

/** The words that checks use for what a person can look up: pages, entries, operations, threads. */
export class PathWords {
  readonly #scenario: Scenario;
  readonly #domain: Domain;
  readonly #names: WordNames;

  constructor(scenario: Scenario, domain: Domain) {
    this.#scenario = scenario;
    this.#domain = domain;
    this.#names = new WordNames(domain);
  }

  /** Name of a page, as reports give it; that it was freed is for the check to say. */
  page(page: number): string {
    return this.#names.page(page).replace(' (freed)', '');
  }

  /** An entry as scenarios write it. */
  entry(word: Word): string {
    return word === FAULT ? 'a fault' : this.#domain.memory.codec.format(word);
  }

  /** Entries as scenarios write them, each once. */
  entries(words: Iterable<Word>): string {
    return [...new Set(words)].map((word) => this.entry(word)).join(', ');
  }

  pfn(pfn: number): string {
    return `0x${pfn.toString(16)}`;
  }

  thread(thread: number): string {
    return THREAD_NAMES[thread]!;
  }

  /** `set 0x402 m:77 by A`; nothing of the operation where none is in hand. */
  operation(operation: ScenarioOperation | undefined, thread: number): string {
    return operation === undefined ? this.thread(thread) : `${this.#text(operation)} by ${this.thread(thread)}`;
  }

  /** `lookup 0x402 by B (operation 3)`: counted from 1, thread by thread. */
  numbered(thread: number, index: number): string {
    const before = this.#scenario.threads.slice(0, thread).reduce((sum, { length }) => sum + length, 0);
    const operation = this.#scenario.threads[thread]![index]!;
    return `${this.operation(operation, thread)} (operation ${before + index + 1})`;
  }

  #text([kind, pfn, value]: ScenarioOperation): string {
    return value === undefined ? `${kind} ${this.pfn(pfn)}` : `${kind} ${this.pfn(pfn)} ${value}`;
  }
}
