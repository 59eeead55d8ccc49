import { crc32 } from 'node:zlib';
import { lastAtMost } from '../../../events/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { bytesOf } from '../index/index_file.js';
import type { IndexStore } from '../index/index_store.js';
import { hasSameWide, putGranule, type Snapshot } from './snapshot.js';
import { GRANULE_WORDS, type Granules } from './touched_granules.js';

/** Events that are played in the time that it takes to put a granule back. */
const EVENTS_PER_GRANULE = 10;
const GRANULE_BYTES = GRANULE_WORDS * 4;

/** Granules to be put back from one snapshot: which of its granules, by their place in it. */
interface Portion {
  readonly snapshot: Snapshot;
  readonly places: number[];
}

/** The snapshots of a log, each made of the granules touched since the one before. */
export class Snapshots {
  readonly shape: Granules;
  readonly #store: IndexStore;
  readonly #list: Snapshot[] = [];
  readonly #moments: number[] = [];
  /** Granules that any snapshot up to each has. */
  readonly #counts: number[] = [];
  readonly #known: Uint8Array;
  #damaged = false;

  constructor(store: IndexStore, shape: Granules) {
    this.#store = store;
    this.shape = shape;
    this.#known = new Uint8Array(shape.count);
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
    let count = this.#counts.at(-1) ?? 0;
    for (const granule of snapshot.granules) {
      if (this.#known[granule] !== 0) continue;
      this.#known[granule] = 1;
      count++;
    }
    this.#list.push(snapshot);
    this.#moments.push(snapshot.moment);
    this.#counts.push(count);
  }

  /** Puts the memory, which stands at moment `at`, to a moment near `moment`, where that is quicker than to play all events. */
  approach(guarded: GuardedMemory, at: number, moment: number): number {
    const chosen = this.#choose(at, moment);
    return chosen >= 0 && this.restore(guarded, at, chosen) ? this.#moments[chosen]! : at;
  }

  /**
   * Puts the memory, which stands at moment `at`, to the moment of snapshot `index`. What it has of events behind the last
   * snapshot must have been taken back: `at` is not above `last`. False where a file is damaged: nothing was changed.
   */
  restore(guarded: GuardedMemory, at: number, index: number): boolean {
    if (!hasSameWide(guarded.memory.codec, this.#list[index]!)) return false;
    const isSeen = new Uint8Array(this.shape.count);
    const portions = this.#portions(index, isSeen);
    const data: Int32Array[] = [];
    for (const portion of portions) {
      const words = this.#read(portion);
      if (words === undefined) {
        this.#damaged = true;
        return false;
      }
      data.push(words);
    }
    this.#empty(guarded, at, index, isSeen);
    portions.forEach(({ snapshot, places }, p) => {
      places.forEach((place, i) => {
        const words = data[p]!.subarray(i * GRANULE_WORDS, (i + 1) * GRANULE_WORDS);
        putGranule(guarded, snapshot.granules[place]!, words, this.shape);
      });
    });
    return true;
  }

  /** The snapshot from which the moment is reached soonest; -1: from where the memory is. */
  #choose(at: number, moment: number): number {
    if (this.#list.length === 0 || this.#damaged || at > this.last) return -1;
    const before = this.#moments[0]! > moment ? -1 : lastAtMost(this.#moments, this.#moments.length, moment);
    let best = Math.abs(moment - at);
    let chosen = -1;
    for (const index of [before, before + 1]) {
      if (index < 0 || index >= this.#list.length) continue;
      const cost = this.#counts[index]! * EVENTS_PER_GRANULE + Math.abs(moment - this.#moments[index]!);
      if (cost >= best) continue;
      best = cost;
      chosen = index;
    }
    return chosen;
  }

  /** Where each granule stands as it was at snapshot `index`: in the newest one up to it that has it. */
  #portions(index: number, isSeen: Uint8Array): Portion[] {
    const portions: Portion[] = [];
    let missing = this.#counts[index]!;
    for (let i = index; missing > 0; i--) {
      const snapshot = this.#list[i]!;
      const places: number[] = [];
      snapshot.granules.forEach((granule, place) => {
        if (isSeen[granule] !== 0) return;
        isSeen[granule] = 1;
        places.push(place);
      });
      missing -= places.length;
      if (places.length > 0) portions.push({ snapshot, places });
    }
    return portions;
  }

  #read({ snapshot, places }: Portion): Int32Array | undefined {
    const words = new Int32Array(places.length * GRANULE_WORDS);
    const bytes = bytesOf(words);
    for (let i = 0; i < places.length;) {
      let end = i + 1;
      while (end < places.length && places[end] === places[end - 1]! + 1) end++;
      const into = bytes.subarray(i * GRANULE_BYTES, end * GRANULE_BYTES);
      const have = this.#store.read(snapshot.name, into, snapshot.dataAt + places[i]! * GRANULE_BYTES);
      if (have < into.length) return undefined;
      i = end;
    }
    const isWhole = places.every((place, i) => {
      const granule = bytes.subarray(i * GRANULE_BYTES, (i + 1) * GRANULE_BYTES);
      return crc32(granule) << 0 === snapshot.crcs[place];
    });
    return isWhole ? words : undefined;
  }

  /** Empties the granules that were first touched between snapshot `index` and moment `at`. */
  #empty(guarded: GuardedMemory, at: number, index: number, isSeen: Uint8Array): void {
    for (let i = index + 1; i < this.#list.length && this.#moments[i - 1]! < at; i++) {
      for (const granule of this.#list[i]!.granules) {
        if (isSeen[granule] !== 0) continue;
        isSeen[granule] = 1;
        putGranule(guarded, granule, undefined, this.shape);
      }
    }
  }
}
