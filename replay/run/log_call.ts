import { INVALID, type Word } from '../../events/index.js';
import { NOBODY, type Behalf, type Cpu } from '../../src/index.js';
import { Foreseen } from './knowledge.js';

/** A call that the model made: the operation that it ran, or one inside it. */
export class ModelCall {
  /** Entry event of the function. */
  event = 0;
  pfn = 0;
  value: Word = INVALID;
  /** What it gave back; undefined where the model died inside, or has not got there. */
  ret: number | undefined = undefined;
  /** What could be known of its answer before it ran. */
  foreseen: Foreseen = Foreseen.yes;
  /** Whether the log's result was known when it ran. */
  informed = false;
  /** Rows of the batch that it has filled. */
  rowStart = 0;
  rowEnd = 0;

  /** Makes the record that of a call just made. */
  begin(event: number, pfn: number, value: Word): void {
    this.event = event;
    this.pfn = pfn;
    this.value = value;
    this.ret = undefined;
    this.foreseen = Foreseen.yes;
    this.informed = false;
    this.rowStart = 0;
    this.rowEnd = 0;
  }
}

/** A moment of a replay, to go back to: events and operations of the domain, and steps of what is known. */
export class Moment {
  events = 0;
  ops = 0;
  learned = 0;
}

/** How an open call takes part in the replay. */
export const Mode = {
  /** The model runs it. */
  ran: 0,
  /** It is a call inside the one that the model runs. */
  part: 1,
  /** It is not run itself: its steps have lines of their own. */
  encloses: 2,
  /** Nothing is asked of it. */
  unused: 3,
} as const;

/** No line yet. */
export const NO_LINE = 0;
/** Later than every line. */
export const LINE_MAX = Number.MAX_SAFE_INTEGER;

/**
 * A call of a task as the log tells it, line by line, beside what the model made of it. Records are used again: whoever
 * keeps one must not have given it back.
 */
export class LogCall {
  // What the log says.
  event = 0;
  /** Lines of its entry, and of its return or, where that has no probe, of what its task did next; NO_LINE while open. */
  line = NO_LINE;
  endLine = NO_LINE;
  cpu = 0;
  pid = 0;
  task = 0;
  /** Whose it is, and since when, where somebody keeps the events. */
  behalf: Behalf = NOBODY;
  mode: number = Mode.unused;
  pfn = 0;
  value: Word = INVALID;
  count = 0;
  /** What it returned: the word of a look-up, 1 or 0 where it succeeded or not; undefined while that is not known. */
  recorded: number | undefined = undefined;
  /** The calls inside it that the log shows, of those that the model makes too. */
  readonly parts: LogCall[] = [];
  /** Of a function that encloses its steps: how many stores are still to come. */
  stepsLeft = 0;
  /** The attempt to allocate that the log says has failed, counted in this call from 1; 0 none. */
  failAt = 0;
  /** The pages that the log says it was given, as frames of Linux; -1 for one that was not said. */
  readonly pages: number[] = [];
  /** Lines of page-table stores that it has shown: of PMDs, of PTEs. */
  pmdLines = 0;
  pteLines = 0;
  /** The call around it that the model runs, where it is a part. */
  around: LogCall | undefined = undefined;
  /** May have ended: its task went on, and no return of its function has been seen yet (task_calls.ts). */
  dormant = false;

  // What the model did: of a call that it ran, itself first, then the calls inside in the order of their entries.
  readonly model: ModelCall[] = [];
  modelCount = 0;
  /** Of a part: which of the model's calls it is; 0 for none. */
  modelIndex = 0;
  /** Parts that the run has come upon. */
  partsMet = 0;
  died = '';
  /** How often it has stored an entry. */
  stores = 0;
  /** What its last store overwrote, where that was known before. */
  overwritten: Word | undefined = INVALID;
  /** Its order is settled: the model does not run it again. */
  fixed = false;
  /** It was settled while it was open, for too many calls overlapped with it. */
  cutOff = false;
  /**
   * What its first store answers, where an order of calls needs it to be so and the log does not say (order_search.ts);
   * undefined: whatever the model's list makes of it.
   */
  assumed: number | undefined = undefined;
  /** It is run in pieces, between which others run (order_search.ts). */
  piecewise = false;
  op = 0;
  context: Cpu | undefined = undefined;
  finished = false;
  /** The moment before it ran. */
  readonly moment = new Moment();

  /** Makes the record that of a call just entered. */
  begin(event: number, line: number, cpu: number, pid: number, task: number): void {
    this.event = event;
    this.line = line;
    this.endLine = NO_LINE;
    this.cpu = cpu;
    this.pid = pid;
    this.task = task;
    this.behalf = NOBODY;
    this.mode = Mode.unused;
    this.pfn = 0;
    this.value = INVALID;
    this.count = 0;
    this.recorded = undefined;
    this.stepsLeft = 0;
    if (this.parts.length > 0) this.parts.length = 0;
    this.failAt = 0;
    if (this.pages.length > 0) this.pages.length = 0;
    this.pmdLines = 0;
    this.pteLines = 0;
    this.around = undefined;
    this.dormant = false;
    this.modelIndex = 0;
    this.fixed = false;
    this.cutOff = false;
    this.piecewise = false;
    this.assumed = undefined;
    this.unrun();
  }

  /** Forgets what the model made of it. */
  unrun(): void {
    this.modelCount = 0;
    this.partsMet = 0;
    for (const part of this.parts) part.modelIndex = 0;
    this.died = '';
    this.stores = 0;
    this.overwritten = INVALID;
    this.op = 0;
    this.context = undefined;
    this.finished = false;
  }

  /** Takes the next record for a call that the model makes. */
  modelCall(event: number, pfn: number, value: Word): ModelCall {
    let call = this.model[this.modelCount];
    if (call === undefined) this.model.push((call = new ModelCall()));
    this.modelCount++;
    call.begin(event, pfn, value);
    return call;
  }

  /** The first of the model's calls, not yet shown, of the function: its index, or 0 where there is none. */
  nextModelCall(event: number): number {
    let shown = 0;
    for (const part of this.parts) shown = Math.max(shown, part.modelIndex);
    for (let i = shown + 1; i < this.modelCount; i++) if (this.model[i]!.event === event) return i;
    return 0;
  }

  /** Whether the log has shown where it ends. */
  get ended(): boolean {
    return this.endLine !== NO_LINE;
  }

  /** What the model answers for it; undefined where it died, or makes no such call. */
  get answer(): number | undefined {
    const { around } = this;
    if (around === undefined) return this.modelCount === 0 ? undefined : this.model[0]!.ret;
    return this.modelIndex === 0 ? undefined : around.model[this.modelIndex]!.ret;
  }

  /** What could be known of the model's answer before it ran. */
  get foreseen(): Foreseen {
    const { around } = this;
    if (around === undefined) return this.modelCount === 0 ? Foreseen.yes : this.model[0]!.foreseen;
    return this.modelIndex === 0 ? Foreseen.yes : around.model[this.modelIndex]!.foreseen;
  }
}
