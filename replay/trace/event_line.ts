import { BodyKind, EventBody } from './event_body.js';
import { HeadTable } from './line_shape.js';
import { TraceNames, type TraceLine } from './trace_line.js';
import { readDecimal, readHex } from './trace_number.js';
import { type LineDecoder, LineFault, LineKind, type LogSummary } from './trace_reader.js';
import { blanks, isDigit } from './trace_text.js';

/**
 * What ftrace text, trace-cmd report and perf script have in common: a line is a head, a time and an event.
 *
 *         xen-balloon-41      [000] .....    87.520279: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0xa8fb
 *     [-- head: task, CPU, flags --------][--- time --][- name           -][- arguments ...
 *
 * A task's name may hold anything, blanks, dashes, colons and brackets too, so the head is found from its right end:
 * digits in brackets, before them a pid, behind them a time. Most lines have the head of a line before, byte for byte:
 * it is compared, not parsed again.
 */

const BLANK = 0x20;
const HASH = 0x23;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const LOWER_X = 0x78;

/** Columns of flags that a kernel may print. */
const FLAGS_MAX = 8;

/** So many decimal digits are less than 2^30. */
const SHORT_DIGITS = 9;

/** Decodes lines of events. A log's names are in `names`, which decoders of several logs may share. */
export abstract class EventLineDecoder implements LineDecoder {
  abstract readonly format: string;
  /** What a line looks like, for messages. */
  protected abstract readonly lineShape: string;
  readonly fault = new LineFault();
  readonly names: TraceNames;

  readonly #heads = new HeadTable();
  readonly #body: EventBody;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #hi = new Uint32Array(1);
  readonly #lo = new Uint32Array(1);

  constructor(names = new TraceNames()) {
    this.names = names;
    this.#body = new EventBody(names, this.fault);
  }

  get summary(): LogSummary | undefined {
    return undefined;
  }

  readKnown(bytes: Uint8Array, start: number, end: number, line: TraceLine): number {
    const view = this.#viewOf(bytes);
    const head = this.#heads.match(view, start, end, line);
    if (head < 0) return -1;
    const body = this.readTime(bytes, head, end, line);
    return body < 0 ? -1 : this.#body.match(bytes, view, body, end, line);
  }

  decode(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const known = this.#heads.match(this.#viewOf(bytes), start, end, line);
    const body = known < 0 ? -1 : this.readTime(bytes, known, end, line);
    if (body >= 0) return this.#event(bytes, body, end, line);
    if (start === end) return LineKind.skip;
    if (bytes[start] === HASH) return this.comment(bytes, start, end, line);
    const head = this.#readHead(bytes, start, end, line);
    if (head < 0) return this.other(bytes, start, end, line);
    this.#heads.learn(bytes, start, head, line);
    return this.#event(bytes, this.readTime(bytes, head, end, line), end, line);
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#view;
  }

  /** Reads the task and pid that end before `at`, blanks between, into `line`; false where they do not stand there. */
  protected abstract readTask(bytes: Uint8Array, start: number, at: number, line: TraceLine): boolean;

  /** Reads a head without a CPU in brackets; the index behind it, where blanks and a time follow, or -1. */
  protected readBareHead(_bytes: Uint8Array, _start: number, _end: number, _line: TraceLine): number {
    return -1;
  }

  /** The index of the event in what stands behind the time. */
  protected eventAt(bytes: Uint8Array, at: number, end: number): number {
    return blanks(bytes, at, end);
  }

  /** A line that begins with #. */
  protected comment(_bytes: Uint8Array, _start: number, _end: number, _line: TraceLine): LineKind {
    return LineKind.skip;
  }

  /** A line with head and time, whose event at `at` has no name. */
  protected unnamed(_bytes: Uint8Array, at: number, _end: number, _line: TraceLine): LineKind {
    return this.bad('no event', at, 'an event name and ":"');
  }

  /** A line that is no event. Off the hot path. */
  protected other(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    return this.explain(bytes, start, end, line);
  }

  /** Makes `line` an event of ftrace's own, which has no arguments that are read. */
  protected setEvent(name: string, at: number, line: TraceLine): LineKind {
    this.#body.set(name, at, line);
    return LineKind.event;
  }

  protected bad(what: string, at: number, expected: string): LineKind {
    this.fault.set(what, at, expected);
    return LineKind.bad;
  }

  /** Says which part of the line is not as it should be. */
  protected explain(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    for (let i = start; i < end; i++) {
      const after = this.#readCpu(bytes, start, i, end, line);
      if (after < 0) continue;
      let at = blanks(bytes, after, end);
      if (at < end && !isDigit(bytes[at]!)) {
        const flags = at;
        while (at < end && bytes[at] !== BLANK) at++;
        if (at - flags > FLAGS_MAX) return this.bad('bad flags', flags, `at most ${FLAGS_MAX} characters, then a time`);
        at = blanks(bytes, at, end);
      }
      return this.bad('bad time', at, 'seconds such as 87.520279: or a counter such as 1077:');
    }
    return this.bad(`not a line of ${this.format}`, blanks(bytes, start, end), this.lineShape);
  }

  /** Reads decimal digits below 2^32 that end before `end`; -1 where there are none. */
  protected readSmall(bytes: Uint8Array, at: number, end: number): number {
    const next = end - at <= 9 ? readDecimal(bytes, at, end, this.#hi, this.#lo, 0) : -1;
    return next === end ? this.#lo[0]! : -1;
  }

  /** Reads blanks and a time with its colon into `line`; the index behind the colon, or -1 where there is no time. */
  protected readTime(bytes: Uint8Array, from: number, end: number, line: TraceLine): number {
    const at = blanks(bytes, from, end);
    const shortEnd = at + SHORT_DIGITS < end ? at + SHORT_DIGITS : end;
    let i = at;
    let whole = 0;
    for (; i < shortEnd && isDigit(bytes[i]!); i++) whole = whole * 10 + (bytes[i]! - ZERO);
    if (i === at) return -1;
    line.timeHi = 0;
    line.timeLo = whole;
    if (i === shortEnd || bytes[i] === LOWER_X) {
      i = this.#readLongTime(bytes, at, end, line);
      if (i < 0) return -1;
    }
    let fraction = 0;
    let digits = 0;
    if (i < end && bytes[i] === DOT) {
      for (i++; i < end && digits < 9 && isDigit(bytes[i]!); i++, digits++)
        fraction = fraction * 10 + (bytes[i]! - ZERO);
      if (digits === 0) return -1;
    }
    line.timeFraction = fraction;
    line.timeDigits = digits;
    return i < end && bytes[i] === COLON ? i + 1 : -1;
  }

  /** A counter of many digits, or in hexadecimal. */
  #readLongTime(bytes: Uint8Array, at: number, end: number, line: TraceLine): number {
    const isHex = at + 1 < end && bytes[at + 1] === LOWER_X;
    const next = isHex
      ? readHex(bytes, at + 2, end, this.#hi, this.#lo, 0)
      : readDecimal(bytes, at, end, this.#hi, this.#lo, 0);
    line.timeHi = this.#hi[0]!;
    line.timeLo = this.#lo[0]!;
    return next;
  }

  #readHead(bytes: Uint8Array, start: number, end: number, line: TraceLine): number {
    for (let i = start; i < end; i++) {
      const after = this.#readCpu(bytes, start, i, end, line);
      if (after < 0) continue;
      const head = afterFlags(bytes, after, end);
      if (head >= 0 && this.readTime(bytes, head, end, line) >= 0) return head;
    }
    return this.readBareHead(bytes, start, end, line);
  }

  /** Reads task, pid and CPU around the bracket at `bracket`; the index after `]`, or -1 where it is not the CPU's. */
  #readCpu(bytes: Uint8Array, start: number, bracket: number, end: number, line: TraceLine): number {
    if (bytes[bracket] !== BRACKET_OPEN) return -1;
    let close = bracket + 1;
    while (close < end && isDigit(bytes[close]!)) close++;
    if (close === end || bytes[close] !== BRACKET_CLOSE) return -1;
    const cpu = this.readSmall(bytes, bracket + 1, close);
    if (cpu < 0 || !this.readTask(bytes, start, bracket, line)) return -1;
    line.cpu = cpu;
    return close + 1;
  }

  /** Reads the event's name and its arguments; `at` is behind the colon of the time. */
  #event(bytes: Uint8Array, at: number, end: number, line: TraceLine): LineKind {
    const event = this.eventAt(bytes, at, end);
    const kind = this.#body.parse(bytes, event, end, line);
    if (kind === BodyKind.unnamed) return this.unnamed(bytes, event, end, line);
    if (kind === BodyKind.bad) return LineKind.bad;
    this.#body.learn(bytes, at, end, line);
    return LineKind.event;
  }
}

/** The index after the flags behind the CPU at `at`, or `at` where there are none; -1 where that is no beginning. */
function afterFlags(bytes: Uint8Array, at: number, end: number): number {
  const first = blanks(bytes, at, end);
  if (first === at || first === end) return -1;
  let i = first;
  while (i < end && bytes[i] !== BLANK) i++;
  if (bytes[i - 1] === COLON) return at;
  return i - first <= FLAGS_MAX && i < end ? i : -1;
}
