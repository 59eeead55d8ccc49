import { z } from 'zod';
import { EventBatch } from './batch.js';
import { inputError, type Place } from './errors.js';
import { parseEvent } from './schema.js';
import { fieldsOf, kindAt, pushEvent, viewField } from './view.js';
import { EntryCodec } from './word.js';

/**
 * Events as JSON, a line each, for people, pipes and `git diff`:
 *
 *     {"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64}
 *     {"seq":0,"cpu":0,"op":0,"kind":"set_global","global":"p2m_limit","old":0,"new":64}
 *     ...
 *
 * Every line ends in a newline, so a file that was cut shows it; `seq` counts up by one, so a lost line shows too.
 */
const FORMAT = 'p2m-events';
const VERSION = 1;
const LINES_PER_BLOCK = 256;

const headerSchema = z.strictObject({
  geometry: z.string().min(1),
  kernel: z.string().min(1),
  entryBits: z.union([z.literal(32), z.literal(64)]),
  capacity: z
    .strictObject({
      nrPages: z.int().min(1),
      areaPfns: z.int().min(0),
      cpus: z.int().min(1),
      pools: z.int().min(1),
      sparePages: z.int().min(0),
      m2pFrames: z.int().min(0),
    })
    .exactOptional(),
  origin: z.string().exactOptional(),
});

/** What the first line says of the events, beside format and version. */
export interface EventsHeader {
  /** Name of the geometry, such as `x86_64`. */
  readonly geometry: string;
  /** Name of the kernel form, such as `5.17`. */
  readonly kernel: string;
  readonly entryBits: 32 | 64;
  /** What the memory was laid out for: page numbers mean something only in a memory of the same. */
  readonly capacity?: {
    readonly nrPages: number;
    readonly areaPfns: number;
    readonly cpus: number;
    readonly pools: number;
    readonly sparePages: number;
    readonly m2pFrames: number;
  };
  /** Where the events come from, in words. */
  readonly origin?: string;
}

/** What a text of events holds: `codec` is the one that its words belong to, `seq` the place of row 0 in the log. */
export interface ParsedEvents {
  readonly header: EventsHeader;
  readonly codec: EntryCodec;
  readonly batch: EventBatch;
  readonly seq: number;
}

/** Header and events as one text. `seq` is the place of row 0 in the log. */
export function printEvents(header: EventsHeader, batch: EventBatch, codec: EntryCodec, seq = 0): string {
  return printHeader(header) + printLines(batch, codec, seq);
}

/** The first line. */
export function printHeader(header: EventsHeader): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`;
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
    // No name and no text of a value has a character that JSON escapes.
    if (typeof value === 'number') line += `,"${field.name}":${value}`;
    else line += `,"${field.name}":${typeof value === 'string' ? `"${value}"` : JSON.stringify(value)}`;
  }
  return `${line}}\n`;
}

/**
 * Reads what `printEvents` prints. `file` is what a complaint calls the text.
 * @throws P2mError with file and line: no header, another format or version, no JSON, a bad event, a cut last line,
 *         events missing in between
 */
export function parseEvents(text: string, file = 'events.jsonl'): ParsedEvents {
  let start = 0;
  let line = 0;
  const nextLine = (): string => {
    const end = text.indexOf('\n', start);
    line++;
    if (end < 0) {
      throw inputError('the last line is cut', {
        file,
        line,
        expected: 'a newline at its end',
        text: text.slice(start),
      });
    }
    const found = text.slice(start, end);
    start = end + 1;
    return found;
  };
  if (text === '') throw inputError('no events', { file, line: 1, got: 'an empty text', expected: 'a header line' });
  const first = nextLine();
  const header = parseHeader(first, { file, line, text: first });
  const codec = new EntryCodec(header.entryBits);
  const batch = new EventBatch();
  let seq = 0;
  while (start < text.length) {
    const found = nextLine();
    const place = { file, line, text: found };
    const event = parseEvent(parseJson(found, place), place);
    if (batch.length === 0) seq = event.seq;
    if (event.seq !== seq + batch.length) {
      throw inputError('an event is missing', {
        ...place,
        got: `seq ${event.seq}`,
        expected: `seq ${seq + batch.length}`,
      });
    }
    pushEvent(batch, event, codec, place);
  }
  return { header, codec, batch, seq };
}

function parseHeader(text: string, place: Place): EventsHeader {
  const json = parseJson(text, place);
  if (typeof json !== 'object' || json === null || (json as { format?: unknown }).format !== FORMAT) {
    throw inputError('no header of p2m events', {
      ...place,
      expected: `{"format":"${FORMAT}","version":${VERSION},...}`,
    });
  }
  const { format: _, version, ...rest } = json as { format: unknown; version?: unknown };
  if (version !== VERSION) {
    throw inputError('another version of the format', {
      ...place,
      got: version === undefined ? 'none' : JSON.stringify(version),
      expected: String(VERSION),
    });
  }
  const parsed = headerSchema.safeParse(rest);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = issue.path.join('.');
  throw inputError(`bad header${path === '' ? '' : `: ${path}`}`, { ...place, expected: issue.message });
}

function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw inputError('not JSON', { ...place, got: error instanceof Error ? error.message : String(error) });
  }
}
