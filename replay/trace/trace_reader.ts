import { Buffer } from 'node:buffer';
import { inputError, type P2mError } from '../../events/index.js';
import { TraceLine, type TraceNames } from './trace_line.js';

/**
 * Chunks of a log into lines, lines through a decoder into the one `TraceLine`, and that to a handler. Nothing is
 * allocated for a line; memory does not grow with the log.
 */

/** What a decoder made of a line. */
export const LineKind = {
  /** The record holds an event. */
  event: 0,
  /** A comment, a heading, an empty line, a continuation: nothing for the handler. */
  skip: 1,
  /** The record holds a loss: `cpu` (-1 where it is not said) and `lost`. */
  loss: 2,
  /** Not a line of this format: the decoder's `fault` says why. */
  bad: 3,
  /** A comment for the handler; the record holds the arguments that it tells, and they may be none. */
  note: 4,
} as const;

/** One of the kinds of `LineKind`. */
export type LineKind = (typeof LineKind)[keyof typeof LineKind];

/** Why a line is bad. */
export class LineFault {
  what = '';
  /** Index into the bytes that the decoder was given. */
  at = 0;
  expected = '';

  /** Notes the fault; the answer `false` is for `return fault.set(...)`. */
  set(what: string, at: number, expected: string): false {
    this.what = what;
    this.at = at;
    this.expected = expected;
    return false;
  }
}

/** What a log says of its own completeness. */
export interface LogSummary {
  /** How many events the log should hold. */
  readonly entriesInBuffer: number;
  /** How many events there were; those above `entriesInBuffer` were overwritten before the log was read. */
  readonly entriesWritten: number;
}

/** One text format of log. Instances belong to one log: they may keep what its header said. */
export interface LineDecoder {
  /** The format's name in messages, such as "ftrace text". */
  readonly format: string;
  readonly fault: LineFault;
  readonly names: TraceNames;
  /** What the log's header says, sums where there are several; `undefined` where it has none, or none yet. */
  readonly summary: LogSummary | undefined;

  /**
   * Reads the line at `start` into `line` as `decode` would, where it is an event of a kind seen before and its newline
   * stands before `end`; the index of that newline, or -1 with `line` in any state. So most lines are found to end where
   * they do while they are read, and need no search for it. Must not keep `bytes`, and must not allocate.
   */
  readKnown(bytes: Uint8Array, start: number, end: number, line: TraceLine): number;

  /**
   * Reads the line `bytes[start, end)` (no newline) into `line`, except for its place in the log, which the reader
   * has filled in. Must not keep `bytes`, and must not allocate for a line of a kind it has seen before.
   */
  decode(bytes: Uint8Array, start: number, end: number, line: TraceLine): LineKind;
}

/** Who is told of the lines. The record is valid during the call only. What a handler throws comes out of `push`. */
export interface TraceHandler {
  onEvent(line: TraceLine): void;
  /** The log says that events are missing here; also called right before `onEvent` where the event's `lost` is not 0. */
  onLoss(line: TraceLine): void;
  /** A comment, with the arguments that could be read from it. */
  onNote?(line: TraceLine): void;
}

/** A line longer than this is no line of a log. */
export const LINE_BYTES_MAX = 1 << 20;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Reads a log that is handed in as chunks, cut anywhere; call `end` after the last. After an error it is of no use.
 *
 * @throws {P2mError} from `push` and `end`, with file, line, column and byte: a line that is none of the format's, is
 *   longer than `LINE_BYTES_MAX` or is binary; a last line that is cut so that it cannot be read
 */
export class TraceReader {
  readonly #decoder: LineDecoder;
  readonly #handler: TraceHandler;
  readonly #file: string;
  readonly #record = new TraceLine();
  /** The beginning of a line whose end has not come yet. */
  #carry: Uint8Array = new Uint8Array(4096);
  #carryBytes = 0;
  #lines = 0;
  #events = 0;
  #eventCounts = new Float64Array(64);
  /** Bytes before the line being read. */
  #offset = 0;
  #unterminated = false;
  /** Where in its bytes the line behind the one being read begins. */
  #next = 0;

  constructor(decoder: LineDecoder, handler: TraceHandler, file: string) {
    this.#decoder = decoder;
    this.#handler = handler;
    this.#file = file;
  }

  /** Lines read, of any kind. */
  get lines(): number {
    return this.#lines;
  }

  /** Event lines read. */
  get events(): number {
    return this.#events;
  }

  /** Bytes of the lines read, newlines included. */
  get bytes(): number {
    return this.#offset;
  }

  /** Whether the log's last line had no newline, and so may be cut; known after `end`. */
  get unterminated(): boolean {
    return this.#unterminated;
  }

  /** How many lines of the event (an id of `TraceNames.events`) were read. */
  eventCount(event: number): number {
    return this.#eventCounts[event] ?? 0;
  }

  /** Reads on; calls the handler for each line that ends in this chunk. Keeps nothing of the chunk's memory. */
  push(bytes: Uint8Array): void {
    // A Buffer would be a second shape of object to every access below, and slow them down.
    const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    // The Buffer's own search is the C library's `memchr`, several times as fast as the engine's.
    const search = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let start = 0;
    if (this.#carryBytes > 0) {
      const end = search.indexOf(NEWLINE);
      if (end < 0) return this.#keep(chunk);
      this.#keep(chunk.subarray(0, end));
      const length = this.#carryBytes;
      this.#carryBytes = 0;
      this.#carry[length] = NEWLINE;
      if (!this.#known(this.#carry, 0, length + 1)) this.#line(this.#carry, 0, length);
      start = end + 1;
    }
    while (start < chunk.length) {
      if (!this.#known(chunk, start, chunk.length)) {
        const end = search.indexOf(NEWLINE, start);
        if (end < 0) break;
        this.#line(chunk, start, end);
      }
      start = this.#next;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The log is over: reads what stands after the last newline. */
  end(): void {
    if (this.#carryBytes === 0) return;
    this.#unterminated = this.#record.unterminated = true;
    const length = this.#carryBytes;
    this.#carryBytes = 0;
    this.#line(this.#carry, 0, length);
    this.#offset--;
  }

  /** Reads the line at `start` where the decoder knows its kind. */
  #known(bytes: Uint8Array, start: number, limit: number): boolean {
    this.#record.lost = 0;
    const end = this.#decoder.readKnown(bytes, start, limit, this.#record);
    if (end < 0) return false;
    this.#place(bytes, start, end);
    this.#event();
    return true;
  }

  /** Notes where the line stands whose newline is at `end`. */
  #place(bytes: Uint8Array, start: number, end: number): void {
    const line = this.#record;
    this.#next = end + 1;
    line.line = ++this.#lines;
    line.byte = this.#offset;
    line.bytes = bytes;
    line.start = start;
    // Logs that came over a serial console end their lines in \r\n.
    line.end = end > start && bytes[end - 1] === RETURN ? end - 1 : end;
    this.#offset += end - start + 1;
  }

  #event(): void {
    const line = this.#record;
    this.#events++;
    if (line.event >= this.#eventCounts.length) this.#growCounts(line.event);
    this.#eventCounts[line.event]!++;
    if (line.lost !== 0) this.#handler.onLoss(line);
    this.#handler.onEvent(line);
  }

  #line(bytes: Uint8Array, start: number, end: number): void {
    const line = this.#record;
    this.#place(bytes, start, end);
    if (end - start > LINE_BYTES_MAX) {
      this.#offset = line.byte;
      throw this.#tooLong(`${end - start} bytes`);
    }
    line.lost = 0;
    const kind = this.#decoder.decode(bytes, start, line.end, line);
    if (kind === LineKind.event) {
      this.#event();
    } else if (kind === LineKind.loss) {
      this.#handler.onLoss(line);
    } else if (kind === LineKind.note) {
      this.#handler.onNote?.(line);
    } else if (kind === LineKind.bad) {
      throw this.#bad();
    }
  }

  #keep(bytes: Uint8Array): void {
    const length = this.#carryBytes + bytes.length;
    if (length > LINE_BYTES_MAX) {
      this.#lines++;
      throw this.#tooLong(`${length} bytes or more`);
    }
    // A newline is put behind it.
    if (length >= this.#carry.length) {
      const carry = new Uint8Array(Math.max(length + 1, 2 * this.#carry.length));
      carry.set(this.#carry.subarray(0, this.#carryBytes));
      this.#carry = carry;
    }
    this.#carry.set(bytes, this.#carryBytes);
    this.#carryBytes = length;
  }

  #growCounts(event: number): void {
    const counts = new Float64Array(Math.max(event + 1, 2 * this.#eventCounts.length));
    counts.set(this.#eventCounts);
    this.#eventCounts = counts;
  }

  #tooLong(got: string): P2mError {
    const place = { file: this.#file, line: this.#lines, byte: this.#offset };
    return inputError('line too long', { ...place, got, expected: `at most ${LINE_BYTES_MAX} bytes a line` });
  }

  #bad(): P2mError {
    const { bytes, start, end, line, byte, unterminated } = this.#record;
    const { what, at, expected } = this.#decoder.fault;
    const file = this.#file;
    const control = bytes.subarray(start, end).findIndex(isBinary);
    if (control >= 0) {
      const got = `byte 0x${bytes[start + control]!.toString(16).padStart(2, '0')}`;
      const place = { file, line, column: control + 1, byte: byte + control };
      return inputError('binary data', {
        ...place,
        got,
        expected: this.#decoder.format,
        ...binaryHint(bytes, start, end),
      });
    }
    const text = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 400)));
    const token = new TextDecoder().decode(bytes.subarray(at, tokenEnd(bytes, at, end)));
    return inputError(unterminated ? `${what} in the last line, which has no newline and is cut` : what, {
      file,
      line,
      column: at - start + 1,
      byte: byte + at - start,
      text,
      got: token === '' ? 'the end of the line' : JSON.stringify(token),
      expected,
    });
  }
}

function isBinary(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09) || byte === 0x7f;
}

/** The end of a word worth showing: at most 40 bytes. */
function tokenEnd(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && i < at + 40 && (bytes[i] !== 0x20 || i === at)) i++;
  return i;
}

/** A hint where the bytes begin as a file does that people mistake for the text made of it. */
export function binaryHint(bytes: Uint8Array, start: number, end: number): { hint?: string } {
  const beginning = new TextDecoder('latin1').decode(bytes.subarray(start, Math.min(end, start + 16)));
  if (beginning.startsWith('\x17\x08Dtracing'))
    return { hint: 'this is a trace.dat: give the text of "trace-cmd report"' };
  if (beginning.startsWith('PERFILE2')) return { hint: 'this is a perf.data: give the text of "perf script"' };
  if (beginning.startsWith('\x1f\x8b')) return { hint: 'this is gzip: unzip it first' };
  return {};
}
