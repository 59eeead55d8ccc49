import { Buffer } from 'node:buffer';
import { EventBatch } from '../batch.js';
import { inputError, type P2mError, type Place } from '../errors.js';
import { parseEvent } from '../schema.js';
import { pushEvent } from '../view.js';
import { EntryCodec } from '../word.js';
import type { EventHandler, EventReader } from './contract.js';
import { parseFacts, type EventsHeader } from './events_header.js';
import { JSONL_FORMAT, JSONL_VERSION, LINE_BYTES_MAX } from './jsonl_layout.js';

/** Events are handed on once there are this many, and at the end of each chunk. */
const BATCH_EVENTS = 1024;
const NEWLINE = 0x0a;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads events as JSON (jsonl_layout.ts), a line each.
 *
 * @throws {P2mError} from `push` and `end`, with file and line: no header, another format or version, no JSON, a bad
 *   event, events missing in between or at the end, a line longer than `LINE_BYTES_MAX`, a log that is cut
 */
export class JsonlReader implements EventReader {
  readonly #handler: EventHandler;
  readonly #file: string;
  /** The beginning of a line whose end has not come yet. */
  #carry: Uint8Array = new Uint8Array(4096);
  #carryBytes = 0;
  #line = 0;
  #codec: EntryCodec | undefined;
  readonly #batch = new EventBatch(BATCH_EVENTS);
  /** Number of the first event, of the one expected next, and of row 0 of the batch. */
  #first = 0;
  #next = 0;
  #batchSeq = 0;
  #batchLine = 0;
  #ended = false;

  constructor(handler: EventHandler, file: string) {
    this.#handler = handler;
    this.#file = file;
  }

  /** Events read. */
  get events(): number {
    return this.#next - this.#first;
  }

  get pending(): number {
    return this.#carryBytes;
  }

  push(bytes: Uint8Array): void {
    try {
      this.#lines(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    } finally {
      // What stands before a fault is handed on before it is told.
      this.#handOn();
    }
  }

  end(): boolean {
    const place = { file: this.#file, line: this.#line + 1 };
    if (this.#carryBytes > 0) {
      const text = new TextDecoder().decode(this.#carry.subarray(0, this.#carryBytes));
      throw inputError('the last line is cut', { ...place, expected: 'a newline at its end', text });
    }
    if (this.#line === 0) throw inputError('no events', { ...place, got: 'an empty text', expected: 'a header line' });
    if (this.#ended) return true;
    const expected = 'the last line, {"end":true,...}';
    throw inputError('the log is cut', { ...place, got: 'the end of the text', expected });
  }

  placeOf(row: number): Place {
    return { file: this.#file, line: this.#batchLine + row };
  }

  #lines(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#line++;
      this.#takeLine(this.#carryBytes > 0 ? this.#carried(chunk.subarray(start, end)) : chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start), this.#line + 1);
  }

  #carried(rest: Uint8Array): Uint8Array {
    this.#keep(rest, this.#line);
    const line = this.#carry.subarray(0, this.#carryBytes);
    this.#carryBytes = 0;
    return line;
  }

  #keep(bytes: Uint8Array, line: number): void {
    const length = this.#carryBytes + bytes.length;
    if (length > LINE_BYTES_MAX) throw this.#tooLong(line, `${length} bytes or more`);
    if (length > this.#carry.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#carry.length));
      larger.set(this.#carry.subarray(0, this.#carryBytes));
      this.#carry = larger;
    }
    this.#carry.set(bytes, this.#carryBytes);
    this.#carryBytes = length;
  }

  #takeLine(bytes: Uint8Array): void {
    if (bytes.length > LINE_BYTES_MAX) throw this.#tooLong(this.#line, `${bytes.length} bytes`);
    const text = this.#decode(bytes);
    const place = { file: this.#file, line: this.#line, text };
    const json = parseJson(text, place);
    if (this.#codec === undefined) {
      const header = readHeader(json, place);
      this.#codec = new EntryCodec(header.entryBits);
      return this.#handler.onHeader(header, this.#codec);
    }
    if (this.#ended) throw inputError('a line behind the end of the log', { ...place, expected: 'none' });
    if (isEnd(json)) return this.#takeEnd(json, place);
    const event = parseEvent(json, place);
    if (this.#next === this.#first) this.#first = this.#next = event.seq;
    if (event.seq !== this.#next) {
      throw inputError('an event is missing', { ...place, got: `seq ${event.seq}`, expected: `seq ${this.#next}` });
    }
    if (this.#batch.length === 0) [this.#batchSeq, this.#batchLine] = [event.seq, this.#line];
    pushEvent(this.#batch, event, this.#codec, place);
    this.#next++;
    if (this.#batch.length === BATCH_EVENTS) this.#handOn();
  }

  #decode(bytes: Uint8Array): string {
    try {
      return UTF_8.decode(bytes);
    } catch {
      const text = new TextDecoder().decode(bytes);
      throw inputError('not UTF-8', { file: this.#file, line: this.#line, text, expected: 'JSON text' });
    }
  }

  #takeEnd(json: { readonly events?: unknown }, place: Place): void {
    const events = this.#next - this.#first;
    if (json.events !== events || Object.keys(json).length !== 2) {
      const expected = `{"end":true,"events":${events}}`;
      throw inputError('events are missing', { ...place, got: JSON.stringify(json), expected });
    }
    this.#ended = true;
  }

  #handOn(): void {
    const batch = this.#batch;
    if (batch.length === 0) return;
    try {
      this.#handler.onEvents(batch, this.#batchSeq);
    } finally {
      batch.clear();
    }
  }

  #tooLong(line: number, got: string): P2mError {
    const expected = `at most ${LINE_BYTES_MAX} bytes a line`;
    return inputError('line too long', { file: this.#file, line, got, expected });
  }
}

function readHeader(json: unknown, place: Place): EventsHeader {
  if (typeof json !== 'object' || json === null || (json as { format?: unknown }).format !== JSONL_FORMAT) {
    const expected = `{"format":"${JSONL_FORMAT}","version":${JSONL_VERSION},...}`;
    throw inputError('no header of p2m events', { ...place, expected });
  }
  const { format: _, version, ...facts } = json as { format: unknown; version?: unknown };
  if (version !== JSONL_VERSION) {
    const got = version === undefined ? 'none' : JSON.stringify(version);
    throw inputError('another version of the format', { ...place, got, expected: String(JSONL_VERSION) });
  }
  return parseFacts(facts, place);
}

function isEnd(json: unknown): json is { readonly end: unknown; readonly events?: unknown } {
  return typeof json === 'object' && json !== null && (json as { end?: unknown }).end === true;
}

function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw inputError('not JSON', { ...place, got: error instanceof Error ? error.message : String(error) });
  }
}
