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
    const { lanes } = this;
    lanes[0] = lanes[1] = lanes[2] = lanes[3] = 0;
  }

  /** The other's sums, added to ours: the union of two sets of pairs. */
  join(other: StateHash): void {
    for (let lane = 0; lane < 4; lane++) this.lanes[lane] = this.lanes[lane]! + other.lanes[lane]!;
  }

  /** Puts a pair in. Both are 32 bit; a wider value takes two keys. */
  add(key: number, value: number): void {
    this.#sum(key, value, 1);
  }

  /** Takes a pair out that is in. */
  take(key: number, value: number): void {
    this.#sum(key, value, -1);
  }

  /**
   * The first two lanes are a scattered linear form of the pair each. The determinant of the two, odd * odd - even * odd,
   * is odd: so no two pairs share both, and the other lanes, which mix those two once more, see all of the pair.
   */
  #sum(key: number, value: number, sign: 1 | -1): void {
    const { lanes } = this;
    const a = scatter(Math.imul(key, 0x9e3779b1) + Math.imul(value, 0x165667b1));
    const b = scatter(Math.imul(key, 0x85ebca6a) + Math.imul(value, 0xd3a2646d) + 1);
    lanes[0] = lanes[0]! + Math.imul(sign, a);
    lanes[1] = lanes[1]! + Math.imul(sign, b);
    lanes[2] = lanes[2]! + Math.imul(sign, scatterAgain(a + Math.imul(b, 0xc2b2ae35)));
    lanes[3] = lanes[3]! + Math.imul(sign, scatterAgain(b + Math.imul(a, 0xfd7046c5)));
  }
}

/** Chance that any two of `states` different states have the same hash, if hashes were random. */
export function collisionChance(states: number): number {
  return (states * (states - 1)) / 2 ** 129;
}

/** The finalizer of murmur3 (public domain): one word to one word, every bit of it changed by every bit. */
function scatter(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Half of it, for words that are scattered already. */
function scatterAgain(word: number): number {
  const h = Math.imul(word ^ (word >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}
