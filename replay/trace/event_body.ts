import { ShapeTable } from './line_shape.js';
import { ArgSpans, readProbeArgs, readTracepointArgs } from './trace_args.js';
import { KNOWN_EVENTS, PROBES_END, type TraceLine, type TraceNames } from './trace_line.js';
import type { LineFault } from './trace_reader.js';
import { blanks } from './trace_text.js';

/**
 * The right half of an event line, which all formats print alike: the event's name and its arguments.
 *
 *     set_phys_to_machine: (set_phys_to_machine+0x0/0x40) pfn=0xa8fb mfn=0x62000
 *     p2m:set_phys_to_machine: (ffffffff81021ea0) pfn=0xa8fb mfn=0x62000
 *
 * A group before the name (`p2m:`, `xen:`, one of the user's own) is dropped where the name is one of `TraceEvent`.
 */

const BLANK = 0x20;
const COLON = 0x3a;

/** What stands where an event should. */
export const BodyKind = {
  event: 0,
  /** `fault` says why. */
  bad: 1,
  /** There is no name with a colon behind it. */
  unnamed: 2,
} as const;

/** One of the kinds of `BodyKind`. */
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** Reads the events of one log. */
export class EventBody {
  readonly #names: TraceNames;
  readonly #fault: LineFault;
  readonly #shapes = new ShapeTable();
  readonly #spans = new ArgSpans();

  constructor(names: TraceNames, fault: LineFault) {
    this.#names = names;
    this.#fault = fault;
  }

  /** Reads a line's rest at `at` where it has a shape that was learned; the index of its newline, or -1. */
  match(bytes: Uint8Array, view: DataView, at: number, end: number, line: TraceLine): number {
    return this.#shapes.match(bytes, view, at, end, line);
  }

  /** Remembers the shape of `bytes[at, end)`, which `parse` has just read as an event. */
  learn(bytes: Uint8Array, at: number, end: number, line: TraceLine): void {
    if (line.event < KNOWN_EVENTS) this.#shapes.learn(bytes, at, end, line, this.#spans);
  }

  /** Reads `bytes[at, end)` into `line`: name, arguments, place. */
  parse(bytes: Uint8Array, at: number, end: number, line: TraceLine): BodyKind {
    const start = blanks(bytes, at, end);
    let name = start;
    let i = start;
    for (; i < end && bytes[i] !== BLANK; i++) {
      if (bytes[i] !== COLON) continue;
      if (i + 1 === end || bytes[i + 1] === BLANK) break;
      name = i + 1;
    }
    if (i === name || i >= end || bytes[i] === BLANK) return BodyKind.unnamed;
    let event = this.#names.events.find(bytes, name, i);
    if (event < 0 || event >= KNOWN_EVENTS) {
      for (let k = start; k < i; k++) {
        if (isNameByte(bytes[k]!)) continue;
        this.#fault.set('bad event name', start, 'letters, digits and _');
        return BodyKind.bad;
      }
      event = this.#names.events.intern(bytes, start, i);
    }
    line.event = event;
    if (event < KNOWN_EVENTS) {
      const read = event < PROBES_END ? readProbeArgs : readTracepointArgs;
      return read(bytes, i + 1, end, line, this.#spans, this.#fault) ? BodyKind.event : BodyKind.bad;
    }
    line.args = 0;
    line.placeStart = line.placeEnd = i;
    return BodyKind.event;
  }

  /** Makes `line` an event of that name and without arguments. */
  set(name: string, at: number, line: TraceLine): void {
    const bytes = new TextEncoder().encode(name);
    line.event = this.#names.events.intern(bytes, 0, bytes.length);
    line.args = 0;
    line.placeStart = line.placeEnd = at;
  }
}

/** Letters, digits, and the marks of symbols (`func.part.0`, `group:event`). */
function isNameByte(byte: number): boolean {
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x2b && byte <= COLON && byte !== 0x2c) || byte === 0x5f;
}
