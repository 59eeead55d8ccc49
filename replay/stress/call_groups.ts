import type { Geometry } from '../../src/index.js';
import type { RoundCall } from './round_calls.js';
import type { RoundFinding } from './round_finding.js';

/** Operations beside the guilty ones that are tried. */
const OTHERS_MAX = 12;
/** Of those the ones that are tried in pairs. */
const PAIRED_MAX = 5;
/** Threads and operations of a scenario that can be explored to the end. */
const THREADS_MAX = 4;
const OPERATIONS_MAX = 6;

/**
 * Groups of the calls that may show the finding, the smallest first: the guilty ones alone; with one that ran beside them and
 * touches the same mid page, the nearest first; with two.
 */
export function* candidateCalls(
  calls: readonly RoundCall[],
  { operations, seq }: RoundFinding,
  geometry: Geometry,
): Generator<readonly RoundCall[]> {
  const guilty = calls.filter(({ op }) => operations.includes(op));
  if (guilty.length === 0) return;
  yield* fitting([guilty]);
  const others = distinct(beside(calls, guilty, seq, geometry), guilty, geometry).slice(0, OTHERS_MAX);
  yield* fitting(others.map((other) => [...guilty, other]));
  const near = others.slice(0, PAIRED_MAX);
  yield* fitting(near.flatMap((one, i) => near.slice(i + 1).map((other) => [...guilty, one, other])));
}

function* fitting(groups: readonly (readonly RoundCall[])[]): Generator<readonly RoundCall[]> {
  for (const group of groups) {
    const count = group.reduce((sum, { operations }) => sum + operations.length, 0);
    if (new Set(group.map(({ cpu }) => cpu)).size <= THREADS_MAX && count <= OPERATIONS_MAX) yield group;
  }
}

/** Calls that overlap a guilty one on its mid page, first those in hand at event `seq` or when the guilty ones began. */
function beside(
  calls: readonly RoundCall[],
  guilty: readonly RoundCall[],
  seq: number,
  { pfnsPerMidPage }: Geometry,
): RoundCall[] {
  const midsOf = ({ operations }: RoundCall): number[] => operations.map(([, pfn]) => Math.floor(pfn / pfnsPerMidPage));
  const mids = new Set(guilty.flatMap(midsOf));
  const distance = (other: RoundCall): number => {
    if (isBefore(other, guilty)) return 0;
    return seq < other.call ? other.call - seq : Math.max(seq - other.end, 0);
  };
  return calls
    .filter((call) => !guilty.includes(call) && midsOf(call).some((mid) => mids.has(mid)))
    .filter((call) => guilty.some((one) => one.call < call.end && call.call < one.end))
    .sort((a, b) => distance(a) - distance(b));
}

/**
 * One of those that do the same in the same place: what one of them does not show, the others do not either. A scenario's list is
 * that of its first call, so each call that began before the guilty ones meets a list of its own; there is one a CPU at most.
 */
function distinct(calls: readonly RoundCall[], guilty: readonly RoundCall[], g: Geometry): RoundCall[] {
  const seen = new Set<string>();
  return calls.filter((call) => {
    if (isBefore(call, guilty)) return true;
    const places = call.operations.map(([kind, pfn]) => `${kind} ${guilty.map((one) => relation(one, pfn, g)).join()}`);
    const key = places.join(';');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function isBefore({ call }: RoundCall, guilty: readonly RoundCall[]): boolean {
  return guilty.every((one) => call < one.call);
}

function relation({ operations }: RoundCall, pfn: number, g: Geometry): string {
  const [, own] = operations[0]!;
  if (own === pfn) return 'pfn';
  for (const unit of [g.perPage, g.pfnsPerPtePage, g.pfnsPerMidPage]) {
    if (Math.floor(own / unit) === Math.floor(pfn / unit)) return String(unit);
  }
  return 'other';
}
