import type { History } from './history.js';
import { OperationWords } from './operation_words.js';

/**
 * Says why operations on one register have no order, in words that can be checked by hand: the first argument that holds.
 *
 * @param events  of the key, as `KeyEvents` has them: what is said of all writes of a value is true of the whole key
 * @param core    numbers of operations that have no order
 */
export function explainCore(history: History, events: Int32Array, core: readonly number[], initial: number): string {
  const facts = new CoreFacts(history, events, core, initial);
  for (const argument of [findUnwritten, findStale, findInverted, findLost, findCircle]) {
    const words = argument(facts, new OperationWords(history));
    if (words !== undefined) return words;
  }
  const count = core.length;
  return `these ${count} operations have no order in which each takes effect at one moment between its beginning and its end`;
}

/** What the arguments are made of. Operations and values are numbers. */
class CoreFacts {
  readonly history: History;
  readonly core: readonly number[];
  readonly initial: number;
  /** Of the core: those that found a value and are done, and those that wrote one. */
  readonly finders: readonly number[];
  readonly writers: readonly number[];
  /** All writes of the key by value, in the order of their beginnings. */
  readonly #writes = new Map<number, number[]>();

  constructor(history: History, events: Int32Array, core: readonly number[], initial: number) {
    this.history = history;
    this.core = core;
    this.initial = initial;
    this.finders = core.filter((operation) => this.found(operation) >= 0 && this.end(operation) < Infinity);
    this.writers = core.filter((operation) => history.mayWrite(operation));
    for (const operation of events) {
      if (operation >= 0 && history.mayWrite(operation)) this.#addWrite(operation);
    }
  }

  found(operation: number): number {
    return this.history.found(operation);
  }

  written(operation: number): number {
    return this.history.value.cells[operation]!;
  }

  begin(operation: number): number {
    return this.history.began.cells[operation]!;
  }

  end(operation: number): number {
    return this.history.endOf(operation);
  }

  /** Whether one had ended when the other began. */
  isBefore(one: number, other: number): boolean {
    return this.end(one) < this.begin(other);
  }

  /** All writes of a value. */
  writesOf(value: number): readonly number[] {
    return this.#writes.get(value) ?? [];
  }

  /** The writes from which `finder` may have what it found: those that did not begin after it had ended. */
  sourcesOf(finder: number): readonly number[] {
    return this.writesOf(this.found(finder)).filter((write) => write !== finder && !this.isBefore(finder, write));
  }

  #addWrite(operation: number): void {
    const value = this.written(operation);
    const others = this.#writes.get(value);
    if (others === undefined) this.#writes.set(value, [operation]);
    else others.push(operation);
  }
}

type Argument = (facts: CoreFacts, words: OperationWords) => string | undefined;

/** Somebody found what nothing had begun to write. */
const findUnwritten: Argument = (facts, words) => {
  for (const finder of facts.finders) {
    const value = facts.found(finder);
    if (value === facts.initial || facts.sourcesOf(finder).length > 0) continue;
    const first = facts.writesOf(value).find((write) => write !== finder);
    if (first === undefined) return `${words.found(finder)}, which nothing wrote`;
    return `${words.found(finder)}, but ${words.tell(first)}, the first to write it, began only after that`;
  }
  return undefined;
};

/** Somebody found a value that had been overwritten for certain. */
const findStale: Argument = (facts, words) => {
  for (const finder of facts.finders) {
    const value = facts.found(finder);
    const sources = facts.sourcesOf(finder);
    const over = facts.writers.find(
      (write) =>
        facts.written(write) !== value &&
        facts.isBefore(write, finder) &&
        sources.every((source) => facts.isBefore(source, write)),
    );
    if (over === undefined) continue;
    const head = `${words.found(finder)}, but ${words.tell(over)} had ended before ${words.tell(finder)} began`;
    return `${head}, and ${endedBefore(facts, words, finder, over)}`;
  }
  return undefined;
};

/** Somebody found an old value after somebody else had found the new one. */
const findInverted: Argument = (facts, words) => {
  for (const later of facts.finders) {
    for (const earlier of facts.finders) {
      if (!facts.isBefore(earlier, later) || facts.found(earlier) === facts.initial) continue;
      const news = facts.sourcesOf(earlier);
      const isOlder = facts.sourcesOf(later).every((old) => news.every((write) => facts.isBefore(old, write)));
      if (facts.found(earlier) === facts.found(later) || news.length === 0 || !isOlder) continue;
      const head = `${words.found(later)}, but ${words.found(earlier)} and had ended before ${words.tell(later)} began`;
      return `${head}, and ${endedBefore(facts, words, later, news[0]!)}`;
    }
  }
  return undefined;
};

/** Of all that may have written what `finder` found: that it had ended when `write` began. */
function endedBefore(facts: CoreFacts, words: OperationWords, finder: number, write: number): string {
  const value = words.value(facts.found(finder));
  const sources = facts.sourcesOf(finder);
  const last = sources.at(-1);
  if (last === undefined) return `${value}, the value at first, was not written again`;
  const all =
    sources.length === 1
      ? words.tell(last)
      : `each of the ${sources.length} writes of ${value} that had begun by its end, the last ${words.tell(last)},`;
  return `${all} had ended before ${words.tell(write)} began`;
}

/** More operations took a value away than brought it. */
const findLost: Argument = (facts, words) => {
  for (const value of new Set(facts.finders.map((finder) => facts.found(finder)))) {
    const takers = facts.finders.filter((finder) => facts.found(finder) === value && facts.history.mayWrite(finder));
    const times = facts.writesOf(value).length + (value === facts.initial ? 1 : 0);
    if (takers.length <= times) continue;
    const names = takers.map((taker) => words.tell(taker));
    const those = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
    return `${those} each found ${words.value(value)} and replaced it, but it was there ${times === 1 ? 'only once' : `only ${times} times`}`;
  }
  return undefined;
};

/** Two values, each there once, come before each other. */
const findCircle: Argument = (facts, words) => {
  const values = new Set([...facts.finders.map((f) => facts.found(f)), ...facts.writers.map((w) => facts.written(w))]);
  const single = [...values].filter((value) => value !== facts.initial && facts.writesOf(value).length === 1);
  for (const a of single) {
    for (const b of single) {
      const first = a < b ? precedence(facts, a, b) : undefined;
      const second = first && precedence(facts, b, a);
      if (first === undefined || second === undefined) continue;
      const one = `${words.value(a)} comes before ${words.value(b)}: ${telling(words, first)}`;
      const other = `${words.value(b)} comes before ${words.value(a)}: ${telling(words, second)}`;
      return `${one}; but ${other}; and each was written only once`;
    }
  }
  return undefined;
};

function telling(words: OperationWords, [earlier, later]: readonly [number, number]): string {
  return `${words.tell(earlier)} had ended when ${words.tell(later)} began`;
}

/** An operation that wrote or found `a` and had ended when one that wrote or found `b` began. */
function precedence(facts: CoreFacts, a: number, b: number): readonly [number, number] | undefined {
  const of = (value: number): number[] =>
    facts.core.filter(
      (operation) =>
        facts.found(operation) === value || (facts.history.mayWrite(operation) && facts.written(operation) === value),
    );
  for (const x of of(a)) for (const y of of(b)) if (x !== y && facts.isBefore(x, y)) return [x, y];
  return undefined;
}
