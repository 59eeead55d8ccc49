import { Role } from '../../../events/index.js';
import { GRANTS, type Memory } from '../../../src/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { bytesOf } from '../index/index_file.js';

/** Words of a granule: what is saved and put back as one. */
export const GRANULE_WORDS = 512;
const WORD_SHIFT = 9;
/** Pages whose roles, a byte each, fill a granule. */
export const GRANULE_PAGES = 2048;
const PAGE_SHIFT = 11;
/** In a saved role: the page was filled. No role is as large. */
const FILLED = 0x40;

/**
 * How a memory is cut into granules: its words, then the roles of its pages, a byte each. A word has a place, 512 of them in
 * each granule, be it of words or of roles.
 */
export class Granules {
  /** Of words. */
  readonly wordCount: number;
  /** Of words and roles. */
  readonly count: number;
  /** Those below are of words that hardly any event leaves as they are: globals, pool heads, extra memory. */
  readonly lowCount = Math.ceil(GRANTS / GRANULE_WORDS);

  /** The low granules of the empty memory: pools have their first page at hand. All others are zeros. */
  readonly #low: Int32Array;

  /** @param memory empty */
  constructor({ layout, words }: Memory) {
    this.#low = words.slice(0, this.lowCount * GRANULE_WORDS);
    this.wordCount = Math.ceil(layout.words / GRANULE_WORDS);
    this.count = this.wordCount + Math.ceil(layout.pageEnd / GRANULE_PAGES);
  }

  /** The granule that has the role of a page. */
  roleGranule(page: number): number {
    return this.wordCount + (page >>> PAGE_SHIFT);
  }

  /** The place of the word that has the role of a page. */
  rolePlace(page: number): number {
    return this.roleGranule(page) * GRANULE_WORDS + ((page % GRANULE_PAGES) >>> 2);
  }

  /** Copies a granule of the memory to `into`, GRANULE_WORDS words of zeros. */
  read(guarded: GuardedMemory, granule: number, into: Int32Array): void {
    if (granule < this.wordCount) into.set(wordsOf(guarded.memory, granule));
    else readRoles(guarded, (granule - this.wordCount) * GRANULE_PAGES, bytesOf(into));
  }

  /** Puts a granule back; `words` undefined: as it is in the empty memory. */
  put(guarded: GuardedMemory, granule: number, words: Int32Array | undefined): void {
    if (granule >= this.wordCount) {
      const first = (granule - this.wordCount) * GRANULE_PAGES;
      return putRoles(guarded, first, first + GRANULE_PAGES, words === undefined ? undefined : bytesOf(words));
    }
    const into = wordsOf(guarded.memory, granule);
    if (words === undefined && granule < this.lowCount) this.#putLow(into, granule);
    else if (words === undefined) into.fill(0);
    else into.set(words.subarray(0, into.length));
  }

  /** Puts the granules from `first` on back, GRANULE_WORDS of `words` each. */
  putAll(guarded: GuardedMemory, first: number, words: Int32Array): void {
    const end = first + words.length / GRANULE_WORDS;
    const wordEnd = Math.min(end, this.wordCount);
    if (first < wordEnd) {
      const at = first * GRANULE_WORDS;
      const all = guarded.memory.words;
      all.set(words.subarray(0, Math.min(wordEnd * GRANULE_WORDS, all.length) - at), at);
    }
    for (let granule = Math.max(first, wordEnd); granule < end; granule++) {
      const at = (granule - first) * GRANULE_WORDS;
      this.put(guarded, granule, words.subarray(at, at + GRANULE_WORDS));
    }
  }

  /** The word at a place. */
  wordAt(guarded: GuardedMemory, place: number): number {
    const granule = place >>> WORD_SHIFT;
    if (granule < this.wordCount) return guarded.memory.words[place]!;
    const word = new Int32Array(1);
    readRoles(guarded, this.#pageOf(place), bytesOf(word));
    return word[0]!;
  }

  /** Stores a word to a place. */
  putWord(guarded: GuardedMemory, place: number, word: number): void {
    if (place >>> WORD_SHIFT < this.wordCount) guarded.memory.words[place] = word;
    else {
      const first = this.#pageOf(place);
      putRoles(guarded, first, first + 4, bytesOf(Int32Array.of(word)));
    }
  }

  #putLow(into: Int32Array, granule: number): void {
    into.set(this.#low.subarray(granule * GRANULE_WORDS, (granule + 1) * GRANULE_WORDS));
  }

  #pageOf(place: number): number {
    return (place - this.wordCount * GRANULE_WORDS) * 4;
  }
}

function wordsOf({ words }: Memory, granule: number): Int32Array {
  return words.subarray(granule * GRANULE_WORDS, (granule + 1) * GRANULE_WORDS);
}

function readRoles(guarded: GuardedMemory, first: number, into: Uint8Array): void {
  const { roles } = guarded.memory;
  const end = Math.min(first + into.length, roles.length);
  for (let page = first; page < end; page++) {
    into[page - first] = roles[page]! | (guarded.isFilled(page) ? FILLED : 0);
  }
}

function putRoles(guarded: GuardedMemory, first: number, end: number, saved: Uint8Array | undefined): void {
  const { roles, layout } = guarded.memory;
  for (let page = first; page < Math.min(end, layout.pageEnd); page++) {
    const empty = page > 0 && page <= layout.initPages ? Role.init : Role.none;
    const byte = saved === undefined ? empty : saved[page - first]!;
    roles[page] = byte & ~FILLED;
    guarded.noteFilled(page, (byte & FILLED) !== 0);
  }
}
