import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { P2mError } from '../../../events/index.js';
import { FtraceDecoder } from '../../../replay/trace/ftrace.js';
import { ArgKey, type TraceLine } from '../../../replay/trace/trace_line.js';
import { type LineDecoder, LineKind, TraceReader } from '../../../replay/trace/trace_reader.js';

/** What a handler was told of a line, with everything looked up, so that whole logs compare with `toEqual`. */
export interface SeenLine {
  readonly line: number;
  readonly byte: number;
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly time: string;
  readonly event: string;
  readonly args: Readonly<Record<string, string>>;
  readonly place: string;
  readonly text: string;
  readonly unterminated: boolean;
  readonly call: number;
  readonly lost: number;
}

/** A loss that a handler was told of. */
export interface SeenLoss {
  readonly line: number;
  readonly cpu: number;
  readonly lost: number;
}

/** What a comment told. */
export interface SeenNote {
  readonly line: number;
  readonly args: Readonly<Record<string, string>>;
}

export interface Seen<D extends LineDecoder> {
  readonly events: SeenLine[];
  readonly losses: SeenLoss[];
  readonly notes: SeenNote[];
  readonly reader: TraceReader;
  readonly decoder: D;
}

/** Reads a log that is handed in as the given chunks. */
export function readLog<D extends LineDecoder>(chunks: Iterable<Uint8Array>, decoder: D, file = 'trace.txt'): Seen<D> {
  const events: SeenLine[] = [];
  const losses: SeenLoss[] = [];
  const notes: SeenNote[] = [];
  const handler = {
    onEvent: (line: TraceLine) => void events.push(seenLine(line, decoder)),
    onLoss: ({ line, cpu, lost }: TraceLine) => void losses.push({ line, cpu, lost }),
    onNote: (line: TraceLine) => void notes.push({ line: line.line, args: argsOf(line) }),
  };
  const reader = new TraceReader(decoder, handler, file);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { events, losses, notes, reader, decoder };
}

/** Reads a log of ftrace text, handed in as the given chunks. */
export function readChunks(
  chunks: Iterable<Uint8Array>,
  decoder = new FtraceDecoder(),
  file?: string,
): Seen<FtraceDecoder> {
  return readLog(chunks, decoder, file);
}

/** Reads a log of ftrace text in one piece. */
export function readText(text: string): Seen<FtraceDecoder> {
  return readChunks([bytesOf(text)]);
}

/** The only event of a log of one line. */
export function readLine(text: string): SeenLine {
  return readText(`${text}\n`).events[0]!;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The record as a value of its own. */
export function seenLine(line: TraceLine, decoder: LineDecoder): SeenLine {
  const whole = (BigInt(line.timeHi) << 32n) | BigInt(line.timeLo);
  const fraction = line.timeDigits > 0 ? `.${String(line.timeFraction).padStart(line.timeDigits, '0')}` : '';
  return {
    line: line.line,
    byte: line.byte,
    task: decoder.names.tasks.name(line.task)!,
    pid: line.pid,
    cpu: line.cpu,
    time: `${whole}${fraction}`,
    event: decoder.names.events.name(line.event)!,
    args: argsOf(line),
    place: line.place(),
    text: line.text(),
    unterminated: line.unterminated,
    call: line.call,
    lost: line.lost,
  };
}

function argsOf(line: TraceLine): Record<string, string> {
  const args: Record<string, string> = {};
  for (const [name, key] of Object.entries(ArgKey)) if (line.has(key)) args[name] = line.hex(key);
  return args;
}

/** What the errors of a log's text say. */
export function complaintOf(run: () => unknown): P2mError['complaint'] & { message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof P2mError) return { ...error.complaint, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A piece of a real log. */
export function sample(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`samples/${name}`, import.meta.url)));
}

/** The number of events by name. */
export function countsOf(seen: {
  readonly reader: TraceReader;
  readonly decoder: Pick<LineDecoder, 'names'>;
}): Record<string, number> {
  const { events } = seen.decoder.names;
  const counts: Record<string, number> = {};
  for (let id = 0; id < events.size; id++) {
    if (seen.reader.eventCount(id) > 0) counts[events.name(id)!] = seen.reader.eventCount(id);
  }
  return counts;
}

/** A change to a line's text. */
interface Mutation {
  readonly at: number;
  readonly byte: number;
  readonly kind: number;
}

/** Changes one byte, or leaves out or doubles some. */
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(200),
  byte: fc.integer({ min: 0x20, max: 0x7e }),
  kind: fc.nat(3),
});

/** The text with the change made. */
export function mutated(text: string, { at, byte, kind }: Mutation): string {
  const i = at % text.length;
  if (kind === 0) return text.slice(0, i);
  if (kind === 1) return text.slice(0, i) + text.slice(i + 1);
  if (kind === 2) return text.slice(0, i) + text.slice(i - 3 < 0 ? 0 : i - 3);
  return text.slice(0, i) + String.fromCharCode(byte) + text.slice(i + 1);
}

/** Decodes one line as a reader would; `line` is filled. */
export function decodeLine(decoder: LineDecoder, text: Uint8Array, line: TraceLine): LineKind {
  const bytes = Uint8Array.of(...text, 0x0a);
  Object.assign(line, { bytes, start: 0, end: text.length });
  if (decoder.readKnown(bytes, 0, bytes.length, line) === text.length) return LineKind.event;
  return decoder.decode(bytes, 0, text.length, line);
}
