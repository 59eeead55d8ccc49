import { leafClass, LeafClass, lookUp } from '../../src/index.js';
import { Foreseen } from './knowledge.js';
import { LINE_MAX, type LogCall, type Moment } from './log_call.js';
import type { ModelRunner } from './model_runner.js';
import { sameAs } from './probed_function.js';
import { PROBES_END, TraceEvent } from '../trace/trace_line.js';

/**
 * Searches the orders in which overlapping calls can have taken effect for one that explains what was recorded.
 *
 *     line   40 A enters   41 B enters   42 A's __set = 0   43 B's __set = 0   44 A allocates ...
 *     piece  a1 lies in [40, 42], b1 in [41, 43], a2 begins at 44 or later: a1 b1 a2 ... and b1 a1 a2 ... are possible
 *
 * A piece (model_runner.ts) takes effect between its first line and its last; pieces of a call keep their order. Only
 * calls of one leaf of the list are moved: what calls answer depends on the leaf of their pfn alone.
 */
export class OrderSearch {
  readonly #runner: ModelRunner;
  readonly #leafShift: number;
  /** Pieces that may still be run in all searches of a replay together. */
  #budget: number;
  readonly #shown: ShownParts;
  #piecesLeft = 0;
  #gaveUp = false;
  #isWanted: () => boolean = always;
  #calls: readonly LogCall[] = [];
  #order: LogCall[] = [];
  readonly #visited = new Set<string>();
  #before: readonly LogCall[] = [];
  #start!: Moment;

  constructor(runner: ModelRunner, shown: ShownParts, budget: number) {
    this.#runner = runner;
    this.#shown = shown;
    this.#budget = budget;
    this.#leafShift = Math.log2(runner.domain.geometry.perPage);
  }

  /** Whether the last search was given up: it has found no order, but there may be one. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  /**
   * Looks for an order of the calls from `start` on in which all that is recorded of them fits. Leaves the model in it
   * where there is one; else somewhere, and the calls too: the caller puts them back as they were (`WindowPlan`).
   *
   * @param schedule the calls in the order they ran in; a call that ran in pieces stands there once for each
   * @param culprit  the call of which something does not fit
   * @param isWanted what else must be true when they have run
   * @param piecesMax pieces that this search may run
   * @returns        the schedule found, or undefined
   */
  find(
    schedule: readonly LogCall[],
    culprit: LogCall,
    start: Moment,
    isWanted: () => boolean = always,
    piecesMax = Infinity,
  ): LogCall[] | undefined {
    this.#isWanted = isWanted;
    this.#piecesLeft = piecesMax;
    const moved = this.dependsOn(culprit, schedule, start);
    this.#start = start;
    this.#before = schedule.filter((call) => !moved(call));
    this.#calls = [...new Set(schedule.filter(moved))].sort((a, b) => a.line - b.line);
    this.#gaveUp = false;
    if (this.#calls.length < 2) return undefined;
    for (const call of this.#calls) call.piecewise = true;
    this.#order = [];
    this.#visited.clear();
    this.#rerun();
    if (!this.#explore()) return undefined;
    for (const call of this.#calls) while (!call.finished) this.#run(call);
    return [...this.#before, ...this.#order];
  }

  /**
   * Which calls of a schedule what `call` answers may depend on: those of its leaf; or of its pfn alone, where the leaf was
   * private when they began, for then no other can change a thing about it.
   */
  dependsOn(call: LogCall, schedule: readonly LogCall[], start: Moment): (other: LogCall) => boolean {
    const leaf = Math.floor(call.pfn / 2 ** this.#leafShift);
    const isOfLeaf = (other: LogCall): boolean => Math.floor(other.pfn / 2 ** this.#leafShift) === leaf;
    const { knowledge, domain } = this.#runner;
    // What was learned since may be that the leaf is private.
    const isPrivate =
      knowledge.learned === start.learned &&
      knowledge.isKindKnown(call.pfn) &&
      leafClass(domain.memory, call.pfn) === LeafClass.entries;
    if (!isPrivate || schedule.some((other) => isOfLeaf(other) && allocates(other))) return isOfLeaf;
    return (other) => other.pfn === call.pfn;
  }

  /** Depth first; the order so far has run and fits. */
  #explore(): boolean {
    if (this.#calls.every((call) => isExplained(call)) && this.#isWanted()) return true;
    const depth = this.#order.length;
    const state = this.#stateKey();
    if (this.#visited.has(state)) return false;
    this.#visited.add(state);
    for (const call of this.#calls) {
      for (const assumed of [undefined, STORES, FINDS_SHARED]) {
        if (Math.min(this.#budget, this.#piecesLeft) <= 0) {
          this.#gaveUp = true;
          return false;
        }
        if (this.#order.length > depth) {
          this.#order.length = depth;
          this.#rerun();
        }
        if (call.finished || !this.#mayRun(call)) break;
        const isFirst = call.context === undefined;
        if (isFirst) call.assumed = assumed;
        this.#run(call);
        // What is not known of a first store is not left open: what follows must fit one answer of it.
        const isOpen = isFirst && leavesOpen(call);
        if ((assumed !== undefined || !isOpen) && this.#fits(call) && this.#explore()) return true;
        if (!isOpen) break;
      }
    }
    return false;
  }

  #fits(call: LogCall): boolean {
    return fits(call) && this.#shown.fits(call);
  }

  /** What the rest of the search depends on: how far each call has come, and what its leaf is now. */
  #stateKey(): string {
    const { domain, knowledge } = this.#runner;
    const words = this.#calls.map(({ pfn }) => `${lookUp(domain.memory, pfn)}`);
    const calls = this.#calls.map(
      ({ finished, modelCount, partsMet, assumed, answer }) =>
        `${finished ? answer : ''},${modelCount},${partsMet},${assumed ?? ''}`,
    );
    return `${knowledge.stateOf(this.#calls[0]!.pfn)} ${words.join()} ${calls.join(' ')}`;
  }

  #run(call: LogCall): void {
    this.#spend(1);
    this.#order.push(call);
    this.#runner.runPiece(call);
  }

  /** Runs the order so far, from the start. */
  #rerun(): void {
    this.#runner.rewind(this.#start);
    for (const call of this.#calls) call.unrun();
    runSchedule(this.#runner, this.#before);
    for (const call of this.#order) this.#runner.runPiece(call);
    this.#spend(this.#before.length + this.#order.length);
  }

  #spend(pieces: number): void {
    this.#budget -= pieces;
    this.#piecesLeft -= pieces;
  }

  /** Whether no other call must take effect before the next piece of this one. */
  #mayRun(call: LogCall): boolean {
    const first = firstLine(call);
    return this.#calls.every((other) => other === call || other.finished || lastLine(other) >= first);
  }
}

/** Whether the call has tried to allocate, in the model or in the log. */
export function allocates(call: LogCall): boolean {
  for (let i = 0; i < call.modelCount; i++) if (call.model[i]!.event === TraceEvent.xen_alloc_p2m_entry) return true;
  return call.parts.some((part) => sameAs(part.event) === TraceEvent.xen_alloc_p2m_entry);
}

/** Answers of a store. */
const STORES = 1;
const FINDS_SHARED = 0;

/** Whether what is known, and recorded, leaves open what the first store of the call answers. */
function leavesOpen(call: LogCall): boolean {
  const first = call.model[call.event === TraceEvent.set_phys_to_machine ? 1 : 0];
  if (first === undefined || first.event !== TraceEvent.__set_phys_to_machine) return false;
  return first.foreseen === Foreseen.no && !first.informed;
}

/** Runs calls in an order: whole ones at once, others piece by piece, once for each time that they stand there. */
export function runSchedule(runner: ModelRunner, schedule: readonly LogCall[]): void {
  for (const call of schedule) if (call.piecewise) call.unrun();
  for (const call of schedule) {
    if (!call.piecewise) runner.runWhole(call);
    else if (!call.finished) runner.runPiece(call);
  }
}

/** Whether what the model made of the call so far is what the log says of it. */
export function fits(call: LogCall): boolean {
  if (call.died !== '') return false;
  for (const part of call.parts) {
    if (part.modelIndex === 0) continue;
    if (part.recorded !== undefined && part.answer !== part.recorded) return false;
    // Whoever asked for a page and was given none has failed.
    if (part.failAt > 0 && part.answer !== 0) return false;
  }
  if (!call.finished) return true;
  if (call.failAt > 0 && call.answer !== 0) return false;
  if (call.partsMet < call.parts.length) return false;
  return call.recorded === undefined || call.answer === call.recorded;
}

/** Calls of one function inside another that are told apart. */
const NTH_MAX = 4;

/** Which calls inside others have lines in this log: a compiler may have inlined one and not the other. */
export class ShownParts {
  readonly #seen = new Uint8Array(PROBES_END * PROBES_END * NTH_MAX);

  /** Notes that the log shows `part`, which is one of the calls that the model makes in its outer one. */
  note(part: LogCall): void {
    const call = part.around!;
    this.#seen[keyOf(call, part.modelIndex)] = 1;
  }

  /**
   * Whether a call that has ended shows all the calls that the model makes inside, as far as this log shows such: the
   * same call in another of its kind, or another call of the function in this one.
   */
  fits(call: LogCall): boolean {
    if (!call.finished || !call.ended) return true;
    for (let i = 1; i < call.modelCount; i++) {
      if (call.parts.some((part) => part.modelIndex === i)) continue;
      const { event } = call.model[i]!;
      if (this.#seen[keyOf(call, i)] === 1 || call.parts.some((part) => sameAs(part.event) === event)) return false;
    }
    return true;
  }
}

/** A number for the function around, the function inside, and the how-manieth of it there. */
function keyOf(call: LogCall, index: number): number {
  const { event } = call.model[index]!;
  let nth = 0;
  for (let i = 1; i < index; i++) if (call.model[i]!.event === event) nth++;
  return (call.event * PROBES_END + event) * NTH_MAX + Math.min(nth, NTH_MAX - 1);
}

function always(): boolean {
  return true;
}

/** Whether every line that the log has shown of the call is explained by pieces that have run. */
function isExplained(call: LogCall): boolean {
  if (call.finished) return true;
  return !call.ended && call.parts.every((part) => part.modelIndex > 0 || !part.ended);
}

/** The part that shows the next piece of the call; undefined where that piece has no lines, or not yet. */
function nextShown(call: LogCall): LogCall | undefined {
  const next = call.parts[call.partsMet];
  if (next === undefined) return undefined;
  // A store, an allocation, a store: what is allocated between two stores may have no lines.
  const done = call.context === undefined ? 0 : piecesOf(call).length;
  const isStore = sameAs(next.event) === TraceEvent.__set_phys_to_machine;
  return isStore === (done % 2 === 0) ? next : undefined;
}

/** The line from which on the next piece of the call may take effect. */
function firstLine(call: LogCall): number {
  const next = nextShown(call);
  if (next !== undefined) return next.line;
  const last = call.parts[call.partsMet - 1];
  return last?.ended === true ? last.endLine : call.line;
}

/** The line before which the next piece of the call must take effect. */
function lastLine(call: LogCall): number {
  const next = call.parts[call.partsMet];
  if (next !== undefined && nextShown(call) === undefined) return next.line;
  const line = next?.ended === true ? next.endLine : call.endLine;
  return line === 0 ? LINE_MAX : line;
}

/**
 * Whether pieces of the calls of one leaf can have taken effect in the order of the schedule: none that begins where
 * another has ended stands before it.
 */
export function isWithinBounds(schedule: readonly LogCall[], isMoved: (call: LogCall) => boolean): boolean {
  const runs = new Map<LogCall, number>();
  let latest = 0;
  for (const call of schedule) {
    if (!isMoved(call)) continue;
    const pieces = piecesOf(call);
    const from = runs.get(call) ?? 0;
    const to = call.piecewise ? from + 1 : pieces.length;
    runs.set(call, to);
    for (let n = from; n < Math.min(to, pieces.length); n++) {
      if (latest > lastLineOf(call, pieces, n)) return false;
      latest = Math.max(latest, firstLineOf(call, pieces, n));
    }
  }
  return true;
}

/** The model's calls that are the pieces of the call. */
function piecesOf(call: LogCall): number[] {
  if (call.event !== TraceEvent.set_phys_to_machine) return [0];
  const pieces: number[] = [];
  for (let i = 1; i < call.modelCount; i++) {
    if (call.model[i]!.event !== TraceEvent.alloc_p2m_pmd) pieces.push(i);
  }
  return pieces;
}

function partOf(call: LogCall, piece: number): LogCall | undefined {
  return piece === 0 ? call : call.parts.find((part) => part.modelIndex === piece);
}

function firstLineOf(call: LogCall, pieces: readonly number[], n: number): number {
  for (let before = n; before >= 0; before--) {
    const part = partOf(call, pieces[before]!);
    if (part !== undefined) return before === n ? part.line : Math.max(part.line, part.endLine);
  }
  return call.line;
}

function lastLineOf(call: LogCall, pieces: readonly number[], n: number): number {
  for (let after = n; after < pieces.length; after++) {
    const part = partOf(call, pieces[after]!);
    if (part === undefined) continue;
    if (after > n) return part.line;
    return part.ended ? part.endLine : LINE_MAX;
  }
  return call.ended ? call.endLine : LINE_MAX;
}
