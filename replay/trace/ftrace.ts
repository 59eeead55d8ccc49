import { HeadTable, ShapeTable } from './line_shape.js';
import { ArgSpans, readProbeArgs, readTracepointArgs } from './trace_args.js';
import { KNOWN_EVENTS, LOST_UNKNOWN, PROBES_END, type TraceLine, TraceNames } from './trace_line.js';
import { readDecimal, readHex } from './trace_number.js';
import { type LineDecoder, LineFault, LineKind } from './trace_reader.js';

/**
 * The text of /sys/kernel/tracing/trace and trace_pipe:
 *
 *     # entries-in-buffer/entries-written: 24576/24576   #P:2
 *     #           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
 *          xen-balloon-41      [000] .....    87.520279: set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0xa8fb
 *         [-- head: TASK-PID, (TGID), [CPU] --][flags, time][name           ][ arguments ...
 *     CPU:1 [LOST 123 EVENTS]
 *
 * TASK may hold anything, blanks, dashes, colons and brackets too, so the head is found from its right end: digits in
 * brackets, before them a pid, behind them a time. Flags have 0 to 8 columns and TGID is there or not, as the kernel's
 * options say. Most lines have the head of the line before, byte for byte: it is compared, not parsed again.
 */

const BLANK = 0x20;
const HASH = 0x23;
const OPEN = 0x28;
const CLOSE = 0x29;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LESS = 0x3c;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const LOWER_X = 0x78;

const FLAGS_MAX = 8;
const LINE_SHAPE = 'TASK-PID [CPU] FLAGS TIME: EVENT: ...';

/** What the `entries-in-buffer/entries-written` lines of a log say; sums where there are several (logs put together). */
export interface FtraceHeader {
  entriesInBuffer: number;
  entriesWritten: number;
  /** CPUs of the machine (`#P:2`), of the last header. */
  cpus: number;
  /** How many headers there were. */
  count: number;
}

/** Decodes ftrace text. A log's names are in `names`, which decoders of several logs may share. */
export class FtraceDecoder implements LineDecoder {
  readonly format = 'ftrace text';
  readonly fault = new LineFault();
  readonly names: TraceNames;
  #header: FtraceHeader | undefined;

  readonly #heads = new HeadTable();
  readonly #shapes = new ShapeTable();
  readonly #spans = new ArgSpans();
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  readonly #hi = new Uint32Array(1);
  readonly #lo = new Uint32Array(1);

  constructor(names = new TraceNames()) {
    this.names = names;
  }

  /** The header's counts: `undefined` where the log has none (trace_pipe), or none yet. */
  get header(): Readonly<FtraceHeader> | undefined {
    return this.#header;
  }

  decode(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const headEnd = this.#heads.match(this.#view, start, end, line);
    if (headEnd >= 0) {
      const body = this.#stamp(bytes, blanks(bytes, headEnd, end), end, line);
      if (body >= 0) {
        if (this.#shapes.match(bytes, this.#view, body, end, line)) return LineKind.event;
        return this.#event(bytes, body, end, line);
      }
    }
    if (start === end) return LineKind.skip;
    if (bytes[start] === HASH) return this.#comment(line);
    for (let i = start; i < end; i++) {
      if (bytes[i] !== BRACKET_OPEN) continue;
      const after = this.#readHead(bytes, start, i, end, line);
      if (after < 0) continue;
      const headEnd = this.#afterFlags(bytes, after, end);
      if (headEnd < 0) continue;
      const body = this.#stamp(bytes, blanks(bytes, headEnd, end), end, line);
      if (body < 0) continue;
      this.#heads.learn(bytes, start, headEnd, line);
      return this.#event(bytes, body, end, line);
    }
    return this.#other(bytes, start, end, line);
  }

  /** Reads task, pid and CPU around the bracket at `bracket`; the index after `]`, or -1 where it is not the CPU's. */
  #readHead(bytes: Uint8Array, start: number, bracket: number, end: number, line: TraceLine): number {
    const cpuEnd = readDecimal(bytes, bracket + 1, end, this.#hi, this.#lo, 0);
    if (cpuEnd < 0 || cpuEnd >= end || bytes[cpuEnd] !== BRACKET_CLOSE) return -1;
    const cpu = this.#lo[0]!;
    let i = blanksBack(bytes, start, bracket);
    if (i > start && bytes[i - 1] === CLOSE) {
      // (TGID), which is "(-------)" where it is not known; only behind a pid, so what it holds need not be looked at.
      while (i > start && bytes[i - 1] !== OPEN) i--;
      if (i === start) return -1;
      i = blanksBack(bytes, start, i - 1);
    }
    const pidEnd = i;
    while (i > start && isDigit(bytes[i - 1]!)) i--;
    if (i === pidEnd || pidEnd - i > 9 || i === start || bytes[i - 1] !== MINUS) return -1;
    readDecimal(bytes, i, pidEnd, this.#hi, this.#lo, 0);
    let task = start;
    while (task < i - 1 && bytes[task] === BLANK) task++;
    // A hole in the file is no name, though names may hold nearly anything.
    if (bytes.subarray(task, i - 1).includes(0)) return -1;
    line.cpu = cpu;
    line.pid = this.#lo[0]!;
    line.task = this.names.tasks.intern(bytes, task, i - 1);
    return cpuEnd + 1;
  }

  /** The index after the flags behind the CPU at `at`, or `at` where there are none; -1 where that is no beginning. */
  #afterFlags(bytes: Uint8Array, at: number, end: number): number {
    const first = blanks(bytes, at, end);
    if (first === at || first === end) return -1;
    let i = first;
    while (i < end && bytes[i] !== BLANK) i++;
    if (bytes[i - 1] === COLON) return at;
    return i - first <= FLAGS_MAX && i < end ? i : -1;
  }

  #stamp(bytes: Uint8Array, at: number, end: number, line: TraceLine): number {
    if (at >= end || !isDigit(bytes[at]!)) return -1;
    const hex = at + 1 < end && bytes[at + 1] === LOWER_X;
    let i = hex
      ? readHex(bytes, at + 2, end, this.#hi, this.#lo, 0)
      : readDecimal(bytes, at, end, this.#hi, this.#lo, 0);
    if (i < 0) return -1;
    line.timeHi = this.#hi[0]!;
    line.timeLo = this.#lo[0]!;
    let fraction = 0;
    let digits = 0;
    if (i < end && bytes[i] === DOT && !hex) {
      for (i++; i < end && digits < 9 && isDigit(bytes[i]!); i++, digits++)
        fraction = fraction * 10 + (bytes[i]! - ZERO);
      if (digits === 0) return -1;
    }
    line.timeFraction = fraction;
    line.timeDigits = digits;
    return i < end && bytes[i] === COLON ? i + 1 : -1;
  }

  /** Reads the event's name and its arguments; `at` is behind the colon of the time. */
  #event(bytes: Uint8Array, at: number, end: number, line: TraceLine): LineKind {
    const name = blanks(bytes, at, end);
    let i = name;
    while (i < end && bytes[i] !== COLON && bytes[i] !== BLANK) i++;
    const named = i < end && bytes[i] === COLON && i > name && (i + 1 === end || bytes[i + 1] === BLANK);
    if (!named) return this.#unnamed(bytes, name, end, line);
    let event = this.names.events.find(bytes, name, i);
    if (event < 0) {
      for (let k = name; k < i; k++)
        if (!isNameByte(bytes[k]!)) return this.#bad('bad event name', name, 'letters, digits and _');
      event = this.names.events.intern(bytes, name, i);
    }
    line.event = event;
    if (event < KNOWN_EVENTS) {
      const read = event < PROBES_END ? readProbeArgs : readTracepointArgs;
      if (!read(bytes, i + 1, end, line, this.#spans, this.fault)) return LineKind.bad;
      this.#shapes.learn(bytes, at, end, line, this.#spans);
      return LineKind.event;
    }
    line.args = 0;
    line.placeStart = line.placeEnd = i;
    return LineKind.event;
  }

  /** Two events of ftrace's own print no name: `callee <-caller` of the function tracer, and stack traces. */
  #unnamed(bytes: Uint8Array, at: number, end: number, line: TraceLine): LineKind {
    const body = text(bytes, at, end);
    if (!/^(<(user )?stack trace>|\S+ +<-\S+( \[\S+\])?)\s*$/.test(body)) {
      return this.#bad('no event', at, 'an event name and ":"');
    }
    const name = new TextEncoder().encode(
      bytes[at] !== LESS ? 'function' : body.includes('user') ? 'user_stack' : 'kernel_stack',
    );
    line.event = this.names.events.intern(name, 0, name.length);
    line.args = 0;
    line.placeStart = line.placeEnd = at;
    return LineKind.event;
  }

  #comment(line: TraceLine): LineKind {
    const { bytes, start, end } = line;
    const comment = text(bytes, start, end);
    if (!comment.startsWith('# entries-in-buffer/entries-written:')) return LineKind.skip;
    const match = /: (\d{1,15})\/(\d{1,15})\s+#P:(\d{1,6})\s*$/.exec(comment);
    if (match === null) {
      return this.#bad('bad header', start, '# entries-in-buffer/entries-written: N/N   #P:N');
    }
    const [entriesInBuffer, entriesWritten] = [Number(match[1]), Number(match[2])];
    if (entriesInBuffer > entriesWritten) {
      return this.#bad('bad header', start, 'at most as many entries in the buffer as were written');
    }
    const header = this.#header ?? { entriesInBuffer: 0, entriesWritten: 0, cpus: 0, count: 0 };
    header.entriesInBuffer += entriesInBuffer;
    header.entriesWritten += entriesWritten;
    header.cpus = Number(match[3]);
    header.count++;
    this.#header = header;
    return LineKind.skip;
  }

  /** Lines that are no event, off the hot path: losses, the lines of a stack trace, blank lines; else it is bad. */
  #other(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const whole = text(bytes, start, end);
    const loss = /^CPU:(\d{1,6}) \[LOST (?:(\d{1,15}) )?EVENTS\]\s*$/.exec(whole);
    if (loss !== null) {
      line.cpu = Number(loss[1]);
      line.lost = loss[2] === undefined ? LOST_UNKNOWN : Number(loss[2]);
      return LineKind.loss;
    }
    if (/^\s*$/.test(whole)) return LineKind.skip;
    if (/^ => \S/.test(whole) && this.#isStack(line.event)) return LineKind.skip;
    return this.#explain(bytes, start, end, line);
  }

  #isStack(event: number): boolean {
    const name = this.names.events.name(event);
    return name === 'kernel_stack' || name === 'user_stack';
  }

  /** Finds the part of the line that is not as it should be. */
  #explain(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    for (let i = start; i < end; i++) {
      if (bytes[i] !== BRACKET_OPEN) continue;
      const after = this.#readHead(bytes, start, i, end, line);
      if (after < 0) continue;
      let at = blanks(bytes, after, end);
      if (at < end && !isDigit(bytes[at]!)) {
        const flags = at;
        while (at < end && bytes[at] !== BLANK) at++;
        if (at - flags > FLAGS_MAX)
          return this.#bad('bad flags', flags, `at most ${FLAGS_MAX} characters, then a time`);
        at = blanks(bytes, at, end);
      }
      return this.#bad('bad time', at, 'seconds such as 87.520279: or a counter such as 1077:');
    }
    return this.#bad(`not a line of ${this.format}`, blanks(bytes, start, end), LINE_SHAPE);
  }

  #bad(what: string, at: number, expected: string): LineKind {
    this.fault.set(what, at, expected);
    return LineKind.bad;
  }
}

function blanks(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i] === BLANK) i++;
  return i;
}

function blanksBack(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && bytes[i - 1] === BLANK) i--;
  return i;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Letters, digits, and the marks of symbols (`func.part.0`, `group:event`). */
function isNameByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x2b && byte <= COLON && byte !== 0x2c) || byte === 0x5f;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return new TextDecoder().decode(bytes.subarray(start, end));
}
