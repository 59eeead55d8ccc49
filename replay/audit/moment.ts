import { Clock, CLOCKS, KINDS, usageError, type EventBatch, type StoredLog } from '../../events/index.js';

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
 * @throws {P2mError} code `usage`: the log has no such event, or no times of this kind
 */
export function resolveMoment(log: StoredLog, moment: Moment): number {
  if (moment.kind === 'seq') return seqIn(log, moment) + 1;
  return endOf(log, moment, 0);
}

/**
 * Number of the first event from the moment on: event N itself; of a time, the event after the last one whose operation
 * began before it.
 * @throws {P2mError} as `resolveMoment`
 */
export function resolveSince(log: StoredLog, moment: Moment): number {
  if (moment.kind === 'seq') return seqIn(log, moment);
  return endOf(log, moment, 1);
}

/** The clock of the log's times; undefined where it has none. */
export function logClock(log: StoredLog): LogClock | undefined {
  for (let block = 0; block < log.blocks; block++) {
    const batch = log.read(block);
    for (let i = 0; i < batch.length; i++) {
      if (!isTimed(batch, i)) continue;
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
function endOf(log: StoredLog, moment: Moment, before: 0 | 1): number {
  if (moment.kind === 'start' || moment.kind === 'seq') return 0;
  if (moment.kind === 'end') return log.events;
  const clock = logClock(log);
  if (clock === undefined) {
    throw usageError(`${log.name} has no times`, {
      got: moment.text,
      expected: 'start, end or the number of an event',
    });
  }
  return lastUntil(log, clock.clock, timeOf(moment, clock) - before);
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
function lastUntil(log: StoredLog, clock: number, time: number): number {
  const open = new Map<number, boolean>();
  let end = 0;
  let isWithin = true;
  for (let block = 0; block < log.blocks; block++) {
    const batch = log.read(block);
    const start = log.seqOf(block);
    for (let i = 0; i < batch.length; i++) {
      const op = batch.op[i]!;
      if (isTimed(batch, i) && batch.a[i] === clock) open.set(op, originTime(batch, i) <= time);
      isWithin = open.get(op) ?? isWithin;
      if (batch.kind[i] === RETURN) open.delete(op);
      if (isWithin) end = start + i + 1;
    }
  }
  return end;
}

function isTimed(batch: EventBatch, i: number): boolean {
  return batch.kind[i] === ORIGIN && batch.a[i] !== Clock.none;
}
