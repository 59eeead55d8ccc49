import { NameTable } from './name_table.js';
import type { LineFault } from './trace_reader.js';
import { ArgKey, argName, type TraceLine } from './trace_line.js';
import { readHex, readNumber } from './trace_number.js';

/**
 * The arguments behind an event's name, in the two manners of the kernel:
 *
 *     probe       (set_phys_to_machine+0x14/0x40 <- __set_phys_to_machine) pfn=0xa8fb mfn=18446744073709551615 ret=-12
 *     tracepoint  mm 000000002055d847  pfn d0e  level 3  pinned       ptep ffff.. pteval 80..63 (raw 80..63)
 *
 * A tracepoint's numbers are hexadecimal, and only user space's own formatting (trace-cmd, perf) gives pointers a 0x. Keys that `ArgKey` does not name are passed over, whatever they
 * hold (`caller=gntdev_map+0x15d/0x3f0 [xen_gntdev]`, `comm="a b"`); a key it names must have a number.
 */

const KEYS: readonly (readonly [name: string, key: ArgKey])[] = [
  ...(Object.keys(ArgKey) as (keyof typeof ArgKey)[])
    .filter((name) => name !== 'entryp' && name !== 'entryval')
    .map((name) => [name, ArgKey[name]] as const),
  ...['ptep', 'pmdp', 'pudp', 'p4dp', 'pgdp'].map((name) => [name, ArgKey.entryp] as const),
  ...['pteval', 'pmdval', 'pudval', 'p4dval', 'pgdval'].map((name) => [name, ArgKey.entryval] as const),
];
const KEY_NAMES = new NameTable(KEYS.map(([name]) => name));
const KEY_OF_NAME = Int8Array.from(KEYS, ([, key]) => key);

const SPANS_MAX = 8;

const BLANK = 0x20;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x28;
const CLOSE = 0x29;
const MINUS = 0x2d;
const ZERO = 0x30;
const LOWER_X = 0x78;

/** Where the numbers of the arguments stand that were read last, for learning the line's shape. */
export class ArgSpans {
  count = 0;
  /** Every number is digits and nothing else (no minus), and there is room for all. */
  plain = true;
  /** Of each number, in order: its `ArgKey`, its digits `[start, end)`, and 1 where they are hexadecimal. */
  readonly key = new Int32Array(SPANS_MAX);
  readonly start = new Int32Array(SPANS_MAX);
  readonly end = new Int32Array(SPANS_MAX);
  readonly hex = new Uint8Array(SPANS_MAX);

  clear(): void {
    this.count = 0;
    this.plain = true;
  }

  add(key: ArgKey, start: number, end: number, hex: boolean): void {
    if (this.count === SPANS_MAX) {
      this.plain = false;
      return;
    }
    this.key[this.count] = key;
    this.start[this.count] = start;
    this.end[this.count] = end;
    this.hex[this.count] = hex ? 1 : 0;
    this.count++;
  }
}

/** Reads the arguments of a probe from `bytes[at, end)` into `line`. False: `fault` says what is wrong. */
export function readProbeArgs(
  bytes: Uint8Array,
  at: number,
  end: number,
  line: TraceLine,
  spans: ArgSpans,
  fault: LineFault,
): boolean {
  let i = at;
  while (i < end && bytes[i] === BLANK) i++;
  line.args = 0;
  spans.clear();
  line.placeStart = line.placeEnd = i;
  if (i < end && bytes[i] === OPEN) {
    line.placeStart = ++i;
    while (i < end && bytes[i] !== CLOSE) i++;
    if (i === end) return fault.set('unclosed parenthesis', line.placeStart - 1, '")" after the probed place');
    line.placeEnd = i++;
  }
  for (;;) {
    while (i < end && bytes[i] === BLANK) i++;
    if (i >= end) return true;
    const name = i;
    while (i < end && bytes[i] !== EQUALS && bytes[i] !== BLANK) i++;
    if (i >= end) return true;
    if (bytes[i] === BLANK) continue;
    const id = KEY_NAMES.find(bytes, name, i);
    i++;
    if (id < 0) {
      i = afterValue(bytes, i, end);
      continue;
    }
    const key = KEY_OF_NAME[id] as ArgKey;
    // "(fault)": the probe could not read it.
    if (i < end && bytes[i] === OPEN) {
      i = afterValue(bytes, i, end);
      continue;
    }
    const next = readNumber(bytes, i, end, line.hi, line.lo, key);
    if (next < 0 || (next < end && bytes[next] !== BLANK)) {
      return fault.set(`bad value of ${argName(key)}`, i, 'decimal, or hexadecimal with 0x, below 2^64');
    }
    line.args |= 1 << key;
    if (bytes[i] === MINUS) spans.plain = false;
    const hex = bytes[i] === ZERO && i + 1 < next && bytes[i + 1] === LOWER_X;
    spans.add(key, hex ? i + 2 : i, next, hex);
    i = next;
  }
}

/** Reads the arguments of a tracepoint from `bytes[at, end)` into `line`. False: `fault` says what is wrong. */
export function readTracepointArgs(
  bytes: Uint8Array,
  at: number,
  end: number,
  line: TraceLine,
  spans: ArgSpans,
  fault: LineFault,
): boolean {
  let i = at;
  line.args = 0;
  spans.clear();
  line.placeStart = line.placeEnd = at;
  for (;;) {
    while (i < end && (bytes[i] === BLANK || bytes[i] === OPEN)) i++;
    if (i >= end) return true;
    const name = i;
    while (i < end && bytes[i] !== BLANK) i++;
    const id = KEY_NAMES.find(bytes, name, i);
    if (id < 0) continue;
    const key = KEY_OF_NAME[id] as ArgKey;
    while (i < end && bytes[i] === BLANK) i++;
    // "(null)", "(____ptrval____)": a pointer that the kernel did not print.
    if (i < end && bytes[i] === OPEN) {
      i = afterValue(bytes, i, end);
      continue;
    }
    const digits = i + 1 < end && bytes[i] === ZERO && bytes[i + 1] === LOWER_X ? i + 2 : i;
    const next = readHex(bytes, digits, end, line.hi, line.lo, key);
    if (next < 0 || (next < end && bytes[next] !== BLANK && bytes[next] !== CLOSE)) {
      return fault.set(`bad value of ${argName(key)}`, i, 'hexadecimal below 2^64');
    }
    line.args |= 1 << key;
    spans.add(key, digits, next, true);
    i = next < end && bytes[next] === CLOSE ? next + 1 : next;
  }
}

/** The index after a value that is not read: up to the next blank, or to the closing quote of a string. */
function afterValue(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  if (i < end && bytes[i] === QUOTE) {
    i++;
    while (i < end && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
    i++;
  }
  while (i < end && bytes[i] !== BLANK) i++;
  return i;
}
