import type { Memory } from '../../src/index.js';
import { StateHash } from '../explore/state_hash.js';

/** A page as it was when it was hashed last. */
interface Known {
  readonly words: Int32Array;
  readonly hash: StateHash;
}

/**
 * Hashes of what pages hold, each word against 0. A path fills a page as the path before it did, so only words that differ
 * from then are hashed anew, most often none of 512.
 */
export class PageHashes {
  readonly #memory: Memory;
  readonly #known = new Map<number, Known>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** The hash of `page` as it is; valid until the next call. */
  of(page: number): StateHash {
    const { words, hash } = this.#knownOf(page);
    const now = this.#memory.words;
    const home = this.#memory.homes[page]!;
    for (let i = 0; i < words.length; i++) {
      const word = now[home + i]!;
      if (words[i] === word) continue;
      hash.take(home + i, words[i]!);
      hash.add(home + i, word);
      words[i] = word;
    }
    return hash;
  }

  #knownOf(page: number): Known {
    let known = this.#known.get(page);
    if (known === undefined) {
      known = { words: new Int32Array(this.#memory.geometry.pageWords), hash: new StateHash() };
      this.#known.set(page, known);
    }
    return known;
  }
}
