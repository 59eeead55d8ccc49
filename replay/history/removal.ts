import type { History } from './history.js';

/**
 * Which operations of a register can be left out, so that what is left has an order wherever all have one.
 *
 * A read can: it changes nothing. A write (or cas) of a value can, where no operation finds the value *from it* in any
 * order: each that finds the value ended before the write began, or another write stands between, which began after this
 * one ended and ended before the other began. In an order of all, what follows the write up to the next one then does not
 * find its value, and is as good without it. But while somebody finds a value, one write of it stays: else it would look
 * as if nothing had ever written it. And a write can be left out together with all that find its value.
 */
export class Removal {
  readonly #history: History;
  readonly #initial: number;

  /** For operations on one register that begins with `initial`. */
  constructor(history: History, initial: number) {
    this.#history = history;
    this.#initial = initial;
  }

  /** `operations` (in the order of their beginnings) without as many of `chunk` as can be left out by themselves. */
  without(operations: readonly number[], chunk: ReadonlySet<number>): number[] {
    const history = this.#history;
    const left = operations.filter((operation) => !chunk.has(operation) || history.mayWrite(operation));
    const writes = left.filter((operation) => history.mayWrite(operation));
    const nextWrite = earliestEnds(writes.map(this.#span));
    const finders = groupBy(left, (operation) => history.found(operation));
    const earliestFinder = new Map<number, (from: number) => number>();
    for (const [value, those] of finders) earliestFinder.set(value, earliestBeginnings(those.map(this.#span)));
    const writers = groupBy(writes, this.#written);
    const sources = new Map([...writers].map(([value, those]) => [value, those.length]));
    sources.set(this.#initial, Infinity);
    const gone = new Set<number>();
    // In the order of their beginnings: a write that stands between one and its finders is looked at, and goes, later.
    for (const operation of left) {
      if (!chunk.has(operation)) continue;
      const value = this.#written(operation);
      const { begin, end } = this.#span(operation);
      const finder = earliestFinder.get(value)?.(begin) ?? Infinity;
      const mayBeFound = finder < Infinity && nextWrite(end) >= finder;
      const isLast = finders.has(value) && sources.get(value) === 1;
      if (mayBeFound || isLast) continue;
      sources.set(value, sources.get(value)! - 1);
      gone.add(operation);
    }
    return left.filter((operation) => !gone.has(operation));
  }

  /** `operations` without one, those that find what it wrote, those that find what they wrote, and so on. */
  withoutReaders(operations: readonly number[], operation: number): number[] {
    const gone = new Set([operation]);
    const values = new Set(this.#history.mayWrite(operation) ? [this.#written(operation)] : []);
    for (const value of values) {
      for (const other of operations) {
        if (this.#history.found(other) !== value) continue;
        gone.add(other);
        if (this.#history.mayWrite(other)) values.add(this.#written(other));
      }
    }
    return operations.filter((other) => !gone.has(other));
  }

  readonly #written = (operation: number): number => this.#history.value.cells[operation]!;

  readonly #span = (operation: number): Span => ({
    begin: this.#history.began.cells[operation]!,
    end: this.#history.endOf(operation),
  });
}

interface Span {
  readonly begin: number;
  readonly end: number;
}

/** The earliest end of those that begin after a moment; Infinity where none does. `spans` in the order of beginnings. */
function earliestEnds(spans: readonly Span[]): (after: number) => number {
  const ends = minimaFromBehind(spans.map(({ end }) => end));
  return (after) => ends[firstAbove(spans, after, ({ begin }) => begin)] ?? Infinity;
}

/** The earliest beginning of those that end after a moment; Infinity where none does. */
function earliestBeginnings(spans: readonly Span[]): (after: number) => number {
  const byEnd = [...spans].sort((a, b) => (a.end < b.end ? -1 : 1));
  const beginnings = minimaFromBehind(byEnd.map(({ begin }) => begin));
  return (after) => beginnings[firstAbove(byEnd, after, ({ end }) => end)] ?? Infinity;
}

/** By place: the smallest from there on. */
function minimaFromBehind(values: readonly number[]): number[] {
  const minima = [...values];
  for (let i = minima.length - 2; i >= 0; i--) minima[i] = Math.min(minima[i]!, minima[i + 1]!);
  return minima;
}

/** The place of the first whose `key` is above `bound`; they are in the order of their keys. */
function firstAbove(spans: readonly Span[], bound: number, key: (span: Span) => number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(spans[middle]!) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

function groupBy(operations: readonly number[], key: (operation: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const operation of operations) {
    const group = groups.get(key(operation));
    if (group === undefined) groups.set(key(operation), [operation]);
    else group.push(operation);
  }
  return groups;
}
