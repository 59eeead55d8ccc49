import type { StoredLog } from '../../events/index.js';
import type { LogFacts } from '../audit/index/log_facts.js';
import type { LogIndex } from '../audit/index/log_index.js';
import { Timeline } from '../audit/timeline.js';
import type { MemoryKind } from '../events/guarded_memory.js';
import { nextBoundary, previousBoundary, returnOf } from './boundaries.js';
import { CauseWords } from './causes.js';
import { Journey } from './journey.js';
import { LogRows } from './log_rows.js';
import type { Pieces } from './pieces.js';
import type { Hit } from './stop.js';
import { Stops } from './stops.js';

/** How a single move of several ended. */
interface Moved {
  readonly hits: readonly Hit[];
  readonly isInterrupted: boolean;
}

/** Somebody on the way through a log: where they stand, what they stop at, the moments they have marked. */
export class Travel {
  readonly timeline: Timeline;
  readonly stops = new Stops();
  readonly causes: CauseWords;
  /** Moments by their number, which counts from 1. */
  readonly checkpoints = new Map<number, number>();
  /** The pfn behind the last one that was shown. */
  shownTo = 0;
  /** What the index knows of the blocks of the log. */
  readonly facts: LogFacts | undefined;
  readonly #journey: Journey;
  readonly #rows: LogRows;
  #lastCheckpoint = 0;

  /** @throws {P2mError} as `Timeline` */
  constructor(log: StoredLog, kind?: MemoryKind, index?: LogIndex) {
    this.timeline = new Timeline(log, kind, index);
    this.facts = index?.facts();
    this.causes = new CauseWords(log, this.timeline.form, this.timeline.memory, this.facts);
    this.#journey = new Journey(this.timeline, this.stops);
    this.#rows = new LogRows(log);
  }

  get log(): StoredLog {
    return this.timeline.log;
  }

  /** The moment: how many events have happened. */
  get at(): number {
    return this.timeline.at;
  }

  /** The moment as `goto` takes it: the last event that has happened. */
  get place(): string {
    return this.at === 0 ? 'start' : String(this.at - 1);
  }

  /** Looks what the log's writer has appended since. Returns how many events there are more. */
  reload(): number {
    const before = this.log.events;
    this.log.refresh();
    return this.log.events - before;
  }

  /** Events one by one. */
  step(count: number, forward: boolean): Pieces<string[]> {
    if (forward) this.#follow();
    const to = forward ? Math.min(this.log.events, this.at + count) : Math.max(0, this.at - count);
    return this.#told(this.#moves(1, () => instant(to)));
  }

  /** Over operations; a watch or breakpoint ends it. */
  next(count: number, forward: boolean): Pieces<string[]> {
    if (forward) this.#follow();
    const boundary = forward ? nextBoundary : previousBoundary;
    return this.#told(this.#moves(count, () => boundary(this.#rows, this.causes.calls, this.at)));
  }

  /** To a watch or a breakpoint, or to the end or the start of the log; past all but the last of `count`. */
  continue(count: number, forward: boolean): Pieces<string[]> {
    if (forward) this.#follow();
    return this.#told(this.#passes(count, forward ? this.log.events : 0));
  }

  /** Until the operation in hand, that of the last event, has returned. */
  finish(): Pieces<string[]> {
    this.#follow();
    const call = this.at === 0 ? undefined : this.causes.calls.of(this.at - 1);
    if (call === undefined || !this.causes.calls.at(this.at).some(({ op }) => op === call.op)) {
      return instant(['no operation in hand: the last event belongs to none, or was its return']);
    }
    return this.#told(this.#moves(1, () => returnOf(this.#rows, this.at, call.op)));
  }

  /** To a moment at once; nothing stops it. */
  jump(moment: number): string[] {
    this.#journey.jump(moment);
    return this.here();
  }

  /** Marks the moment. Returns the number of the mark. */
  mark(): number {
    this.checkpoints.set(++this.#lastCheckpoint, this.at);
    return this.#lastCheckpoint;
  }

  /** The last event that has happened, or that there is none. */
  here(): string[] {
    return [this.at === 0 ? 'start of the log: nothing has happened' : this.causes.line(this.at - 1)];
  }

  /** Who goes on at the end of a log that still grows goes on with what has come. */
  #follow(): void {
    if (this.at === this.log.events && this.log.end.kind !== 'closed') this.reload();
  }

  /** Up to `count` moves, each to where `targetOf` says; a hit ends them. */
  *#moves(count: number, targetOf: () => Pieces<number>): Pieces<Moved> {
    for (let i = 0; i < count; i++) {
      const before = this.at;
      const arrival = yield* this.#journey.to(yield* targetOf());
      if (arrival.kind === 'hit') return { hits: arrival.hits, isInterrupted: false };
      if (arrival.kind === 'interrupted') return { hits: [], isInterrupted: true };
      if (this.at === before) break;
    }
    return { hits: [], isInterrupted: false };
  }

  /** To the hit number `count` on the way to `moment`. */
  *#passes(count: number, moment: number): Pieces<Moved> {
    for (let left = count; ; left--) {
      const moved = yield* this.#moves(1, () => instant(moment));
      if (moved.hits.length === 0 || left <= 1) return moved;
    }
  }

  /** Moves, and says what was hit and what was passed last. */
  *#told(move: Pieces<Moved>): Pieces<string[]> {
    const before = this.at;
    const { hits, isInterrupted } = yield* move;
    const isForward = this.at > before;
    const lines = hits.map((hit) => this.#hitLine(hit, isForward));
    if (isInterrupted) lines.push('interrupted');
    if (this.at !== before)
      lines.push(isForward ? this.causes.line(this.at - 1) : `taken back: ${this.causes.line(this.at)}`);
    if (hits.length === 0 && this.at === 0) lines.push('start of the log');
    if (hits.length === 0 && this.at === this.log.events) lines.push(this.#endLine());
    return lines;
  }

  #hitLine({ stop, seq, change }: Hit, isForward: boolean): string {
    const by = this.causes.by(seq);
    if (stop.kind === 'break') return `breakpoint ${stop.id}: ${stop.name}: ${by}${isForward ? '' : ' taken back'}`;
    const { from, to } = change!;
    const { value } = stop;
    const how = isForward ? `set by ${by}` : `taken back: ${by}`;
    return `watch ${stop.id}: ${value.name}: ${value.format(from)} -> ${value.format(to)}, ${how}`;
  }

  #endLine(): string {
    const { kind } = this.log.end;
    const how =
      kind === 'closed' ? '' : kind === 'open' ? ', which its writer has not closed' : ', which is torn behind it';
    return `end of the log${how}`;
  }
}

/** Work that is done already. */
function* instant<T>(value: T): Pieces<T> {
  return value;
}
