import { lastAtMost } from '../../../events/index.js';
import type { Snapshot } from './snapshot.js';

/** What ways cost, in events that are read and played in that time: a granule, so many words of steps, a file. */
const GRANULE_COST = 8;
const WORDS_PER_EVENT = 16;
const FILE_COST = 200;

/** The empty memory, as if it were the snapshot before the first. */
export const EMPTY = -1;

/** Where a memory stands, and how far it has been since it was last put to a snapshot. */
export interface MemoryPlace {
  readonly at: number;
  /** Pages whose fill was taken back keep what was in them: all that was touched up to here may be other than it was. */
  readonly reached: number;
}

/** A way to a moment, by a snapshot, or steps, or both. */
export interface Way {
  readonly moment: number;
  /** The snapshot that it begins at, or EMPTY; undefined: it begins where the memory stands. */
  readonly snapshot: number | undefined;
  /** Then steps [stepStart, stepEnd) of the file of this snapshot. */
  readonly file: number;
  readonly stepStart: number;
  readonly stepEnd: number;
  /** In events. */
  readonly cost: number;
}

/** Finds ways by a list of snapshots. */
export class Ways {
  readonly #list: readonly Snapshot[];
  readonly #moments: readonly number[];

  /** @param moments of the snapshots; both may grow */
  constructor(list: readonly Snapshot[], moments: readonly number[]) {
    this.#list = list;
    this.#moments = moments;
  }

  /** All from `place` to the last moment up to `moment` that has one, and to the first behind it. */
  all(place: MemoryPlace, moment: number): Way[] {
    const before = this.before(moment);
    const steps = this.#list[before + 1]?.steps ?? [];
    const next = steps.findIndex((step) => step.moment > moment);
    const taken = next < 0 ? steps.length : next;
    const ways = this.#to(place, before, taken);
    if (taken < steps.length) ways.push(...this.#to(place, before, taken + 1));
    else if (before + 1 < this.#list.length) ways.push(...this.#to(place, before + 1, 0));
    return ways;
  }

  /** The last snapshot up to the moment, or EMPTY. */
  before(moment: number): number {
    const moments = this.#moments;
    return moments.length === 0 || moments[0]! > moment ? EMPTY : lastAtMost(moments, moments.length, moment);
  }

  /** The snapshots whose granules may be other at `place` than at snapshot `index`: from the first one to before the second. */
  between({ at, reached }: MemoryPlace, index: number): [start: number, end: number] {
    const start = Math.min(this.before(at), index) + 1;
    const furthest = reached === 0 ? EMPTY : this.#moments.findIndex((moment) => moment >= reached);
    return [start, Math.max(index, furthest < 0 && reached > 0 ? this.#moments.length - 1 : furthest) + 1];
  }

  /** Those to the end of `steps` steps behind snapshot `index`. */
  #to(place: MemoryPlace, index: number, steps: number): Way[] {
    const file = index + 1;
    const start = index === EMPTY ? 0 : this.#moments[index]!;
    const moment = steps === 0 ? start : this.#list[file]!.steps[steps - 1]!.moment;
    const way = { moment, file, stepEnd: steps };
    const cost = this.#granules(place, index) * GRANULE_COST + this.#steps(file, 0, steps);
    const ways: Way[] = [{ ...way, snapshot: index, stepStart: 0, cost }];
    const { at, reached } = place;
    if (at >= start && at < moment && reached <= moment) {
      const stepStart = this.#list[file]!.steps.findIndex((step) => step.moment > at);
      ways.push({ ...way, snapshot: undefined, stepStart, cost: this.#steps(file, stepStart, steps) });
    }
    return ways;
  }

  /** Granules to be put back, at most. */
  #granules(place: MemoryPlace, index: number): number {
    const [start, end] = this.between(place, index);
    let count = 0;
    for (let i = start; i < end; i++) count += this.#list[i]!.granules.length;
    return count;
  }

  #steps(file: number, start: number, end: number): number {
    if (start === end) return 0;
    const { steps } = this.#list[file]!;
    const last = steps[end - 1]!;
    return FILE_COST + (last.at + last.words - steps[start]!.at) / WORDS_PER_EVENT;
  }
}
