import type { Word } from '../../events/index.js';
import { lookUp } from '../../src/index.js';
import { Foreseen } from './knowledge.js';
import { Moment, NO_LINE, type LogCall } from './log_call.js';
import type { ModelRunner } from './model_runner.js';
import { takesValue } from './probed_function.js';
import { fits, OrderSearch, runSchedule, ShownParts } from './order_search.js';

/** Pieces that searches may run in a whole replay: some seconds of work. */
const SEARCH_PIECES_MAX = 4_000_000;
/** Pieces that may be run to see whether an order would have left another word; a race that takes more may have. */
const RACE_PIECES_MAX = 4000;
/** A window of more calls is closed where it is: a call that stays open for so long keeps the order that it has. */
const CALLS_MAX = 1024;
/** Events are handed on between windows once there are this many. */
const FLUSH_AT = 2048;

/** A recorded value that fits only because other orders, or other lists, were tried. */
interface Explained<Fact> {
  readonly call: LogCall;
  readonly part: LogCall;
  readonly recorded: number;
  readonly fact: Fact;
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
  readonly #free: (call: LogCall) => void;
  /** Calls in the order they ran in; a call that runs in pieces stands there once for each. */
  #schedule: LogCall[] = [];
  /** Whether the order is another than that of the entries. */
  #isReordered = false;
  #open = 0;
  readonly #start = new Moment();
  #explained: Explained<Fact>[] = [];
  #reordered = 0;

  /** @param free takes back records of calls that are done with */
  constructor(runner: ModelRunner, free: (call: LogCall) => void) {
    this.#runner = runner;
    this.#free = free;
    this.#search = new OrderSearch(runner, this.#shown, SEARCH_PIECES_MAX);
    runner.note(this.#start);
    runner.domain.hold();
  }

  /** How often another order explained what was recorded. */
  get reordered(): number {
    return this.#reordered + this.#runner.knowledge.reordered;
  }

  /** Whether there are calls beside the one in hand. */
  get overlaps(): boolean {
    return this.#schedule.length > 1;
  }

  /** Whether a call of the window, other than `except`, stores the entry of `pfn`. */
  touches(pfn: number, except?: LogCall): boolean {
    return this.#schedule.some((call) => call !== except && call.pfn === pfn && takesValue(call.event));
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
    if (this.#isReordered || part.answer !== part.recorded || part.foreseen !== Foreseen.yes) return false;
    return call.died === '' && (part !== call || call.partsMet === call.parts.length);
  }

  /**
   * Something was recorded of `call`: of itself, or of `part` inside it.
   *
   * @param fact what to say of it where it turns out to be wrong; asked for only where that cannot be known yet
   */
  check(call: LogCall, part: LogCall, fact: () => Fact): Check<Fact> {
    const decides = part.foreseen !== Foreseen.yes && !isInformed(part);
    if (!decides && this.#fits(call)) return FITS;
    if (call.fixed) return this.#checkFixed(call, part);
    if (decides || isUninformed(call)) {
      this.#runAgain(call);
      // Where nobody else was there it is what it is.
      if (this.#allFit()) return this.overlaps ? this.#explain(call, part, fact) : FITS;
    }
    if (this.#tryOrders(call)) {
      this.#reordered++;
      return this.#explain(call, part, fact);
    }
    const kind = this.#search.gaveUp ? 'undecided' : 'contradicts';
    const earlier = this.#blameEarlier(call);
    if (earlier !== undefined) return { kind: 'contradicts', earlier };
    this.#forget(part);
    return kind === 'undecided' ? UNDECIDED : { kind, earlier };
  }

  #checkFixed(call: LogCall, part: LogCall): Check<Fact> {
    if (part.foreseen !== Foreseen.yes || part.recorded === undefined || part.answer === part.recorded) return FITS;
    return call.cutOff ? UNDECIDED : { kind: 'contradicts', earlier: undefined };
  }

  #explain(call: LogCall, part: LogCall, fact: () => Fact): Check<Fact> {
    const { recorded } = part;
    if (recorded !== undefined) this.#explained.push({ call, part, recorded, fact: fact() });
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

  /** Looks for one earlier value that was explained by force, and without which all fits. */
  #blameEarlier(call: LogCall): Fact | undefined {
    const schedule = this.#schedule;
    const isReordered = this.#isReordered;
    const pieces = schedule.map((other) => other.piecewise);
    for (const suspect of this.#explained.toReversed()) {
      suspect.part.recorded = undefined;
      this.#schedule = [...new Set(schedule)].sort((a, b) => a.line - b.line);
      this.#isReordered = false;
      for (const other of this.#schedule) other.piecewise = false;
      this.#runAll();
      if (this.#allFit() || this.#tryOrders(call)) {
        this.#explained = this.#explained.filter((other) => other !== suspect);
        return suspect.fact;
      }
      suspect.part.recorded = suspect.recorded;
    }
    this.#schedule = schedule;
    this.#isReordered = isReordered;
    for (const [i, other] of schedule.entries()) other.piecewise = pieces[i]!;
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
    const found = this.#search.find(this.#schedule, call, this.#start);
    if (found === undefined) {
      this.#runAll();
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

  /** Pfns that several calls have stored, where another order would have left another word. */
  #findRaces(): Races {
    const calls = [...new Set(this.#schedule)];
    const stores = calls.filter((call) => takesValue(call.event) && call.answer === 1);
    if (stores.length < 2) return NO_RACES;
    const { memory } = this.#runner.domain;
    const races = new Map<number, Word[]>();
    for (const store of stores) {
      const { pfn, value } = store;
      const others = stores.filter((other) => other.pfn === pfn && other.value !== value);
      // The one that was entered last has the word; one that ended before another began was overwritten for sure.
      if (others.length === 0 || lookUp(memory, pfn) === value || races.get(pfn)?.includes(value) === true) continue;
      if (others.some((other) => store.ended && store.endLine < other.line)) continue;
      if (!this.#mayEndWith(store, () => lookUp(memory, pfn) === value)) continue;
      races.set(pfn, [...(races.get(pfn) ?? [lookUp(memory, pfn)]), value]);
    }
    return races;
  }

  /** Whether an order that fits everything ends so; yes where that cannot be told. Leaves the window as it was. */
  #mayEndWith(store: LogCall, isSo: () => boolean): boolean {
    const pieces = this.#schedule.map((call) => call.piecewise);
    const found = this.#search.find(this.#schedule, store, this.#start, isSo, RACE_PIECES_MAX);
    for (const [i, call] of this.#schedule.entries()) call.piecewise = pieces[i]!;
    this.#runAll();
    return found !== undefined || this.#search.gaveUp;
  }

  #close(): void {
    const { domain, knowledge } = this.#runner;
    const races = this.#schedule.length > 1 ? this.#findRaces() : NO_RACES;
    for (const call of this.#isReordered ? new Set(this.#schedule) : this.#schedule) {
      call.fixed = true;
      if (call.ended) this.#free(call);
      else call.cutOff = true;
    }
    this.#schedule.length = 0;
    if (this.#explained.length > 0) this.#explained.length = 0;
    this.#isReordered = false;
    this.#open = 0;
    for (const [pfn, words] of races) knowledge.race(pfn, words);
    knowledge.commit();
    if (domain.batch.length >= FLUSH_AT) domain.flush();
    this.#runner.note(this.#start);
  }
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
