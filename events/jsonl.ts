import { EventBatch } from './batch.js';
import { assert, P2mError } from './errors.js';
import type { ByteSink, EventHandler, EventWriter } from './log/contract.js';
import { orderedFacts, type EventsHeader } from './log/events_header.js';
import { JSONL_FORMAT, JSONL_VERSION, LINE_BYTES_MAX } from './log/jsonl_layout.js';
import { JsonlReader } from './log/jsonl_reader.js';
import { fieldsOf, kindAt, payloadColumn, viewField } from './view.js';
import type { EntryCodec } from './word.js';

const LINES_PER_BLOCK = 256;

/** What a text of events holds: `codec` is the one that its words belong to, `seq` the place of row 0 in the log. */
export interface ParsedEvents {
  readonly header: EventsHeader;
  readonly codec: EntryCodec;
  readonly batch: EventBatch;
  readonly seq: number;
}

/** Header, events and end as one text. `seq` is the place of row 0 in the log. */
export function printEvents(header: EventsHeader, batch: EventBatch, codec: EntryCodec, seq = 0): string {
  return printHeader(header) + printLines(batch, codec, seq) + printEnd(batch.length);
}

/** The first line. */
export function printHeader(header: EventsHeader): string {
  return `${JSON.stringify({ format: JSONL_FORMAT, version: JSONL_VERSION, ...orderedFacts(header) })}\n`;
}

/** The last line, after `events` events. */
export function printEnd(events: number): string {
  return `{"end":true,"events":${events}}\n`;
}

/** The lines of a batch, for who prints batch by batch. @throws P2mError where a column holds what its field cannot */
export function printLines(batch: EventBatch, codec: EntryCodec, seq = 0): string {
  const blocks: string[] = [];
  let lines: string[] = [];
  for (let i = 0; i < batch.length; i++) {
    lines.push(printLine(batch, i, codec, seq + i));
    // Joined early, lines are flat and short-lived: one long chain of concatenations is several times slower.
    if (lines.length === LINES_PER_BLOCK) {
      blocks.push(lines.join(''));
      lines = [];
    }
  }
  return blocks.join('') + lines.join('');
}

function printLine(batch: EventBatch, i: number, codec: EntryCodec, seq: number): string {
  const kind = kindAt(batch, i);
  let line = `{"seq":${seq},"cpu":${batch.cpu[i]},"op":${batch.op[i]},"kind":"${kind}"`;
  for (const field of fieldsOf(kind)) {
    const value = viewField(batch, i, field, codec);
    // But for names of tasks, no name and no text of a value has a character that JSON escapes.
    if (typeof value === 'number') line += `,"${field.name}":${value}`;
    else if (field.type === 'comm') line += `,"${field.name}":${JSON.stringify(value)}`;
    else line += `,"${field.name}":${typeof value === 'string' ? `"${value}"` : JSON.stringify(value)}`;
  }
  if (line.length + 1 > LINE_BYTES_MAX) {
    throw new P2mError('capacity', 'an event is too long for a line of JSON', {
      got: `event ${seq} (${kind}): ${line.length + 1} bytes`,
      expected: `at most ${LINE_BYTES_MAX}`,
      hint: 'the binary log takes it',
    });
  }
  return `${line}}\n`;
}

/** Writes events as JSON lines. @throws {P2mError} from `append`: as `printLines` */
export class JsonlWriter implements EventWriter {
  readonly #sink: ByteSink;
  readonly #codec: EntryCodec;
  readonly #encoder = new TextEncoder();
  #events = 0;

  constructor(sink: ByteSink, header: EventsHeader, codec: EntryCodec) {
    this.#sink = sink;
    this.#codec = codec;
    this.#sink(this.#encoder.encode(printHeader(header)));
  }

  append(batch: EventBatch): void {
    if (batch.length === 0) return;
    const text = printLines(batch, this.#codec, this.#events);
    this.#events += batch.length;
    this.#sink(this.#encoder.encode(text));
  }

  flush(): void {
    // Nothing is held back.
  }

  close(): void {
    this.#sink(this.#encoder.encode(printEnd(this.#events)));
  }
}

/**
 * Reads what `printEvents` prints, all at once; `JsonlReader` reads it in pieces. `file` is what a complaint calls the text.
 * @throws P2mError with file and line, as `JsonlReader` does
 */
export function parseEvents(text: string, file = 'events.jsonl'): ParsedEvents {
  const all = new AllEvents();
  const reader = new JsonlReader(all, file);
  reader.push(new TextEncoder().encode(text));
  reader.end();
  const { header, codec, batch, seq } = all;
  assert(header !== undefined && codec !== undefined, 'a text that ends has a header');
  return { header, codec, batch, seq };
}

/** Keeps all that a reader hands on. */
class AllEvents implements EventHandler {
  header: EventsHeader | undefined;
  codec: EntryCodec | undefined;
  readonly batch = new EventBatch();
  seq = 0;

  onHeader(header: EventsHeader, codec: EntryCodec): void {
    this.header = header;
    this.codec = codec;
  }

  onEvents(batch: EventBatch, seq: number): void {
    if (this.batch.length === 0) this.seq = seq;
    for (let i = 0; i < batch.length; i++) this.batch.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }
}
