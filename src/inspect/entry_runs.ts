import { FAULT, INVALID, type Word } from '../../events/index.js';
import { beyondList, leafAddress, LeafClass, leafClass } from '../look_up.js';
import type { Memory } from '../memory/memory.js';

/** What a maximal run of look-ups is. */
export type RunKind = 'missing' | 'identity' | 'mfn' | 'foreign' | 'identity_of' | 'foreign_identity' | 'fault';

/**
 * A run of look-ups: `count` pfns from `start` on. `missing`, `identity` (of their own pfn) and `fault` say it all; the
 * others count up from the value `first` (its number without indicator bits is n).
 */
export interface EntryRun {
  readonly start: number;
  readonly count: number;
  readonly kind: RunKind;
  readonly first: Word;
}

/**
 * The look-ups of [pfnStart, pfnEnd) as maximal runs, greedy from the left (vectors/README.md, "dump"). Leaf by leaf: a
 * shared leaf is one comparison.
 */
export function entryRuns(memory: Memory, pfnStart: number, pfnEnd: number): EntryRun[] {
  const runs = new RunBuilder(memory, pfnStart);
  const { perPage } = memory.geometry;
  for (let pfn = pfnStart; pfn < pfnEnd;) {
    const leafEnd = Math.min(pfnEnd, (Math.floor(pfn / perPage) + 1) * perPage);
    switch (leafClass(memory, pfn)) {
      case LeafClass.missing:
        runs.add('missing', INVALID, leafEnd - pfn);
        break;
      case LeafClass.identity:
        runs.add('identity', INVALID, leafEnd - pfn);
        break;
      case LeafClass.unmapped:
        runs.add('fault', FAULT, leafEnd - pfn);
        break;
      case LeafClass.entries:
        for (let p = pfn, a = leafAddress(memory, pfn); p < leafEnd; p++, a++) runs.addWord(p, memory.words[a]!);
        break;
      default:
        for (let p = pfn; p < leafEnd; p++) runs.addWord(p, beyondList(memory, p));
    }
    pfn = leafEnd;
  }
  runs.end();
  return runs.runs;
}

/** The kind of one look-up's value. */
export function runKind(memory: Memory, pfn: number, word: Word): RunKind {
  const { codec } = memory;
  if (word === INVALID) return 'missing';
  if (word === FAULT) return 'fault';
  if (word === codec.identityOf(pfn)) return 'identity';
  const foreign = codec.isForeign(word);
  if (codec.isIdentity(word)) return foreign ? 'foreign_identity' : 'identity_of';
  return foreign ? 'foreign' : 'mfn';
}

/** Puts look-ups together from the left. */
class RunBuilder {
  readonly runs: EntryRun[] = [];
  readonly #memory: Memory;
  #start: number;
  #count = 0;
  #kind: RunKind = 'missing';
  #first: Word = INVALID;
  /** The word that would go on with a run of counted values. */
  #next: Word = FAULT;

  constructor(memory: Memory, start: number) {
    this.#memory = memory;
    this.#start = start;
  }

  /** `count` look-ups of a kind that needs no value. */
  add(kind: RunKind, first: Word, count: number): void {
    if (this.#count > 0 && this.#kind === kind) {
      this.#count += count;
      return;
    }
    this.#begin(kind, first, count);
    this.#next = FAULT;
  }

  addWord(pfn: number, word: Word): void {
    // Counted values are the bulk of a list: they go on without a look at their kind, unless they turn identity.
    if (word === this.#next && this.#count > 0) {
      this.#count++;
      this.#next = this.#memory.codec.add(word, 1);
      return;
    }
    const kind = runKind(this.#memory, pfn, word);
    if (kind === 'missing' || kind === 'identity' || kind === 'fault') {
      this.add(kind, word, 1);
      return;
    }
    this.#begin(kind, word, 1);
    this.#next = this.#memory.codec.add(word, 1);
  }

  end(): void {
    if (this.#count === 0) return;
    this.runs.push({ start: this.#start, count: this.#count, kind: this.#kind, first: this.#first });
    this.#start += this.#count;
    this.#count = 0;
  }

  #begin(kind: RunKind, first: Word, count: number): void {
    this.end();
    this.#kind = kind;
    this.#first = first;
    this.#count = count;
  }
}
