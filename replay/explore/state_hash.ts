import type { StateSink } from './program.js';

/**
 * A hash of 128 bits over a set of (key, value) pairs: four sums of 32 bits, each of its own mix of the pair. A sum does
 * not care for the order, so a state is hashed word by word as it stands, or kept up to date by what changed: `take` away
 * the old pair, `add` the new one.
 *
 * Two states of `n` share a hash by chance with about n^2 / 2^129: 2e-27 for a million states (`collisionChance`).
 */
export class StateHash implements StateSink {
  /** The four sums. */
  readonly lanes = new Int32Array(4);

  clear(): void {
    this.lanes.fill(0);
  }

  /** The other's sums, added to ours: the union of two sets of pairs. */
  join(other: StateHash): void {
    for (let lane = 0; lane < 4; lane++) this.lanes[lane] = this.lanes[lane]! + other.lanes[lane]!;
  }

  /** Puts a pair in. Both are 32 bit; a wider value takes two keys. */
  add(key: number, value: number): void {
    const { lanes } = this;
    for (let lane = 0; lane < 4; lane++) lanes[lane] = lanes[lane]! + mix(lane, key, value);
  }

  /** Takes a pair out that is in. */
  take(key: number, value: number): void {
    const { lanes } = this;
    for (let lane = 0; lane < 4; lane++) lanes[lane] = lanes[lane]! - mix(lane, key, value);
  }
}

/** Chance that any two of `states` different states have the same hash, if hashes were random. */
export function collisionChance(states: number): number {
  return (states * (states - 1)) / 2 ** 129;
}

// Odd constants, two a lane; the finalizer is murmur3's (public domain).
const KEY_FACTOR = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
const VALUE_FACTOR = [0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09];

function mix(lane: number, key: number, value: number): number {
  const k = scatter(Math.imul(key, KEY_FACTOR[lane]!) + lane);
  return scatter(k ^ Math.imul(value + 1, VALUE_FACTOR[lane]!));
}

function scatter(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
