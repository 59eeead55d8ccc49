import { Global, INVALID, type Word } from '../../events/index.js';
import { LeafClass, leafClass, type Domain, type Memory } from '../../src/index.js';

/**
 * What a replay knows of the list. Without a dump nothing is known at first, and recorded results decide it bit by bit:
 *
 *     a leaf      the set of kinds that it may be: private, the shared p2m_missing page, the shared p2m_identity page
 *     an entry    whether its word is known, for the case that the leaf is private
 *
 * From that follows what a look-up, a store or an allocation may answer. Where all that is possible gives one answer, a
 * recorded value is checked; where not, it narrows what is possible. What nothing explains is a contradiction.
 *
 * The model always holds one of the possible lists: a leaf that may be private is private there, with the words that are
 * known, else it is the page that it may be. `prepare` makes it so before a step, `conclude` notes what the step did.
 */

const PRIVATE = 1;
const MISSING = 2;
const IDENTITY = 4;
const KINDS_MASK = PRIVATE | MISSING | IDENTITY;
/** All words of the leaf are known, for the case that it is private. */
const WORDS = 8;
/** An entry of the leaf holds one of several words, as the order of overlapping stores would have it. */
const RACED = 16;

/** By state of a leaf: whether every answer of it is known. */
const SETTLED = new Uint8Array(32);
for (const state of [PRIVATE | WORDS, MISSING, MISSING | WORDS, IDENTITY, IDENTITY | WORDS]) SETTLED[state] = 1;

/** The steps that depend on the list. */
export const Step = { lookUp: 0, store: 1, allocate: 2 } as const;
/** One of the steps of `Step`. */
export type Step = (typeof Step)[keyof typeof Step];

/** What is known of the answer of a step before it runs. */
export const Foreseen = {
  /** Several answers are possible, and what is recorded decides. */
  no: 0,
  /** One answer is possible. */
  yes: 1,
  /** A few are possible, one for each order of stores that overlapped: what is recorded is one of them, or wrong. */
  oneOfFew: 2,
} as const;
/** One of `Foreseen`. */
export type Foreseen = (typeof Foreseen)[keyof typeof Foreseen];

/** See above. Belongs to one domain, whose events must be undone together with it. */
export class Knowledge {
  readonly #domain: Domain;
  readonly #memory: Memory;
  readonly #size: number;
  readonly #shift: number;
  readonly #states: Uint8Array;
  /** Of leaves without WORDS: a bit a pfn whose word is known. */
  readonly #words = new Map<number, Uint32Array>();
  /** The words that an entry may hold, where stores of it have overlapped and nobody has looked since. */
  readonly #raced = new Map<number, readonly Word[]>();
  /** How to take back what was learned, step by step. */
  readonly #journal: (() => void)[] = [];
  #reordered = 0;

  /** Whether the model's PT pages are the kernel's, and not only what leads to its leaves. */
  knowsPageTables = true;

  /** Everything is known of the list that the domain holds now. */
  constructor(domain: Domain) {
    this.#domain = domain;
    this.#memory = domain.memory;
    const { perPage } = domain.geometry;
    this.#shift = Math.log2(perPage);
    this.#size = domain.global(Global.xen_p2m_size);
    this.#states = new Uint8Array(Math.ceil(domain.memory.layout.areaPfns / perPage));
    for (let leaf = 0; leaf < this.#states.length; leaf++) this.#states[leaf] = this.#modelKind(leaf) | WORDS;
  }

  /** Nothing is known of the leaves of [pfnStart, pfnEnd) but that each is one of the three kinds. */
  forgetKinds(pfnStart: number, pfnEnd: number): void {
    this.knowsPageTables = false;
    for (let leaf = pfnStart >>> this.#shift; leaf < pfnEnd >>> this.#shift; leaf++) {
      this.#states[leaf] = KINDS_MASK | (this.#states[leaf]! & ~KINDS_MASK);
    }
  }

  /** The words of private leaves from `pfn` on are not known. */
  forgetWords(pfn: number): void {
    const { perPage } = this.#domain.geometry;
    for (let leaf = pfn >>> this.#shift; leaf < this.#states.length; leaf++) {
      if ((this.#states[leaf]! & PRIVATE) === 0) continue;
      this.#states[leaf]! &= ~WORDS;
      for (let p = leaf * perPage; p < pfn; p++) this.#markWord(p);
    }
  }

  /** Whether all is known of the leaf of `pfn`. */
  isSettled(pfn: number): boolean {
    return pfn >= this.#size || SETTLED[this.#states[pfn >>> this.#shift]!] === 1;
  }

  /** Whether the leaf of `pfn` can be one kind only. */
  isKindKnown(pfn: number): boolean {
    const kinds = this.#states[pfn >>> this.#shift]! & KINDS_MASK;
    return kinds === PRIVATE || kinds === MISSING || kinds === IDENTITY;
  }

  /** Whether the leaf of `pfn` may be the shared p2m_identity page. */
  mayBeIdentity(pfn: number): boolean {
    return (this.#states[pfn >>> this.#shift]! & IDENTITY) !== 0;
  }

  /** Whether a look-up of `pfn` can answer one thing only. */
  isAnswerKnown(pfn: number): boolean {
    return this.isSettled(pfn) || this.#answer(pfn) !== undefined;
  }

  /**
   * Before a step: narrows what is possible by its recorded result, and makes the model a list that is possible.
   *
   * @param recorded what the log says that it answered: the word of a look-up, 0 or 1 of a store
   * @returns        what could be known of its answer before that
   */
  prepare(step: Step, pfn: number, value: Word, recorded: number | undefined): Foreseen {
    if (this.isSettled(pfn)) return Foreseen.yes;
    const leaf = pfn >>> this.#shift;
    const raced = this.#raced.get(pfn);
    if (raced !== undefined && step === Step.lookUp) {
      if (recorded !== undefined && raced.includes(recorded)) this.#settleRace(pfn, recorded);
      return Foreseen.oneOfFew;
    }
    const kinds = this.#states[leaf]! & KINDS_MASK;
    const determined = this.#isDetermined(step, pfn, value, kinds);
    if (recorded !== undefined) {
      const possible = this.#explaining(step, pfn, value, recorded, kinds);
      // What nothing explains changes nothing: the model's own answer will contradict it.
      if (possible !== 0) this.#narrow(leaf, possible);
    }
    this.#realise(leaf);
    if (step === Step.lookUp && recorded !== undefined && this.#mayBe(leaf, PRIVATE) && !this.#isWordKnown(pfn)) {
      this.#domain.assumeEntry(pfn, recorded);
      this.#learnWord(pfn);
    }
    return determined ? Foreseen.yes : Foreseen.no;
  }

  /** After a step: what is known of the list now. `ret` is what the model answered. */
  conclude(step: Step, pfn: number, ret: number): void {
    if (pfn >= this.#size) return;
    const leaf = pfn >>> this.#shift;
    if (step === Step.store && ret !== 0 && SETTLED[this.#states[leaf]!] === 0) {
      if (this.#raced.has(pfn)) this.#forgetRace(pfn);
      this.#learnWord(pfn);
    }
    if (step === Step.allocate && ret !== 0) this.#madePrivate(leaf, -1);
  }

  /**
   * After set_phys_to_machine that succeeded, whose steps the log does not show: its leaf holds `value` now, or is the
   * shared page that stands for it.
   */
  concludeSet(pfn: number, value: Word): void {
    if (this.isSettled(pfn)) return;
    const leaf = pfn >>> this.#shift;
    const kinds = this.#states[leaf]! & KINDS_MASK;
    const stands = this.#standsFor(pfn, value);
    if ((kinds & stands) === 0) this.#madePrivate(leaf, pfn);
    else if ((kinds & ~stands & ~PRIVATE) === 0) this.#learnWord(pfn);
    else {
      this.#madePrivate(leaf, pfn);
      // It may be the shared page still; then every word of it is what that page stands for, this one too.
      this.#set(leaf, PRIVATE | stands);
    }
    this.#realise(leaf);
  }

  /** Steps in which something was learned, since `commit`. */
  get learned(): number {
    return this.#journal.length;
  }

  /** Takes back what was learned since `learned` was that; the domain must be rewound to the same moment. */
  rewind(learned: number): void {
    while (this.#journal.length > learned) this.#journal.pop()!();
  }

  /** What was learned so far is not taken back any more. */
  commit(): void {
    if (this.#journal.length > 0) this.#journal.length = 0;
  }

  /** The entry of `pfn`, in a private leaf, holds one of `words`: the order of the stores does not say which. */
  race(pfn: number, words: readonly Word[]): void {
    const leaf = pfn >>> this.#shift;
    this.#set(leaf, this.#states[leaf]! | RACED);
    this.#raced.set(pfn, words);
    this.#journal.push(() => this.#raced.delete(pfn));
  }

  /** Of the leaf of `pfn` no words are known any more but those of `kept`, as far as they are. */
  forgetWordsBut(pfn: number, kept: ReadonlySet<number>): void {
    const { perPage } = this.#domain.geometry;
    const leaf = pfn >>> this.#shift;
    const known = [...kept].filter((p) => p >>> this.#shift === leaf && this.#isWordKnown(p));
    this.#set(leaf, this.#states[leaf]! & ~WORDS);
    this.#words.set(leaf, new Uint32Array(Math.max(1, perPage >>> 5)));
    for (const p of known) this.#markWord(p);
  }

  /** The words that the entry of `pfn` may hold, where that depends on the order of stores; else undefined. */
  racedWords(pfn: number): readonly Word[] | undefined {
    return this.#raced.get(pfn);
  }

  /** A number for what is known of the leaf of `pfn`, words apart. */
  stateOf(pfn: number): number {
    return pfn < this.#size ? this.#states[pfn >>> this.#shift]! : 0;
  }

  /** How often a look-up showed that stores took effect in another order than they were entered. */
  get reordered(): number {
    return this.#reordered;
  }

  #settleRace(pfn: number, word: Word): void {
    this.#forgetRace(pfn);
    if (this.#memory.loadEntry(pfn) === word) return;
    this.#domain.assumeEntry(pfn, word);
    this.#reordered++;
    this.#journal.push(() => this.#reordered--);
  }

  #forgetRace(pfn: number): void {
    const words = this.#raced.get(pfn)!;
    this.#raced.delete(pfn);
    this.#journal.push(() => this.#raced.set(pfn, words));
  }

  /** The one answer of a look-up, or undefined where several are possible. */
  #answer(pfn: number): Word | undefined {
    const kinds = this.#states[pfn >>> this.#shift]! & KINDS_MASK;
    if (this.#raced.has(pfn)) return undefined;
    let answer: Word | undefined;
    if ((kinds & PRIVATE) !== 0) {
      if (!this.#isWordKnown(pfn)) return undefined;
      answer = this.#memory.loadEntry(pfn);
    }
    for (const [kind, word] of [
      [MISSING, INVALID],
      [IDENTITY, this.#memory.codec.identityOf(pfn)],
    ] as const) {
      if ((kinds & kind) === 0) continue;
      if (answer !== undefined && answer !== word) return undefined;
      answer = word;
    }
    return answer;
  }

  #isDetermined(step: Step, pfn: number, value: Word, kinds: number): boolean {
    if (step === Step.lookUp) return this.#answer(pfn) !== undefined;
    if (step === Step.allocate) return true;
    const stores = kinds & (PRIVATE | this.#standsFor(pfn, value));
    return stores === 0 || stores === kinds;
  }

  /** The kinds of `kinds` for which the step answers what was recorded. */
  #explaining(step: Step, pfn: number, value: Word, recorded: number, kinds: number): number {
    // Only a shared leaf needs a page, of which there was none.
    if (step === Step.allocate) return recorded === 0 ? kinds & ~PRIVATE : kinds;
    if (step === Step.store) {
      const stores = PRIVATE | this.#standsFor(pfn, value);
      return kinds & (recorded !== 0 ? stores : ~stores);
    }
    const fits = !this.#isWordKnown(pfn) || this.#memory.loadEntry(pfn) === recorded;
    const asPrivate = (kinds & PRIVATE) !== 0 && fits ? PRIVATE : 0;
    return asPrivate | (kinds & this.#standsFor(pfn, recorded));
  }

  /** The shared page whose pfns all look up as `value` does for `pfn`; 0 for none. */
  #standsFor(pfn: number, value: Word): number {
    if (value === INVALID) return MISSING;
    return value === this.#memory.codec.identityOf(pfn) ? IDENTITY : 0;
  }

  /** The leaf is private now, whatever it was: what is known of its words is what all that it may have been agree on. */
  #madePrivate(leaf: number, stored: number): void {
    const { perPage } = this.#domain.geometry;
    const before = this.#states[leaf]!;
    const kinds = before & KINDS_MASK;
    if (kinds === PRIVATE) {
      if (stored >= 0) this.#learnWord(stored);
      return;
    }
    const known = new Uint32Array(perPage >>> 5 || 1);
    let all = true;
    for (let pfn = leaf * perPage; pfn < (leaf + 1) * perPage; pfn++) {
      if (pfn === stored || this.#answer(pfn) !== undefined)
        known[(pfn & this.#memory.leafMask) >>> 5]! |= 1 << (pfn & 31);
      else all = false;
    }
    this.#set(leaf, PRIVATE | (all ? WORDS : 0));
    this.#words.set(leaf, known); // taken back by #set
  }

  #narrow(leaf: number, kinds: number): void {
    const state = this.#states[leaf]!;
    if ((state & KINDS_MASK) !== kinds) this.#set(leaf, kinds | (state & ~KINDS_MASK));
  }

  #set(leaf: number, state: number): void {
    const before = this.#states[leaf]!;
    const words = this.#words.get(leaf)?.slice();
    this.#journal.push(() => {
      this.#states[leaf] = before;
      if (words === undefined) this.#words.delete(leaf);
      else this.#words.set(leaf, words);
    });
    this.#states[leaf] = state;
  }

  #mayBe(leaf: number, kind: number): boolean {
    return (this.#states[leaf]! & kind) !== 0;
  }

  /** Makes the model's leaf what it may be: private where it may. */
  #realise(leaf: number): void {
    const kinds = this.#states[leaf]! & KINDS_MASK;
    const wanted = (kinds & PRIVATE) !== 0 ? PRIVATE : (kinds & MISSING) !== 0 ? MISSING : IDENTITY;
    if (this.#modelKind(leaf) === wanted) return;
    const pfn = leaf * this.#domain.geometry.perPage;
    this.#domain.assumeLeaf(pfn, wanted === PRIVATE ? 'own' : wanted === MISSING ? 'missing' : 'identity');
  }

  #modelKind(leaf: number): number {
    const pfn = leaf * this.#domain.geometry.perPage;
    const kind = leafClass(this.#memory, pfn);
    if (kind === LeafClass.identity) return IDENTITY;
    return kind === LeafClass.entries ? PRIVATE : MISSING;
  }

  #isWordKnown(pfn: number): boolean {
    const leaf = pfn >>> this.#shift;
    if ((this.#states[leaf]! & WORDS) !== 0) return true;
    const words = this.#words.get(leaf);
    return words !== undefined && (words[(pfn & this.#memory.leafMask) >>> 5]! & (1 << (pfn & 31))) !== 0;
  }

  #learnWord(pfn: number): void {
    if (this.#isWordKnown(pfn)) return;
    this.#markWord(pfn);
    this.#journal.push(() => {
      const offset = pfn & this.#memory.leafMask;
      this.#words.get(pfn >>> this.#shift)![offset >>> 5]! &= ~(1 << (offset & 31));
    });
  }

  #markWord(pfn: number): void {
    const leaf = pfn >>> this.#shift;
    let words = this.#words.get(leaf);
    if (words === undefined) {
      words = new Uint32Array(Math.max(1, this.#domain.geometry.perPage >>> 5));
      this.#words.set(leaf, words);
    }
    words[(pfn & this.#memory.leafMask) >>> 5]! |= 1 << (pfn & 31);
  }
}
