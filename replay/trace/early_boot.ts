import { BodyKind, EventBody } from './event_body.js';
import { ArgKey, TraceNames, type TraceLine } from './trace_line.js';
import { readDecimal, readNumber } from './trace_number.js';
import { type LineDecoder, LineFault, LineKind } from './trace_reader.js';
import { isDigit, textOf } from './trace_text.js';

/**
 * The log of the calls of the early boot, written by a debugger: number, CPU, function, return address, arguments.
 * Every line is the entry of a function; there are no returns, tasks and times. A number that is missing is a call
 * that is missing. Comments tell what the kernel's variables held there.
 *
 *     5 cpu0 xen_vmalloc_p2m_tree: caller=0xffffffff830848d7
 *     # xen_p2m_addr=0x8000000000 xen_p2m_size=0x20000 xen_max_p2m_pfn=0x20461
 *     6 cpu0 set_phys_to_machine: caller=0xffffffff83082262 pfn=0x20000 mfn=0xffffffffffffffff
 */

const BLANK = 0x20;
const HASH = 0x23;
const CPU = [0x63, 0x70, 0x75];

const NOTE_KEYS = ['xen_p2m_addr', 'xen_p2m_size', 'xen_max_p2m_pfn'] as const;
const NOTE_ARG = new RegExp(`(?<=\\s)(${NOTE_KEYS.join('|')})=(0x[0-9a-f]+|[0-9]+)(?=\\s|$)`, 'gi');

/** Decodes the call log of the early boot. */
export class EarlyBootDecoder implements LineDecoder {
  readonly format = 'early-boot call log';
  readonly summary = undefined;
  readonly fault = new LineFault();
  readonly names: TraceNames;
  readonly #body: EventBody;
  /** The empty name. */
  readonly #task: number;
  #lastCall = 0;
  readonly #hi = new Uint32Array(1);
  readonly #lo = new Uint32Array(1);

  constructor(names = new TraceNames()) {
    this.names = names;
    this.#body = new EventBody(names, this.fault);
    this.#task = names.tasks.intern(new Uint8Array(0), 0, 0);
  }

  /** The calls of one boot are few: each is parsed. */
  readKnown(): number {
    return -1;
  }

  decode(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    if (start < end && bytes[start] === HASH) return this.#note(bytes, start, end, line);
    if (start < end && isDigit(bytes[start]!)) return this.#call(bytes, start, end, line);
    if (textOf(bytes, start, end).trim() === '') return LineKind.skip;
    return this.#bad(`not a line of an ${this.format}`, start, 'NUMBER cpuN FUNCTION: ARGUMENTS');
  }

  #call(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    const numberEnd = readDecimal(bytes, start, end, this.#hi, this.#lo, 0);
    const call = numberEnd < 0 ? Infinity : this.#hi[0]! * 0x1_0000_0000 + this.#lo[0]!;
    if (call > Number.MAX_SAFE_INTEGER) return this.#bad('bad call number', start, 'decimal, below 2^53');
    line.timeHi = this.#hi[0]!;
    line.timeLo = this.#lo[0]!;
    const cpuEnd = this.#readCpu(bytes, numberEnd, end);
    if (cpuEnd < 0) return this.#bad('bad CPU', Math.min(numberEnd + 1, end), 'cpu0, cpu1 ... behind the number');
    if (call <= this.#lastCall) {
      const expected = `a number above ${this.#lastCall}, that of the call before`;
      return this.#bad('call number out of order', start, expected);
    }
    line.cpu = this.#lo[0]!;
    line.pid = 0;
    line.task = this.#task;
    const kind = this.#body.parse(bytes, cpuEnd, end, line);
    if (kind === BodyKind.unnamed) return this.#bad('no function', Math.min(cpuEnd + 1, end), 'a name and ":"');
    if (kind === BodyKind.bad) return LineKind.bad;
    line.call = call;
    line.lost = call - this.#lastCall - 1;
    this.#lastCall = call;
    return LineKind.event;
  }

  /** Reads ` cpuN ` at `at` into `#lo`; the index behind the number, or -1. */
  #readCpu(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end || bytes[at] !== BLANK || CPU.some((byte, i) => bytes[at + 1 + i] !== byte)) return -1;
    const next = readDecimal(bytes, at + 1 + CPU.length, end, this.#hi, this.#lo, 0);
    return next < end && bytes[next] === BLANK && this.#hi[0] === 0 ? next : -1;
  }

  /** A comment is free text: what does not read as one of the variables is passed over. */
  #note(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind {
    line.args = 0;
    for (const [, name, value] of textOf(bytes, start, end).matchAll(NOTE_ARG)) {
      const key = ArgKey[name as (typeof NOTE_KEYS)[number]];
      const digits = new TextEncoder().encode(value);
      const read = readNumber(digits, 0, digits.length, line.hi, line.lo, key);
      if (read === digits.length) line.args |= 1 << key;
    }
    return LineKind.note;
  }

  #bad(what: string, at: number, expected: string): LineKind {
    this.fault.set(what, at, expected);
    return LineKind.bad;
  }
}
