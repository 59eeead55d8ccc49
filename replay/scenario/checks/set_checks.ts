import { Global, KINDS, type Word } from '../../../events/index.js';
import { lookUp } from '../../../src/index.js';
import type { StateSink } from '../../explore/program.js';
import type { ScenarioOperation } from '../scenario.js';
import { Changed, type CheckedRun, type CheckFamily, type PathEnd, type TakenStep } from './check_family.js';
import { Links } from './links.js';

const SET_ENTRY = KINDS.set_entry.id;
const ALLOC_FAILED = KINDS.alloc_failed.id;

/** Of the operations in hand, a bit a thread; nothing in it changes. */
export interface SetsImage {
  /** An allocation failed in it. */
  readonly short: number;
  /** It stored an entry of its pfn. */
  readonly stored: number;
  /** It found the leaf of its pfn shared. */
  readonly shared: number;
}

const NOTHING: SetsImage = { short: 0, stored: 0, shared: 0 };
const SETS_KEY = 2 ** 31 - 8192;

/**
 * What a set returns: true is kept, lost-update (vectors/README.md, "Flags"); and false says that memory was short and that
 * nothing was stored, false-set (I9). A rawSet does not allocate: it returns false where it found the leaf shared or, from
 * 5.12 on, the pfn out of range.
 */
export class SetChecks implements CheckFamily {
  image: SetsImage = NOTHING;
  readonly #run: CheckedRun;
  readonly #links: Links;
  readonly #holdsFalse: boolean;

  /** Before the run. */
  constructor(run: CheckedRun) {
    this.#run = run;
    this.#links = new Links(run.domain);
    this.#holdsFalse = run.found.holds('false-set');
  }

  /** `thread` is about to step, in the middle of `operation`. */
  beforeStep(thread: number, operation: ScenarioOperation | undefined): void {
    if (!this.#holdsFalse || operation?.[0] !== 'rawSet') return;
    if (this.#links.isShared(this.#links.leafOf(operation[1]))) this.#note(0, 0, 1 << thread);
  }

  afterStep({ thread, inHand, finished, eventsFrom }: TakenStep, changed: number): void {
    if (!this.#holdsFalse) return;
    const operation = inHand[thread];
    if ((changed & (Changed.entry | Changed.page)) !== 0 && operation !== undefined)
      this.#noteEvents(thread, operation[1], eventsFrom);
    for (const { operation: ended, value } of finished) {
      if (value === 0) this.#checkFalse(thread, ended);
      this.#forget(thread);
    }
  }

  atEnd({ threads, isQuiet, found }: PathEnd): void {
    if (!isQuiet || !found.isOpen('lost-update')) return;
    const { memory, words } = this.#run;
    const last = new Map<number, Word[]>();
    for (const { finished } of threads) {
      const own = new Map<number, Word>();
      for (const { operation, value } of finished) {
        if (operation.length === 3 && value === 1) own.set(operation[1], memory.codec.parse(operation[2]));
      }
      for (const [pfn, word] of own) last.set(pfn, [...(last.get(pfn) ?? []), word]);
    }
    for (const [pfn, values] of last) {
      const now = lookUp(memory, pfn);
      if (values.includes(now)) continue;
      found.raise(
        'lost-update',
        () =>
          `at the end ${words.pfn(pfn)} reads ${words.entry(now)}, but what the threads last set there, and were told true, is ${words.entries(values)}`,
      );
    }
  }

  /** What of it later checks depend on. */
  state(into: StateSink): void {
    const { short, stored, shared } = this.image;
    if (short !== 0) into.add(SETS_KEY, short);
    if (stored !== 0) into.add(SETS_KEY + 1, stored);
    if (shared !== 0) into.add(SETS_KEY + 2, shared);
  }

  #noteEvents(thread: number, pfn: number, from: number): void {
    const { batch } = this.#run.domain;
    for (let i = from; i < batch.length; i++) {
      if (batch.kind[i] === ALLOC_FAILED) this.#note(1 << thread, 0, 0);
      if (batch.kind[i] === SET_ENTRY && batch.a[i] === pfn) this.#note(0, 1 << thread, 0);
    }
  }

  /** An operation returned false, or an allocation nothing. */
  #checkFalse(thread: number, operation: ScenarioOperation): void {
    const [kind, pfn] = operation;
    if (kind === 'lookup' || kind === 'get') return;
    const { found, words } = this.#run;
    const bit = 1 << thread;
    const returned = (): string => `${words.operation(operation, thread)} returned false`;
    if ((this.image.stored & bit) !== 0) {
      found.raise('false-set', () => `${returned()}, and has stored an entry of ${words.pfn(pfn)}`);
    } else if (kind !== 'rawSet') {
      if ((this.image.short & bit) !== 0) return;
      found.raise('false-set', () => `${returned()}, and no allocation failed in it`);
    } else if ((this.image.shared & bit) === 0 && !this.#isOutOfRange(pfn)) {
      found.raise(
        'false-set',
        () => `${returned()}, and the leaf of ${words.pfn(pfn)} was private before each step of it`,
      );
    }
  }

  #isOutOfRange(pfn: number): boolean {
    const { domain } = this.#run;
    return domain.form.outOfRangeIsFalse && pfn >= domain.global(Global.xen_p2m_size);
  }

  #note(short: number, stored: number, shared: number): void {
    const image = this.image;
    if ((short & ~image.short) === 0 && (stored & ~image.stored) === 0 && (shared & ~image.shared) === 0) return;
    this.image = { short: image.short | short, stored: image.stored | stored, shared: image.shared | shared };
  }

  /** The operation of this thread has ended. */
  #forget(thread: number): void {
    const { short, stored, shared } = this.image;
    const others = ~(1 << thread);
    if (((short | stored | shared) & ~others) === 0) return;
    this.image = { short: short & others, stored: stored & others, shared: shared & others };
  }
}
