import type { Word } from '../../../events/index.js';
import { lookUp } from '../../../src/index.js';
import type { StateSink } from '../../explore/program.js';
import type { ScenarioOperation } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type TakenStep } from './check_family.js';

/** What was gathered so far; nothing in it changes. */
export interface LooksImage {
  /** By place of the pfn: what look(pfn) is now. */
  readonly looks: Int32Array;
  /** By thread: what look(pfn) was in the states since its look-up began, where one is in hand. */
  readonly seen: readonly (readonly Word[] | undefined)[];
}

/** Word addresses are far below. */
const SEEN_KEYS = 2 ** 31 - 4096;

/**
 * Watches the states of a path: look(p), what `lookup` would answer as one atomic act, of each watched pfn after each
 * step, and of the pfn of a look-up from the state before its first step to the one after its last (vectors/README.md,
 * "Flags"): bystander-changed, target-had-never-set-value, lookup-outside-interval, lookup-never-set-value.
 *
 * `get` is a look-up like `lookup`: it answers the same question.
 */
export class LookChecks implements CheckFamily {
  image: LooksImage;
  readonly #run: CheckedRun;
  readonly #pfns: readonly number[];
  /** By place: it is watched, and some thread sets it, or none. */
  readonly #isTarget: readonly boolean[];
  readonly #isBystander: readonly boolean[];
  readonly #initial: Int32Array;
  /** By place: what any thread sets there. */
  readonly #values: readonly ReadonlySet<Word>[];
  readonly #holdsInterval: boolean;

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    const { scenario, memory, found } = run;
    const operations = scenario.threads.flat();
    this.#pfns = [...new Set([...scenario.watch, ...operations.filter(isLookUp).map(([, pfn]) => pfn)])];
    const sets = operations.flatMap(([, pfn, value]) => (value === undefined ? [] : [{ pfn, value }]));
    const isSet = this.#pfns.map((pfn) => sets.some((set) => set.pfn === pfn));
    this.#isTarget = this.#pfns.map((pfn, i) => isSet[i]! && scenario.watch.includes(pfn));
    this.#isBystander = this.#pfns.map((pfn, i) => !isSet[i]! && scenario.watch.includes(pfn));
    this.#values = this.#pfns.map(
      (pfn) => new Set(sets.filter((set) => set.pfn === pfn).map(({ value }) => memory.codec.parse(value))),
    );
    this.#initial = Int32Array.from(this.#pfns, (pfn) => lookUp(memory, pfn));
    this.#holdsInterval = found.holds('lookup-outside-interval');
    this.image = { looks: this.#initial, seen: scenario.threads.map(() => undefined) };
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    if (!this.#holdsInterval || operation === undefined || this.image.seen[thread] !== undefined) return;
    if (isLookUp(operation)) this.#see(thread, [this.#look(operation[1])]);
  }

  afterStep({ thread, inHand, finished }: TakenStep, changed: number): void {
    if ((changed & (Changed.entry | Changed.table | Changed.fill)) !== 0 && this.#looksAnew()) {
      this.#checkLooks(inHand[thread], thread);
      if (this.#holdsInterval) this.#seeAll(inHand);
    }
    for (const { operation, value } of finished) {
      if (isLookUp(operation)) this.#checkLookUp(thread, operation, value);
    }
  }

  /** What of it later checks depend on: the looks are the memory's. */
  state(into: StateSink): void {
    const { seen } = this.image;
    for (let thread = 0; thread < seen.length; thread++) {
      const words = seen[thread];
      if (words !== undefined) for (const word of words) into.add(SEEN_KEYS + thread, word);
    }
  }

  /** Looks at each pfn again; whether one has changed. */
  #looksAnew(): boolean {
    const { memory } = this.#run;
    const { looks } = this.image;
    let now: Int32Array | undefined;
    for (let i = 0; i < looks.length; i++) {
      const word = lookUp(memory, this.#pfns[i]!);
      if (word === looks[i]) continue;
      now ??= looks.slice();
      now[i] = word;
    }
    if (now === undefined) return false;
    this.image = { ...this.image, looks: now };
    return true;
  }

  #checkLooks(operation: ScenarioOperation | undefined, thread: number): void {
    const { found, words } = this.#run;
    const { looks } = this.image;
    looks.forEach((word, i) => {
      const initial = this.#initial[i]!;
      if (word === initial) return;
      const is = (): string => `reads ${words.entry(word)} after a step of ${words.operation(operation, thread)}`;
      if (this.#isBystander[i]!) {
        found.raise(
          'bystander-changed',
          () => `${this.#was(i)}, which no operation sets, ${is()}; before the run it read ${words.entry(initial)}`,
        );
      } else if (this.#isTarget[i]! && !this.#values[i]!.has(word)) {
        found.raise('target-had-never-set-value', () => `${this.#was(i)} ${is()}; ${this.#known(i)}`);
      }
    });
  }

  /** A look-up has ended; one that took no step of its own saw the state of now. */
  #checkLookUp(thread: number, operation: ScenarioOperation, value: Word | undefined): void {
    const { found, words } = this.#run;
    const i = this.#pfns.indexOf(operation[1]);
    const seen = this.image.seen[thread] ?? [this.image.looks[i]!];
    if (this.#holdsInterval) this.#see(thread, undefined);
    if (value === undefined) return;
    const returned = (): string => `${words.operation(operation, thread)} returned ${words.entry(value)}`;
    if (!seen.includes(value)) {
      found.raise(
        'lookup-outside-interval',
        () => `${returned()}, but from its first step to its last ${this.#was(i)} read ${words.entries(seen)}`,
      );
    }
    if (value !== this.#initial[i] && !this.#values[i]!.has(value)) {
      found.raise('lookup-never-set-value', () => `${returned()}; ${this.#known(i)}`);
    }
  }

  #was(i: number): string {
    return this.#run.words.pfn(this.#pfns[i]!);
  }

  /** Where values of a pfn may come from. */
  #known(i: number): string {
    const { words } = this.#run;
    const values = this.#values[i]!;
    const set = values.size === 0 ? 'no operation sets it' : `operations set only ${words.entries(values)} there`;
    return `before the run it read ${words.entry(this.#initial[i]!)}, and ${set}`;
  }

  #look(pfn: number): Word {
    return this.image.looks[this.#pfns.indexOf(pfn)]!;
  }

  /** Look-ups in hand see what is there now. */
  #seeAll(inHand: readonly (ScenarioOperation | undefined)[]): void {
    inHand.forEach((operation, thread) => {
      const seen = this.image.seen[thread];
      if (operation === undefined || seen === undefined) return;
      const now = this.#look(operation[1]);
      if (!seen.includes(now)) this.#see(thread, [...seen, now]);
    });
  }

  #see(thread: number, words: readonly Word[] | undefined): void {
    if (this.image.seen[thread] === words) return;
    this.image = { ...this.image, seen: this.image.seen.map((seen, t) => (t === thread ? words : seen)) };
  }
}

/** Whether the operation asks for an entry. */
export function isLookUp([kind]: ScenarioOperation): boolean {
  return kind === 'lookup' || kind === 'get';
}
