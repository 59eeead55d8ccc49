import type { GuardedMemory } from '../../events/guarded_memory.js';
import { GRANULE_WORDS, type Granules } from './granules.js';
import { WordList } from './word_list.js';

/** Shorter runs are told word by word. */
const RUN_MIN = 3;
/** Count of singles, count of runs. */
const HEAD_WORDS = 2;
/** Place, count, first word, stride. */
const RUN_FIELDS = 4;

/**
 * What some events have left in the words that they touched, however often they did:
 *
 *     singles (1)   runs (1)   places of the singles   their words   runs: place, count, first word, stride
 *
 * A place is that of a word in the granules, unsigned.
 */
export type WordChanges = Int32Array;

/** Takes what the memory holds: at places, one may be named twice, and in whole granules. */
export class ChangeTaker {
  readonly #guarded: GuardedMemory;
  readonly #shape: Granules;
  readonly #places = new WordList();
  readonly #words = new WordList();
  readonly #runs = new WordList();
  readonly #granule = new Int32Array(GRANULE_WORDS);

  constructor(guarded: GuardedMemory, shape: Granules) {
    this.#guarded = guarded;
    this.#shape = shape;
  }

  /** Takes the word at a place. */
  word(place: number): void {
    this.#single(place, this.#shape.wordAt(this.#guarded, place));
  }

  /** Takes a granule, which is mostly of runs: a page that was filled. */
  granule(granule: number): void {
    const words = this.#granule.fill(0);
    this.#shape.read(this.#guarded, granule, words);
    const first = granule * GRANULE_WORDS;
    for (let i = 0; i < words.length;) {
      const count = runLength(words, i);
      if (count < RUN_MIN) this.#single(first + i, words[i]!);
      else this.#run(first + i, count, words[i]!, words[i + 1]! - words[i]!);
      i += count < RUN_MIN ? 1 : count;
    }
  }

  /** All that was taken. */
  changes(): WordChanges {
    const count = this.#places.length;
    const changes = new Int32Array(HEAD_WORDS + 2 * count + this.#runs.length);
    changes[0] = count;
    changes[1] = this.#runs.length / RUN_FIELDS;
    changes.set(this.#places.words, HEAD_WORDS);
    changes.set(this.#words.words, HEAD_WORDS + count);
    changes.set(this.#runs.words, HEAD_WORDS + 2 * count);
    return changes;
  }

  #single(place: number, word: number): void {
    this.#places.push(place);
    this.#words.push(word);
  }

  #run(place: number, count: number, word: number, stride: number): void {
    for (const field of [place, count, word, stride]) this.#runs.push(field);
  }
}

/** Makes the memory hold what the changes say. */
export function putChanges(guarded: GuardedMemory, shape: Granules, changes: WordChanges): void {
  const [singles = 0, runs = 0] = changes;
  const { words } = guarded.memory;
  const wordEnd = shape.wordCount * GRANULE_WORDS;
  for (let i = HEAD_WORDS; i < HEAD_WORDS + singles; i++) {
    const place = changes[i]! >>> 0;
    if (place < wordEnd) words[place] = changes[i + singles]!;
    else shape.putWord(guarded, place, changes[i + singles]!);
  }
  const runsAt = HEAD_WORDS + 2 * singles;
  for (let r = runsAt; r < runsAt + RUN_FIELDS * runs; r += RUN_FIELDS) {
    putRun(guarded, shape, changes[r]! >>> 0, changes[r + 1]!, changes[r + 2]!, changes[r + 3]!);
  }
}

function putRun(
  guarded: GuardedMemory,
  shape: Granules,
  place: number,
  count: number,
  word: number,
  stride: number,
): void {
  const { words } = guarded.memory;
  // A run is of one granule: all of it is words, or all of it is roles.
  if (place >= shape.wordCount * GRANULE_WORDS) {
    for (let i = 0; i < count; i++) shape.putWord(guarded, place + i, (word + i * stride) | 0);
  } else if (stride === 0) words.fill(word, place, place + count);
  else for (let i = 0, now = word; i < count; i++, now = (now + stride) | 0) words[place + i] = now;
}

/** Words from `start` on that go up by the same amount, modulo 2^32; at least 1. */
function runLength(words: Int32Array, start: number): number {
  const stride = (words[start + 1]! - words[start]!) | 0;
  let end = start + 1;
  while (end < words.length && ((words[end]! - words[end - 1]!) | 0) === stride) end++;
  return end - start;
}
