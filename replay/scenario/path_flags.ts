import type { Word } from '../../events/index.js';
import { lookUp, type Memory } from '../../src/index.js';
import type { StateSink } from '../explore/program.js';
import type { Scenario, ScenarioOperation } from './scenario.js';
import type { Finished } from './scenario_thread.js';

/** Flags that what happens on the way raises (vectors/README.md, "Flags"). */
export const PATH_FLAGS = [
  'bystander-changed',
  'target-had-never-set-value',
  'lookup-outside-interval',
  'lookup-never-set-value',
] as const;

export type PathFlag = (typeof PATH_FLAGS)[number];

/** What the checker has gathered so far; nothing in it changes. */
export interface PathImage {
  /** A bit a flag, in the order of PATH_FLAGS. */
  readonly raised: number;
  /** By thread: what look(pfn) was in the states since its look-up began, where one is in hand. */
  readonly seen: readonly (readonly Word[] | undefined)[];
}

const RAISED_KEY = 2 ** 31 - 1;
/** Word addresses are far below. */
const SEEN_KEYS = 2 ** 31 - 4096;

/**
 * Watches the states of a path: look(p), what `lookup` would answer as one atomic act, of each watched pfn after each
 * step, and of the pfn of a look-up from the state before its first step to the one after its last.
 *
 * `get` is a look-up like `lookup`: it answers the same question.
 */
export class PathChecker {
  image: PathImage;
  readonly #memory: Memory;
  readonly #targets: readonly number[];
  readonly #bystanders: readonly number[];
  readonly #initial = new Map<number, Word>();
  /** By pfn: what was there before the run, and what any thread sets there. */
  readonly #expected = new Map<number, ReadonlySet<Word>>();

  constructor(scenario: Scenario, memory: Memory) {
    this.#memory = memory;
    this.image = { raised: 0, seen: scenario.threads.map(() => undefined) };
    const operations = scenario.threads.flat();
    const sets = operations.flatMap(([, pfn, value]) => (value === undefined ? [] : [{ pfn, value }]));
    this.#targets = scenario.watch.filter((pfn) => sets.some((set) => set.pfn === pfn));
    this.#bystanders = scenario.watch.filter((pfn) => !this.#targets.includes(pfn));
    for (const pfn of new Set([...scenario.watch, ...operations.map(([, pfn]) => pfn)])) {
      const initial = lookUp(memory, pfn);
      const values = sets.filter((set) => set.pfn === pfn).map(({ value }) => memory.codec.parse(value));
      this.#initial.set(pfn, initial);
      this.#expected.set(pfn, new Set([initial, ...values]));
    }
  }

  /** Flags raised so far. */
  get flags(): PathFlag[] {
    return PATH_FLAGS.filter((_, bit) => (this.image.raised & (1 << bit)) !== 0);
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    if (operation === undefined || !isLookUp(operation) || this.image.seen[thread] !== undefined) return;
    this.#see(thread, [lookUp(this.#memory, operation[1])]);
  }

  /**
   * `thread` has stepped.
   * @param inHand by thread: the operation in its hand before the step
   * @param finished what ended in the step
   */
  afterStep(thread: number, inHand: readonly (ScenarioOperation | undefined)[], finished: readonly Finished[]): void {
    for (const pfn of this.#bystanders) {
      if (lookUp(this.#memory, pfn) !== this.#initial.get(pfn)) this.#raise('bystander-changed');
    }
    for (const pfn of this.#targets) {
      if (!this.#isExpected(pfn, lookUp(this.#memory, pfn))) this.#raise('target-had-never-set-value');
    }
    inHand.forEach((operation, t) => {
      const seen = this.image.seen[t];
      if (operation === undefined || seen === undefined) return;
      const now = lookUp(this.#memory, operation[1]);
      if (!seen.includes(now)) this.#see(t, [...seen, now]);
    });
    for (const { operation, value } of finished) {
      if (isLookUp(operation)) this.#checkLookUp(thread, operation[1], value);
    }
  }

  hash(into: StateSink): void {
    into.add(RAISED_KEY, this.image.raised);
    this.image.seen.forEach((seen, thread) => {
      seen?.forEach((word) => into.add(SEEN_KEYS + thread, word));
    });
  }

  /** A look-up has ended; one that took no step of its own saw the state of now. */
  #checkLookUp(thread: number, pfn: number, value: Word | undefined): void {
    const seen = this.image.seen[thread] ?? [lookUp(this.#memory, pfn)];
    this.#see(thread, undefined);
    if (value === undefined) return;
    if (!seen.includes(value)) this.#raise('lookup-outside-interval');
    if (!this.#isExpected(pfn, value)) this.#raise('lookup-never-set-value');
  }

  #isExpected(pfn: number, word: Word): boolean {
    return this.#expected.get(pfn)?.has(word) === true;
  }

  #raise(flag: PathFlag): void {
    const bit = 1 << PATH_FLAGS.indexOf(flag);
    if ((this.image.raised & bit) === 0) this.image = { ...this.image, raised: this.image.raised | bit };
  }

  #see(thread: number, words: readonly Word[] | undefined): void {
    this.image = { ...this.image, seen: this.image.seen.map((seen, t) => (t === thread ? words : seen)) };
  }
}

function isLookUp([kind]: ScenarioOperation): boolean {
  return kind === 'lookup' || kind === 'get';
}
