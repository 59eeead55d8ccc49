import type { ArgSpans } from './trace_args.js';
import type { ArgKey, TraceLine } from './trace_line.js';
import { readDecimal, readHex } from './trace_number.js';

/**
 * What the lines of a log have in common, learned from the lines themselves. A log of a million lines has a few dozen
 * heads (task, pid, CPU, flags) and a few dozen shapes: the text of a line behind its time, with its numbers cut out.
 *
 *     ` set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0x` NUMBER ` mfn=0x` NUMBER
 *
 * A line that fits a known shape has every byte compared, eight at a time, and only its numbers read; one that does not
 * is parsed, and its shape learned. Both ways give the same record: a shape is the parser's answer to the same bytes.
 */

/**
 * Bytes to compare a line with, eight at a time, as doubles: V8 reads those from a DataView in one instruction. Doubles
 * compare as their bytes do unless they are NaN or zero; printable text is neither (`isPrintable`).
 */
class Literal {
  readonly length: number;
  readonly #words: Float64Array;
  readonly #short: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const words = bytes.length < 8 ? 0 : (bytes.length + 7) >>> 3;
    // The last word overlaps the one before, so that it ends with the literal.
    this.#words = Float64Array.from({ length: words }, (_, i) =>
      view.getFloat64(Math.min(8 * i, bytes.length - 8), true),
    );
    this.#short = words === 0 ? bytes.slice() : new Uint8Array(0);
  }

  /** Whether the literal stands at `at`; the caller has seen that its length fits. */
  standsAt(view: DataView, at: number): boolean {
    const words = this.#words;
    const last = words.length - 1;
    if (last < 0) {
      const short = this.#short;
      for (let i = 0; i < short.length; i++) if (view.getUint8(at + i) !== short[i]) return false;
      return true;
    }
    // From the right: what begins alike (tasks, names) differs near the end.
    if (view.getFloat64(at + this.length - 8, true) !== words[last]) return false;
    for (let i = last - 1; i >= 0; i--) if (view.getFloat64(at + 8 * i, true) !== words[i]) return false;
    return true;
  }
}

function isPrintable(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! < 0x20 || bytes[i]! > 0x7e) return false;
  return true;
}

interface Head {
  readonly literal: Literal;
  readonly task: number;
  readonly pid: number;
  readonly cpu: number;
}

const HEADS_MAX = 16;

/** The heads of the lines read lately. */
export class HeadTable {
  readonly #heads: Head[] = [];
  #last = 0;
  #oldest = 0;

  /** Sets task, pid and CPU where the line begins with a known head and a blank; the index of the blank, or -1. */
  match(view: DataView, start: number, end: number, line: TraceLine): number {
    const count = this.#heads.length;
    for (let tried = 0, h = this.#last; tried < count; tried++, h = h + 1 < count ? h + 1 : 0) {
      const head = this.#heads[h]!;
      const at = start + head.literal.length;
      if (at >= end || view.getUint8(at) !== 0x20 || !head.literal.standsAt(view, start)) continue;
      this.#last = h;
      line.task = head.task;
      line.pid = head.pid;
      line.cpu = head.cpu;
      return at;
    }
    return -1;
  }

  /** Keeps `bytes[start, end)`, which holds what `line` says, in place of the oldest. */
  learn(bytes: Uint8Array, start: number, end: number, line: TraceLine): void {
    if (!isPrintable(bytes, start, end)) return;
    const { task, pid, cpu } = line;
    this.#last = this.#oldest;
    this.#heads[this.#oldest] = { literal: new Literal(bytes.slice(start, end)), task, pid, cpu };
    this.#oldest = (this.#oldest + 1) % HEADS_MAX;
  }
}

interface Shape {
  readonly event: number;
  readonly args: number;
  /** Relative to the beginning of the shape. */
  readonly placeStart: number;
  readonly placeEnd: number;
  /** The text before each number, and that behind the last. */
  readonly before: readonly Literal[];
  readonly after: Literal;
  readonly keys: Int32Array;
  readonly hex: Uint8Array;
}

const SHAPES_MAX = 32;
/** With the table full, one miss in so many replaces a shape: lines that never repeat must not cost more than parsing. */
const REPLACE_EVERY = 16;

const RETURN = 0x0d;
const NEWLINE = 0x0a;

/** The shapes of the lines read lately, each with the one that followed it the last time. */
export class ShapeTable {
  readonly #shapes: Shape[] = [];
  readonly #next = new Int32Array(SHAPES_MAX);
  #last = 0;
  #misses = 0;

  /** Fills event and arguments where the line's rest at `at` has a known shape; the index of its newline, or -1. */
  match(bytes: Uint8Array, view: DataView, at: number, end: number, line: TraceLine): number {
    const count = this.#shapes.length;
    if (count === 0) return -1;
    const expected = this.#next[this.#last]!;
    const lineEnd = fit(this.#shapes[expected]!, bytes, view, at, end, line);
    if (lineEnd >= 0) {
      this.#last = expected;
      return lineEnd;
    }
    for (let s = 0; s < count; s++) {
      if (s === expected) continue;
      const lineEnd = fit(this.#shapes[s]!, bytes, view, at, end, line);
      if (lineEnd < 0) continue;
      this.#follow(s);
      return lineEnd;
    }
    return -1;
  }

  /** Keeps the shape of `bytes[at, end)`, which was parsed into `line` and `spans`. */
  learn(bytes: Uint8Array, at: number, end: number, line: TraceLine, spans: ArgSpans): void {
    const full = this.#shapes.length === SHAPES_MAX;
    if (!spans.plain || !isPrintable(bytes, at, end) || (full && ++this.#misses % REPLACE_EVERY !== 0)) return;
    const before: Literal[] = [];
    let from = at;
    for (let k = 0; k < spans.count; k++) {
      before.push(new Literal(bytes.slice(from, spans.start[k])));
      from = spans.end[k]!;
    }
    const shape = {
      event: line.event,
      args: line.args,
      placeStart: line.placeStart - at,
      placeEnd: line.placeEnd - at,
      before,
      after: new Literal(bytes.slice(from, end)),
      keys: spans.key.slice(0, spans.count),
      hex: spans.hex.slice(0, spans.count),
    };
    const s = full ? (this.#misses / REPLACE_EVERY) % SHAPES_MAX : this.#shapes.length;
    this.#shapes[s] = shape;
    this.#follow(s);
  }

  #follow(shape: number): void {
    this.#next[this.#last] = shape;
    this.#last = shape;
  }
}

/** Reads a line's rest at `at` where it has the shape; the index of its newline, which stands before `end`, or -1. */
function fit(shape: Shape, bytes: Uint8Array, view: DataView, at: number, end: number, line: TraceLine): number {
  const { before, keys, hex, after } = shape;
  let i = at;
  for (let k = 0; k < before.length; k++) {
    const literal = before[k]!;
    if (end - i < literal.length || !literal.standsAt(view, i)) return -1;
    i += literal.length;
    const key = keys[k]! as ArgKey;
    i =
      hex[k] === 1 ? readHex(bytes, i, end, line.hi, line.lo, key) : readDecimal(bytes, i, end, line.hi, line.lo, key);
    if (i < 0) return -1;
  }
  if (end - i <= after.length || !after.standsAt(view, i)) return -1;
  i += after.length;
  // Logs that came over a serial console end their lines in \r\n.
  if (bytes[i] === RETURN) i++;
  if (i >= end || bytes[i] !== NEWLINE) return -1;
  line.event = shape.event;
  line.args = shape.args;
  line.placeStart = at + shape.placeStart;
  line.placeEnd = at + shape.placeEnd;
  return i;
}
