import { Clock, CLOCKS, KINDS, usageError, type EventBatch, type StoredLog } from '../../events/index.js';
import type { LogFacts } from './index/log_facts.js';

/**
 * A moment of a log, as people write it:
 *
 *     start, end      before the first event, after the last
 *     1234            right after event 1234
 *     12.345s         that long after the first operation whose time the log has
 *     @87.520279      that time of the trace, or @1077 where its clock is a counter
 *
 * `seconds` and `nanos` are the digits around the point, for a counter the number is `seconds`.
 */
export type Moment =
  | { readonly kind: 'start'; readonly text: string }
  | { readonly kind: 'end'; readonly text: string }
  | { readonly kind: 'seq'; readonly seq: number; readonly text: string }
  | TimeMoment;

interface TimeMoment {
  readonly kind: 'elapsed' | 'time';
  readonly seconds: number;
  readonly nanos: number;
  /** Whether it was written without a point. */
  readonly isWhole: boolean;
  readonly text: string;
}

/** The clock of a log's times, and its first: a time of another clock in the same log says nothing. */
export interface LogClock {
  /** `ns` or `counter`. */
  readonly clock: number;
  readonly first: number;
  /** Number of the event that says it. */
  readonly seq: number;
}

const ORIGIN = KINDS.origin.id;
const RETURN = KINDS.return.id;
const NO_OP = 0;
const NS = 1e9;
const TWO_32 = 2 ** 32;
const EXPECTED =
  'start, end, an event such as 1234, a time from the start such as 12.345s, or a timestamp such as @87.520279';

/** Reads a moment. @throws {P2mError} code `usage`: the text is none */
export function parseMoment(text: string): Moment {
  if (text === 'start') return { kind: 'start', text };
  if (text === 'end') return { kind: 'end', text };
  const match = /^(@?)(\d+)(?:\.(\d{1,9}))?(s?)$/.exec(text);
  const [, at, digits, fraction, unit] = match ?? [];
  const isTime = at === '@';
  if (digits === undefined || (isTime && unit === 's') || (!isTime && unit === '' && fraction !== undefined)) {
    throw usageError('bad moment', { got: JSON.stringify(text), expected: EXPECTED });
  }
  const number = Number(digits);
  if (!Number.isSafeInteger(number)) throw usageError('moment out of range', { got: text, expected: 'below 2^53' });
  if (!isTime && unit === '') return { kind: 'seq', seq: number, text };
  const nanos = Number((fraction ?? '').padEnd(9, '0'));
  return { kind: isTime ? 'time' : 'elapsed', seconds: number, nanos, isWhole: fraction === undefined, text };
}

/**
 * The moment as a number of events that have happened, 0 to `log.events`: event N, and all before it; of a time all events
 * up to the last one whose operation began at that time or before it. An event without a time counts to what stands before
 * it, what stands before all times is before any.
 * @param facts what an index of the log knows of its blocks: the rest is gone through
 * @throws {P2mError} code `usage`: the log has no such event, or no times of this kind
 */
export function resolveMoment(log: StoredLog, moment: Moment, facts?: LogFacts): number {
  if (moment.kind === 'seq') return seqIn(log, moment) + 1;
  return endOf(log, moment, 0, facts);
}

/**
 * Number of the first event from the moment on: event N itself; of a time, the event after the last one whose operation
 * began before it.
 * @throws {P2mError} as `resolveMoment`
 */
export function resolveSince(log: StoredLog, moment: Moment, facts?: LogFacts): number {
  if (moment.kind === 'seq') return seqIn(log, moment);
  return endOf(log, moment, 1, facts);
}

/** The clock of the log's times; undefined where it has none. */
export function logClock(log: StoredLog, facts?: LogFacts): LogClock | undefined {
  if (facts?.clock !== undefined) return facts.clock;
  for (let block = facts?.blocks ?? 0; block < log.blocks; block++) {
    const batch = log.read(block);
    for (let i = 0; i < batch.length; i++) {
      if (!isTimedOrigin(batch, i)) continue;
      return { clock: batch.a[i]!, first: originTime(batch, i), seq: log.seqOf(block) + i };
    }
  }
  return undefined;
}

/** When the operation of event `i`, an `origin`, began: in nanoseconds or what the counter counts, below 2^53. */
export function originTime(batch: EventBatch, i: number): number {
  return batch.c[i]! * TWO_32 + (batch.b[i]! >>> 0);
}

/** A time as the trace has it, to be written behind an `@`: `87.520279`, in nanoseconds where it has such; `1077`. */
export function timeText(clock: number, time: number): string {
  if (clock !== Clock.ns) return String(time);
  const nanos = String(time % NS).padStart(9, '0');
  return `${Math.floor(time / NS)}.${nanos.endsWith('000') ? nanos.slice(0, 6) : nanos}`;
}

function seqIn(log: StoredLog, { seq }: { readonly seq: number }): number {
  if (seq < log.events) return seq;
  const expected = log.events === 0 ? 'an event, but there are none' : `at most ${log.events - 1}`;
  throw usageError(`no such event in ${log.name}`, { got: String(seq), expected });
}

/** The end of the events up to the moment, `before` ticks earlier. */
function endOf(log: StoredLog, moment: Moment, before: 0 | 1, facts: LogFacts | undefined): number {
  if (moment.kind === 'start' || moment.kind === 'seq') return 0;
  if (moment.kind === 'end') return log.events;
  const clock = logClock(log, facts);
  if (clock === undefined) {
    throw usageError(`${log.name} has no times`, {
      got: moment.text,
      expected: 'start, end or the number of an event',
    });
  }
  return lastUntil(log, clock.clock, timeOf(moment, clock) - before, facts);
}

function timeOf(moment: TimeMoment, { clock, first }: LogClock): number {
  const { kind, seconds, nanos, isWhole, text } = moment;
  const isNs = clock === Clock.ns;
  if (!isNs && (kind === 'elapsed' || !isWhole)) {
    const expected = `@NUMBER such as @${first}: the clock of the log is a ${CLOCKS[clock]}`;
    throw usageError('no such time', { got: text, expected });
  }
  const time = (kind === 'elapsed' ? first : 0) + (isNs ? seconds * NS + nanos : seconds);
  if (!Number.isSafeInteger(time)) throw usageError('time out of range', { got: text, expected: 'below 2^53 ns' });
  return time;
}

/** The moment after the last event of an operation that began at `time` or before. */
function lastUntil(log: StoredLog, clock: number, time: number, facts: LogFacts | undefined): number {
  const known = facts?.blocks ?? 0;
  const end = lastUntilIn(log, known, log.blocks, clock, time, facts);
  if (end >= 0) return end;
  for (let block = known - 1; block >= 0; block--) {
    if (facts!.leastTime(block) <= time) return lastUntilIn(log, block, block + 1, clock, time, facts);
  }
  return 0;
}

/** The same, of events in blocks [start, blockEnd); -1: none. */
function lastUntilIn(
  log: StoredLog,
  start: number,
  blockEnd: number,
  clock: number,
  time: number,
  facts: LogFacts | undefined,
): number {
  if (start === blockEnd) return -1;
  const times = new EventTimes(clock);
  facts?.tellBefore(
    start,
    (batch, i) => times.note(batch, i),
    (before) => times.begin(before),
  );
  let end = -1;
  for (let block = start; block < blockEnd; block++) {
    const batch = log.read(block);
    const first = log.seqOf(block);
    for (let i = 0; i < batch.length; i++) if (times.note(batch, i) <= time) end = first + i + 1;
  }
  return end;
}

/** The time that each event counts to, told event by event. */
class EventTimes {
  readonly #clock: number;
  readonly #open = new Map<number, number>();
  #now = -Infinity;

  constructor(clock: number) {
    this.#clock = clock;
  }

  /** The event before the next one counts to that time. */
  begin(time: number): void {
    this.#now = time;
  }

  /** The time that event `i` counts to; -Infinity: it is before all times. */
  note(batch: EventBatch, i: number): number {
    const op = batch.op[i]!;
    if (op === NO_OP) return this.#now;
    if (isTimedOrigin(batch, i) && batch.a[i] === this.#clock) this.#open.set(op, originTime(batch, i));
    this.#now = this.#open.get(op) ?? this.#now;
    if (batch.kind[i] === RETURN) this.#open.delete(op);
    return this.#now;
  }
}

/** Whether event `i` says when its operation began. */
export function isTimedOrigin(batch: EventBatch, i: number): boolean {
  return batch.kind[i] === ORIGIN && batch.a[i] !== Clock.none && batch.op[i] !== NO_OP;
}
