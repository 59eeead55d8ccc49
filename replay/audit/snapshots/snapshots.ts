import { crc32 } from 'node:zlib';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { bytesOf } from '../index/index_file.js';
import type { IndexStore } from '../index/index_store.js';
import { GRANULE_WORDS, type Granules } from './granules.js';
import { hasSameWide, stepsAt, type Snapshot } from './snapshot.js';
import { EMPTY, Ways, type MemoryPlace, type Way } from './ways.js';
import { putChanges } from './word_changes.js';

const GRANULE_BYTES = GRANULE_WORDS * 4;

/** Granules to be put back from one snapshot: which of its granules, by their place in it. */
interface Portion {
  readonly snapshot: Snapshot;
  readonly places: readonly number[];
}

/** What a way puts into the memory. */
interface Load {
  /** Granules to be made empty. */
  readonly emptied: readonly number[];
  readonly portions: readonly Portion[];
  /** Their granules, one portion behind the other. */
  readonly granules: Int32Array;
  /** The changes of each step. */
  readonly steps: readonly Int32Array[];
}

/** The snapshots of a log, each made of the granules touched since the one before, and the steps between them. */
export class Snapshots {
  readonly shape: Granules;
  readonly #store: IndexStore;
  readonly #list: Snapshot[] = [];
  readonly #moments: number[] = [];
  readonly #ways = new Ways(this.#list, this.#moments);
  /** By granule: the first snapshot that has it, counted from 1; 0 none. */
  readonly #first: Int32Array;
  #damaged = false;
  /** What was read last: to get room costs more than to fill it. */
  #room = new Int32Array(0);

  constructor(store: IndexStore, shape: Granules) {
    this.#store = store;
    this.shape = shape;
    this.#first = new Int32Array(shape.count);
  }

  /** Moments of the snapshots, ascending. */
  get moments(): readonly number[] {
    return this.#moments;
  }

  /** The moment of the last one; 0 none. */
  get last(): number {
    return this.#moments.at(-1) ?? 0;
  }

  /** Adds one that follows on the last. */
  add(snapshot: Snapshot): void {
    this.#list.push(snapshot);
    this.#moments.push(snapshot.moment);
    for (const granule of snapshot.granules) this.#first[granule] ||= this.#list.length;
  }

  /**
   * Puts the memory near `moment`, where that is quicker than to play all events on the way. What it has of events behind the
   * last snapshot must have been taken back: its place is not above `last`. Returns where it stands now.
   */
  approach(guarded: GuardedMemory, place: MemoryPlace, moment: number): MemoryPlace {
    let best: Way | undefined;
    let least = Math.abs(moment - place.at);
    for (const way of this.ways(place, moment)) {
      const cost = way.cost + Math.abs(moment - way.moment);
      if (cost >= least) continue;
      least = cost;
      best = way;
    }
    return best === undefined || !this.take(guarded, place, best) ? place : { at: best.moment, reached: best.moment };
  }

  /** Ways from `place` to near `moment`. */
  ways(place: MemoryPlace, moment: number): Way[] {
    return this.#list.length === 0 || this.#damaged || place.at > this.last ? [] : this.#ways.all(place, moment);
  }

  /** Puts an empty memory to the last snapshot. False where that cannot be: nothing was changed. */
  restoreLast(guarded: GuardedMemory): boolean {
    const last = this.#list.length - 1;
    const way = { moment: this.last, snapshot: last, file: last + 1, stepStart: 0, stepEnd: 0, cost: 0 };
    return this.take(guarded, { at: 0, reached: 0 }, way);
  }

  /** Goes a way that `ways` gave for that place. False where a file is damaged: nothing was changed. */
  take(guarded: GuardedMemory, place: MemoryPlace, way: Way): boolean {
    const source = way.stepEnd > way.stepStart ? way.file : (way.snapshot ?? EMPTY);
    if (source !== EMPTY && !hasSameWide(guarded.memory.codec, this.#list[source]!)) return false;
    const load = this.#load(place, way);
    if (load === undefined) {
      this.#damaged = true;
      return false;
    }
    for (const granule of load.emptied) this.shape.put(guarded, granule, undefined);
    let at = 0;
    for (const { snapshot, places } of load.portions) {
      for (const [start, end] of neighbours(places, snapshot.granules)) {
        const words = load.granules.subarray(at, (at += (end - start) * GRANULE_WORDS));
        this.shape.putAll(guarded, snapshot.granules[places[start]!]!, words);
      }
    }
    for (const changes of load.steps) putChanges(guarded, this.shape, changes);
    return true;
  }

  /** All that the way takes; undefined where a file is damaged. */
  #load(place: MemoryPlace, way: Way): Load | undefined {
    const { emptied, portions } = this.#wanted(place, way);
    const granuleWords = portions.reduce((sum, { places }) => sum + places.length * GRANULE_WORDS, 0);
    const { stepStart, stepEnd, file } = way;
    const steps = stepEnd > stepStart ? this.#list[file]!.steps.slice(stepStart, stepEnd) : [];
    const stepWords = steps.reduce((sum, { words }) => sum + words, 0);
    if (this.#room.length < granuleWords + stepWords) this.#room = new Int32Array(granuleWords + stepWords);
    const granules = this.#room.subarray(0, granuleWords);
    const changes = this.#room.subarray(granuleWords, granuleWords + stepWords);
    if (!this.#readPortions(portions, granules)) return undefined;
    if (steps.length > 0 && !this.#readSteps(this.#list[file]!, stepStart, changes)) return undefined;
    const first = steps[0]?.at ?? 0;
    return {
      emptied,
      portions,
      granules,
      steps: steps.map(({ at, words }) => changes.subarray(at - first, at - first + words)),
    };
  }

  /** The granules that may be other at the place than at the way's snapshot, each in the newest one up to it that has it. */
  #wanted(place: MemoryPlace, { snapshot: index }: Way): { emptied: number[]; portions: Portion[] } {
    const emptied: number[] = [];
    const portions: Portion[] = [];
    if (index === undefined) return { emptied, portions };
    const isWanted = new Uint8Array(this.shape.count);
    let missing = 0;
    const [start, end] = this.#ways.between(place, index);
    for (let i = start; i < end; i++) {
      for (const granule of this.#list[i]!.granules) {
        if (isWanted[granule] !== 0) continue;
        isWanted[granule] = 1;
        if (this.#first[granule]! > index + 1) emptied.push(granule);
        else missing++;
      }
    }
    for (let i = index; missing > 0; i--) {
      const snapshot = this.#list[i]!;
      const places: number[] = [];
      snapshot.granules.forEach((granule, at) => {
        if (isWanted[granule] !== 1) return;
        isWanted[granule] = 2;
        places.push(at);
      });
      missing -= places.length;
      if (places.length > 0) portions.push({ snapshot, places });
    }
    return { emptied, portions };
  }

  #readPortions(portions: readonly Portion[], into: Int32Array): boolean {
    let at = 0;
    for (const { snapshot, places } of portions) {
      const words = into.subarray(at, at + places.length * GRANULE_WORDS);
      if (!this.#readGranules(snapshot, places, bytesOf(words))) return false;
      at += words.length;
    }
    return true;
  }

  #readGranules({ name, dataAt, crcs }: Snapshot, places: readonly number[], bytes: Uint8Array): boolean {
    for (const [start, end] of neighbours(places)) {
      const into = bytes.subarray(start * GRANULE_BYTES, end * GRANULE_BYTES);
      if (this.#store.read(name, into, dataAt + places[start]! * GRANULE_BYTES) < into.length) return false;
    }
    return places.every((place, i) => {
      const granule = bytes.subarray(i * GRANULE_BYTES, (i + 1) * GRANULE_BYTES);
      return crc32(granule) << 0 === crcs[place];
    });
  }

  /** Reads as many steps as `into` has words for. */
  #readSteps(snapshot: Snapshot, start: number, into: Int32Array): boolean {
    const { steps } = snapshot;
    const first = steps[start]!.at;
    const bytes = bytesOf(into);
    if (this.#store.read(snapshot.name, bytes, stepsAt(snapshot) + first * 4) < bytes.length) return false;
    for (let i = start; i < steps.length && steps[i]!.at - first < into.length; i++) {
      const { at, words, crc } = steps[i]!;
      if (crc32(bytesOf(into.subarray(at - first, at - first + words))) << 0 !== crc) return false;
    }
    return true;
  }
}

/** Stretches [start, end) of `places` that follow each other without a gap, and so do what they name in `of`. */
function neighbours(places: readonly number[], of?: Int32Array): [start: number, end: number][] {
  const stretches: [number, number][] = [];
  for (let start = 0, end = 1; start < places.length; start = end, end++) {
    while (end < places.length && follows(places[end - 1]!, places[end]!, of)) end++;
    stretches.push([start, end]);
  }
  return stretches;
}

function follows(before: number, place: number, of: Int32Array | undefined): boolean {
  return place === before + 1 && (of === undefined || of[place] === of[before]! + 1);
}
