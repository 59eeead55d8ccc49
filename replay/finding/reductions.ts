import { alignUp } from '../../src/index.js';
import type { LayoutEntry, Scenario, ScenarioOperation } from '../scenario/scenario.js';

/** What of a scenario can be made smaller; kernel, geometry and checks stay. */
export type ScenarioParts = Pick<Scenario, 'layout' | 'threads' | 'watch' | 'fail'>;

/**
 * Gives what a scenario could be with less of one thing, in the order in which it is tried. Each candidate has less of it,
 * and no more of what the reductions before it take away: so there is an end.
 */
export type Reduction = (scenario: Scenario) => Iterable<Partial<ScenarioParts>>;

type Threads = Scenario['threads'];

/** All reductions, the most telling first: who reads a scenario reads its threads. */
export const REDUCTIONS: readonly Reduction[] = [
  fewerOperations,
  fewerThreads,
  fewerPfns,
  fewerWatched,
  noFailure,
  shorterList,
  narrowerRanges,
  fewerLayoutEntries,
  plainValues,
];

/** Without a thread, then without operations, those of many threads at once first; a thread without any is none. */
function* fewerOperations({ threads }: Scenario): Iterable<Partial<ScenarioParts>> {
  for (let t = 0; t < threads.length && threads.length > 1; t++) yield { threads: threads.filter((_, i) => i !== t) };
  const places = threads.flatMap((thread, t) => thread.map((_, i) => [t, i] as const));
  for (const kept of without(places)) {
    if (kept.length === 0) continue;
    const left = threads.map((thread, t) => thread.filter((_, i) => kept.some(([u, j]) => u === t && j === i)));
    yield { threads: left.filter((thread) => thread.length > 0) };
  }
}

/** The operations of one thread, behind those of another. */
function* fewerThreads({ threads }: Scenario): Iterable<Partial<ScenarioParts>> {
  for (let to = 0; to < threads.length; to++) {
    for (let from = 0; from < threads.length; from++) {
      if (from === to) continue;
      const joined = threads.map((thread, t) => (t === to ? [...thread, ...threads[from]!] : thread));
      yield { threads: joined.filter((_, t) => t !== from) };
    }
  }
}

/** One pfn instead of two. */
function* fewerPfns({ threads, watch }: Scenario): Iterable<Partial<ScenarioParts>> {
  const pfns = [...named(threads)].sort((a, b) => a - b);
  for (const to of pfns) {
    for (const from of pfns) {
      if (from === to) continue;
      const move = (pfn: number): number => (pfn === from ? to : pfn);
      const moved = threads.map((thread) =>
        thread.map(([kind, pfn, ...rest]) => [kind, move(pfn), ...rest] as unknown as ScenarioOperation),
      );
      yield { threads: moved, watch: [...new Set(watch.map(move))] };
    }
  }
}

function* fewerWatched({ watch }: Scenario): Iterable<Partial<ScenarioParts>> {
  for (const kept of without(watch)) yield { watch: kept };
}

function* noFailure({ fail }: Scenario): Iterable<Partial<ScenarioParts>> {
  if (fail.at > 0 && fail.from > 0) yield* [{ fail: { at: fail.at, from: 0 } }, { fail: { at: 0, from: fail.from } }];
  if (fail.at > 0 || fail.from > 0) yield { fail: { at: 0, from: 0 } };
}

/** A list that ends behind the last pfn that is named: with its leaf, its PT page, its mid page. */
function* shorterList(scenario: Scenario): Iterable<Partial<ScenarioParts>> {
  const { layout, nrPages } = scenario;
  const end = Math.max(...pfnsOf(scenario)) + 1;
  for (const unit of units(scenario)) {
    const shorter = alignUp(end, unit);
    if (shorter >= nrPages) continue;
    yield { layout: [['nr', String(shorter)], ...layout.filter(([kind]) => kind !== 'nr')] };
  }
}

/** A range that holds no more than the leaves, the PT pages or the mid pages of the pfns in it that are named. */
function* narrowerRanges(scenario: Scenario): Iterable<Partial<ScenarioParts>> {
  const { layout, nrPages } = scenario;
  for (const [i, entry] of layout.entries()) {
    if (entry[0] !== 'hole' && entry[0] !== 'identity') continue;
    const [start, end] = [Number(entry[1]), Number(entry[2])];
    const inside = pfnsOf(scenario).filter((pfn) => pfn >= start && pfn < end);
    for (const unit of units(scenario)) {
      const first = Math.max(start, Math.floor(Math.min(...inside) / unit) * unit);
      const last = Math.min(end, nrPages, alignUp(Math.max(...inside) + 1, unit));
      if (inside.length === 0 || last - first >= end - start) continue;
      const narrower: LayoutEntry = [entry[0], String(first), String(last)];
      yield { layout: layout.map((other, j) => (i === j ? narrower : other)) };
    }
  }
}

/** Without an entry of the layout, but for the one that keeps the list short. */
function* fewerLayoutEntries({ layout }: Scenario): Iterable<Partial<ScenarioParts>> {
  const lastNr = layout.findLastIndex(([kind]) => kind === 'nr');
  for (const i of layout.keys()) if (i !== lastNr) yield { layout: layout.filter((_, j) => i !== j) };
}

/** Mfns that count up from 1, an operation after the other. */
function* plainValues({ threads }: Scenario): Iterable<Partial<ScenarioParts>> {
  let number = 0;
  for (const [t, thread] of threads.entries()) {
    for (const [i, operation] of thread.entries()) {
      const plain = `m:${++number}`;
      if (operation.length === 2 || operation[2] === plain) continue;
      const changed: ScenarioOperation = [operation[0], operation[1], plain];
      yield {
        threads: threads.map((other, u) => (t === u ? other.map((old, j) => (i === j ? changed : old)) : other)),
      };
    }
  }
}

/** The list without a half of it, a quarter, an eighth, down to each one alone (delta debugging: Zeller, Hildebrandt 2002). */
function* without<T>(list: readonly T[]): Iterable<T[]> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < list.length; start += size) {
      yield [...list.slice(0, start), ...list.slice(start + size)];
    }
  }
}

function named(threads: Threads): Set<number> {
  return new Set(threads.flatMap((thread) => thread.map(([, pfn]) => pfn)));
}

function pfnsOf({ threads, watch }: Scenario): number[] {
  return [...new Set([...named(threads), ...watch])];
}

function units({ geometry }: Scenario): number[] {
  return [geometry.perPage, geometry.pfnsPerPtePage, geometry.pfnsPerMidPage];
}
