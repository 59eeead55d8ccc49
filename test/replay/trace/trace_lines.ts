import { FtraceDecoder } from '../../../replay/trace/ftrace.js';
import { ArgKey, type TraceLine } from '../../../replay/trace/trace_line.js';
import { type LineDecoder, TraceReader } from '../../../replay/trace/trace_reader.js';

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
}

/** A loss that a handler was told of. */
export interface SeenLoss {
  readonly line: number;
  readonly cpu: number;
  readonly lost: number;
}

export interface Seen {
  readonly events: SeenLine[];
  readonly losses: SeenLoss[];
  readonly reader: TraceReader;
  readonly decoder: FtraceDecoder;
}

/** Reads a log of ftrace text, handed in as the given chunks. */
export function readChunks(chunks: readonly Uint8Array[], decoder = new FtraceDecoder(), file = 'trace.txt'): Seen {
  const events: SeenLine[] = [];
  const losses: SeenLoss[] = [];
  const handler = {
    onEvent: (line: TraceLine) => void events.push(seenLine(line, decoder)),
    onLoss: ({ line, cpu, lost }: TraceLine) => void losses.push({ line, cpu, lost }),
  };
  const reader = new TraceReader(decoder satisfies LineDecoder, handler, file);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { events, losses, reader, decoder };
}

/** Reads a log of ftrace text in one piece. */
export function readText(text: string): Seen {
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
export function seenLine(line: TraceLine, decoder: FtraceDecoder): SeenLine {
  const args: Record<string, string> = {};
  for (const [name, key] of Object.entries(ArgKey)) if (line.has(key)) args[name] = line.hex(key);
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
    args,
    place: line.place(),
    text: line.text(),
    unterminated: line.unterminated,
  };
}
