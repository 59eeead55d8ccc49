import { Global, type Word } from '../../events/index.js';
import { lookUp, NO_PAGE } from '../../src/index.js';
import { Foreseen } from './knowledge.js';
import { LINE_MAX, Moment, NO_LINE, type LogCall } from './log_call.js';
import type { ModelRunner } from './model_runner.js';
import { takesPfn, takesValue } from './probed_function.js';
import { allocates, fits, isWithinBounds, OrderSearch, runSchedule, ShownParts } from './order_search.js';
import { WindowPlan } from './window_plan.js';

/** Pieces that searches may run in a whole replay: some seconds of work. */
const SEARCH_PIECES_MAX = 4_000_000;
/** Pieces that may be run to see whether an order would have left another word; a race that takes more may have. */
const RACE_PIECES_MAX = 4000;
/** Words of an entry that are told apart. */
const RACED_WORDS_MAX = 6;
/** Values that are looked at, last first, to find the one that is wrong. */
const SUSPECTS_MAX = 32;
/** A window of more calls is closed where it is: a call that stays open for so long keeps the order that it has. */
const CALLS_MAX = 1024;
/** Events are handed on between windows once there are this many. */
const FLUSH_AT = 2048;

/** A recorded value that fits, while its call overlaps with others or its answer was not known. */
interface Accepted<Fact> {
  readonly call: LogCall;
  readonly part: LogCall;
  readonly recorded: number;
  readonly fact: Fact;
  /** Whether only another order, or another list, than the one at hand explained it. */
  readonly byForce: boolean;
}

/** How a recorded value turned out. */
export type Check<Fact> =
  | { readonly kind: 'fits' }
  /** The model stays as it was; `earlier` is a value before it that is to blame, if without that one all fits. */
  | { readonly kind: 'contradicts'; readonly earlier: Fact | undefined }
  /** It would fit only in another order, and those are not tried any more. */
  | { readonly kind: 'undecided' };

/**
 * The calls whose order is not settled: those that are open, and those that overlap with them. A call runs where it
 * enters; when a recorded value does not fit, or decides what was not known, the calls since are taken back and run again
 * with what is recorded of them, then in other orders (order_search.ts). The window closes when no call is open.
 */
export class CallWindow<Fact> {
  readonly #runner: ModelRunner;
  readonly #shown = new ShownParts();
  readonly #search: OrderSearch;
  readonly #onSettled: (call: LogCall) => void;
  readonly #free: (call: LogCall) => void;
  /** Calls in the order they ran in; a call that runs in pieces stands there once for each. */
  #schedule: LogCall[] = [];
  /** Whether the order is another than that of the entries. */
  #isReordered = false;
  #open = 0;
  readonly #start = new Moment();
  #accepted: Accepted<Fact>[] = [];
  #reordered = 0;

  /**
   * @param onSettled told of the calls of a window that closes, in the order in which they took effect
   * @param free      takes back records of calls that are done with
   */
  constructor(runner: ModelRunner, onSettled: (call: LogCall) => void, free: (call: LogCall) => void) {
    this.#runner = runner;
    this.#onSettled = onSettled;
    this.#free = free;
    this.#search = new OrderSearch(runner, this.#shown, SEARCH_PIECES_MAX);
    runner.note(this.#start);
    runner.domain.hold();
  }

  /** How often another order explained what was recorded. */
  get reordered(): number {
    return this.#reordered + this.#runner.knowledge.reordered;
  }

  /** Whether the calls have another order than that of their entries. */
  get isReordered(): boolean {
    return this.#isReordered;
  }

  /** Whether there are calls beside the one in hand. */
  get overlaps(): boolean {
    return this.#schedule.length > 1;
  }

  /** Whether a call of the window, other than `except`, stores the entry of `pfn`. */
  touches(pfn: number, except?: LogCall): boolean {
    return this.#schedule.some((call) => call !== except && call.pfn === pfn && takesValue(call.event));
  }

  /** The line of the call of the window that stored the entry of `pfn` last, as the order is now; 0 for none. */
  writerOf(pfn: number): number {
    return this.#schedule.findLast((call) => call.pfn === pfn && call.stores > 0)?.line ?? 0;
  }

  /** A call was entered: runs it. */
  enter(call: LogCall): void {
    if (this.#schedule.length >= CALLS_MAX) this.#close();
    this.#schedule.push(call);
    this.#open++;
    this.#runner.runWhole(call);
  }

  /** The log shows `part`, which is one of the calls that the model makes. */
  show(part: LogCall): void {
    if (part.endLine === NO_LINE && this.#schedule.length === 1) this.#shown.note(part);
  }

  /** A call that was entered has ended, and all that is recorded of it was checked. */
  leave(call: LogCall): void {
    if (call.fixed) this.#free(call);
    else if (--this.#open === 0) this.#close();
  }

  /** Whether what was recorded of `part`, last of all that is recorded of `call`, is the one answer that is possible. */
  agrees(call: LogCall, part: LogCall): boolean {
    if (this.#schedule.length > 1 || part.answer !== part.recorded || part.foreseen !== Foreseen.yes) return false;
    return call.died === '' && part.failAt === 0 && (part !== call || call.partsMet === call.parts.length);
  }

  /**
   * Something was recorded of `call`: of itself, or of `part` inside it.
   *
   * @param fact what to say of it where it turns out to be wrong; asked for only where that cannot be known yet
   */
  check(call: LogCall, part: LogCall, fact: () => Fact): Check<Fact> {
    const decides = part.foreseen !== Foreseen.yes && !isInformed(part);
    if (!decides && this.#fits(call)) return this.#accept(call, part, fact, false);
    if (call.fixed) return checkFixed(call, part);
    if (decides || isUninformed(call)) {
      this.#runAgain(call);
      if (this.#allFit()) return this.#accept(call, part, fact, true);
    }
    if (this.#tryOrders(call)) {
      this.#reordered++;
      return this.#accept(call, part, fact, true);
    }
    const { gaveUp } = this.#search;
    const earlier = this.#blameEarlier(
      call,
      this.#accepted.filter(({ byForce }) => byForce),
    );
    if (earlier !== undefined) return { kind: 'contradicts', earlier };
    // Where the value itself agrees, it is not the one that is wrong, and which is cannot be told.
    const agrees = part.recorded !== undefined && part.answer === part.recorded;
    this.#forget(part);
    return gaveUp || agrees ? UNDECIDED : { kind: 'contradicts', earlier };
  }

  /**
   * The log shows when a part of `call` was entered: whether it can have taken effect where the order has it that was
   * needed to explain what was recorded. Another order that explains it is no less good. (While each call runs at its
   * entry, its parts run there too, before their own lines; nothing has asked for another order then.)
   */
  checkBounds(call: LogCall): Check<Fact> {
    if (!this.#isReordered || call.fixed) return FITS;
    const isOfLeaf = this.#search.dependsOn(call, this.#schedule, this.#start);
    if (isWithinBounds(this.#schedule, isOfLeaf) || this.#tryOrders(call)) return FITS;
    if (this.#search.gaveUp) return UNDECIDED;
    const suspects = this.#accepted.filter((accepted) => isOfLeaf(accepted.call)).slice(-SUSPECTS_MAX);
    const earlier = this.#blameEarlier(call, [
      ...suspects.filter((s) => !s.byForce),
      ...suspects.filter((s) => s.byForce),
    ]);
    if (earlier === undefined && this.#runner.knowledge.learned > this.#start.learned) return UNDECIDED;
    return { kind: 'contradicts', earlier };
  }

  #accept(call: LogCall, part: LogCall, fact: () => Fact, byForce: boolean): Check<Fact> {
    const { recorded } = part;
    // Where nobody else was there, and the call is over, it is what it is.
    if (recorded !== undefined && (this.overlaps || (byForce && part !== call))) {
      this.#accepted.push({ call, part, recorded, fact: fact(), byForce });
    }
    return FITS;
  }

  /** Takes what is recorded of `part` for wrong: the model goes on from its own state. */
  #forget(part: LogCall): void {
    part.recorded = undefined;
    part.failAt = 0;
    const { around } = part;
    if (around !== undefined && part.modelIndex === 0) around.parts.splice(around.parts.indexOf(part), 1);
    this.#runAll();
  }

  /** Looks for one earlier value, of the suspects from the last on, without which all fits. */
  #blameEarlier(call: LogCall, suspects: readonly Accepted<Fact>[]): Fact | undefined {
    const plan = new WindowPlan(this.#schedule, this.#isReordered);
    for (const suspect of suspects.toReversed()) {
      suspect.part.recorded = undefined;
      this.#follow(WindowPlan.ofEntries(this.#schedule));
      if (
        (this.#allFit() && isWithinBounds(this.#schedule, this.#search.dependsOn(call, this.#schedule, this.#start))) ||
        this.#tryOrders(call)
      ) {
        this.#accepted = this.#accepted.filter((other) => other !== suspect);
        return suspect.fact;
      }
      suspect.part.recorded = suspect.recorded;
    }
    if (suspects.length > 0) this.#follow(plan);
    return undefined;
  }

  #fits(call: LogCall): boolean {
    return fits(call) && (!this.#isReordered || this.#shown.fits(call));
  }

  #allFit(): boolean {
    return this.#schedule.every((call) => this.#fits(call));
  }

  #tryOrders(call: LogCall): boolean {
    if (!this.overlaps) return false;
    const plan = new WindowPlan(this.#schedule, this.#isReordered);
    const found = this.#search.find(this.#schedule, call, this.#start);
    if (found === undefined) {
      this.#follow(plan);
      return false;
    }
    this.#schedule = found;
    this.#isReordered = true;
    return true;
  }

  /** Takes back `call` and what ran after it, and runs it again in the same order, with what is recorded now. */
  #runAgain(call: LogCall): void {
    if (this.#isReordered) {
      this.#runAll();
      return;
    }
    this.#runner.rewind(call.moment);
    for (let i = this.#schedule.indexOf(call); i < this.#schedule.length; i++) {
      this.#runner.runWhole(this.#schedule[i]!);
    }
  }

  #follow(plan: WindowPlan): void {
    plan.restore();
    this.#schedule = plan.schedule;
    this.#isReordered = plan.isReordered;
    this.#runAll();
  }

  /** Runs the whole window again, in the order that it has; with other results there may be more pieces than before. */
  #runAll(): void {
    this.#runner.rewind(this.#start);
    runSchedule(this.#runner, this.#schedule);
    for (const call of new Set(this.#schedule)) {
      while (!call.finished) {
        this.#schedule.push(call);
        this.#runner.runPiece(call);
      }
    }
  }

  /** Pfns whose entry another order would have left with another word. */
  #findRaces(): Races {
    const stores = [...new Set(this.#schedule)].filter((call) => takesValue(call.event));
    const { memory } = this.#runner.domain;
    const races = new Map<number, readonly Word[]>();
    for (const store of stores) {
      const { pfn } = store;
      if (races.has(pfn) || !this.#mayRace(store, stores) || memory.storePage(pfn) === NO_PAGE) continue;
      const words = this.#possibleWords(store);
      if (words.length > 1) races.set(pfn, words);
    }
    return races;
  }

  /** Whether it depends on the order what the call leaves in its entry. */
  #mayRace(store: LogCall, stores: readonly LogCall[]): boolean {
    const isOfLeaf = this.#search.dependsOn(store, this.#schedule, this.#start);
    const overlaps = (other: LogCall): boolean =>
      other !== store && isOfLeaf(other) && lineOfEnd(store) >= other.line && lineOfEnd(other) >= store.line;
    if (store.recorded === undefined) return this.#schedule.some(overlaps);
    return stores.some((other) => other.pfn === store.pfn && other.value !== store.value && overlaps(other));
  }

  /** The words that the entry may hold at the end, the model's first. Leaves the window as it was. */
  #possibleWords(store: LogCall): readonly Word[] {
    const { memory } = this.#runner.domain;
    const plan = new WindowPlan(this.#schedule, this.#isReordered);
    const words = [lookUp(memory, store.pfn)];
    const isAnother = (): boolean => !words.includes(lookUp(memory, store.pfn));
    while (words.length < RACED_WORDS_MAX) {
      const found = this.#search.find(this.#schedule, store, this.#start, isAnother, RACE_PIECES_MAX);
      const word = lookUp(memory, store.pfn);
      if (found === undefined && this.#search.gaveUp && !words.includes(store.value)) words.push(store.value);
      if (found === undefined) break;
      words.push(word);
      plan.restore();
    }
    this.#follow(plan);
    return words;
  }

  /**
   * What was decided of a leaf beside an allocation of it holds in this order only: in another the leaf was another page
   * before. Which words came from that page is not known; what the calls themselves stored or found is.
   */
  #forgetGuesses(): void {
    const { knowledge } = this.#runner;
    const calls = [...new Set(this.#schedule)].filter((call) => takesPfn(call.event));
    const pfns = new Set(calls.map((call) => call.pfn));
    for (const call of calls) {
      if (!allocates(call) || !isListed(call.pfn, this.#runner)) continue;
      const isOfLeaf = this.#search.dependsOn(call, this.#schedule, this.#start);
      const others = calls.filter(isOfLeaf);
      if (others.length > 1 && others.some(leftOpen)) knowledge.forgetWordsBut(call.pfn, pfns);
    }
  }

  #settle(call: LogCall): void {
    this.#onSettled(call);
    call.fixed = true;
    if (call.ended) this.#free(call);
    else call.cutOff = true;
  }

  #close(): void {
    const { domain, knowledge } = this.#runner;
    const races = this.#schedule.length > 1 ? this.#findRaces() : NO_RACES;
    if (this.#schedule.length > 1 && knowledge.learned > this.#start.learned) this.#forgetGuesses();
    if (this.#schedule.length === 1) this.#settle(this.#schedule.pop()!);
    else {
      // Where a call ran in pieces, its store is in its last.
      for (const call of [...new Set(this.#schedule.toReversed())].toReversed()) this.#settle(call);
      this.#schedule.length = 0;
    }
    if (this.#accepted.length > 0) this.#accepted.length = 0;
    this.#isReordered = false;
    this.#open = 0;
    for (const [pfn, words] of races) knowledge.race(pfn, words);
    knowledge.commit();
    if (domain.batch.length >= FLUSH_AT) domain.flush();
    this.#runner.note(this.#start);
  }
}

function isListed(pfn: number, { domain }: ModelRunner): boolean {
  return pfn < domain.global(Global.xen_p2m_size);
}

/** Whether an answer of the call was not the only one that was possible when it ran. */
function leftOpen(call: LogCall): boolean {
  for (let i = 0; i < call.modelCount; i++) if (call.model[i]!.foreseen === Foreseen.no) return true;
  return false;
}

function lineOfEnd(call: LogCall): number {
  return call.ended ? call.endLine : LINE_MAX;
}

function checkFixed<Fact>(call: LogCall, part: LogCall): Check<Fact> {
  if (part.foreseen !== Foreseen.yes || part.recorded === undefined || part.answer === part.recorded) return FITS;
  return call.cutOff ? UNDECIDED : { kind: 'contradicts', earlier: undefined };
}

/** Pfns, each with the words that its entry may hold. */
type Races = ReadonlyMap<number, readonly Word[]>;

const NO_RACES: Races = new Map();
const FITS = { kind: 'fits' } as const;
const UNDECIDED = { kind: 'undecided' } as const;

/** Whether the model knew what is recorded of the part when it ran. */
function isInformed(part: LogCall): boolean {
  const { around } = part;
  const made = around === undefined ? part.model[0] : around.model[part.modelIndex];
  return made?.informed ?? false;
}

/** Whether the model ran something of the call without knowing what the log says of it now. */
function isUninformed(call: LogCall): boolean {
  for (let i = 0; i < call.modelCount; i++) {
    const made = call.model[i]!;
    if (made.foreseen !== Foreseen.yes && !made.informed) return true;
  }
  return call.failAt > 0 || call.parts.some((part) => part.failAt > 0);
}
