import { eventFormatOf, type EventFormat, inputError, type P2mError } from '../../events/index.js';
import { EarlyBootDecoder } from './early_boot.js';
import { FtraceDecoder } from './ftrace.js';
import { PerfScriptDecoder } from './perf_script.js';
import { isTraceCmdNote, TraceCmdDecoder } from './trace_cmd.js';
import { TraceLine, type TraceNames } from './trace_line.js';
import { binaryHint, type LineDecoder, LineKind } from './trace_reader.js';
import { textOf } from './trace_text.js';

/**
 * Which format a log has, told from how it begins. Of a text format the lines are given to every decoder: the first that
 * only one of them takes for an event decides. What comments say counts only where no event decides.
 */

/** The text formats of kernel logs. */
export type TextFormat = 'ftrace' | 'trace-cmd' | 'perf' | 'early-boot';
/** Every format of log, our own too. */
export type LogFormat = TextFormat | EventFormat;

/** How much of a log's beginning is looked at, in bytes. */
export const SNIFF_BYTES_MAX = 65_536;

const READABLE =
  'ftrace text, the text of trace-cmd report or perf script, an early-boot call log, or a .jsonl or .p2mlog of ours';

const NEWLINE = 0x0a;

/** The decoder of a text format, for one log; its names go into `names`. */
export function decoderFor(format: TextFormat, names: TraceNames): LineDecoder {
  return new DECODERS[format](names);
}

const DECODERS = {
  ftrace: FtraceDecoder,
  'trace-cmd': TraceCmdDecoder,
  perf: PerfScriptDecoder,
  'early-boot': EarlyBootDecoder,
} as const;

const TEXT_FORMATS: readonly TextFormat[] = ['ftrace', 'trace-cmd', 'perf', 'early-boot'];

/**
 * The format of the log that begins so (unzipped; up to `SNIFF_BYTES_MAX` are looked at).
 *
 * @throws {P2mError} there is nothing, or nothing that any of the formats has
 */
export function sniffLog(beginning: Uint8Array, file: string): LogFormat {
  const bytes = beginning.subarray(0, SNIFF_BYTES_MAX);
  if (bytes.length === 0) throw inputError('empty log', { file, byte: 0, got: 'no bytes', expected: READABLE });
  const own = eventFormatOf(bytes);
  if (own !== undefined) return own;
  const lines = linesOf(bytes, beginning.length);
  return byEvents(bytes, lines) ?? byNotes(bytes, lines) ?? fail(unrecognised(bytes, file));
}

type Span = readonly [start: number, end: number];

/** The lines of a log's beginning. The last is left out where more may follow that was not looked at. */
function linesOf(bytes: Uint8Array, total: number): Span[] {
  const lines: Span[] = [];
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, start);
    if (found < 0 && total > bytes.length && lines.length > 0) break;
    const end = found < 0 ? bytes.length : found;
    lines.push([start, bytes[end - 1] === 0x0d ? end - 1 : end]);
    start = end + 1;
  }
  return lines;
}

/** The format of the first line that only one format takes for an event or a loss; else of the first that any takes. */
function byEvents(bytes: Uint8Array, lines: readonly Span[]): TextFormat | undefined {
  const line = new TraceLine();
  const decoders = TEXT_FORMATS.map((format) => ({ format, decoder: new DECODERS[format]() }));
  let first: TextFormat | undefined;
  for (const [start, end] of lines) {
    Object.assign(line, { bytes, start, end });
    const takers = decoders
      .filter(({ decoder }) => {
        const kind = decoder.decode(bytes, start, end, line);
        return kind === LineKind.event || kind === LineKind.loss;
      })
      .map(({ format }) => format);
    if (takers.length === 1) return takers[0];
    if (takers.join() === 'ftrace,trace-cmd') return kernelOrTraceCmd(bytes, lines, line);
    first ??= takers[0];
  }
  return first;
}

/** The two print alike; what tells them apart are lines that only trace-cmd has, and addresses that it does not look up. */
function kernelOrTraceCmd(bytes: Uint8Array, lines: readonly Span[], event: TraceLine): TextFormat {
  if (lines.some(([start, end]) => isTraceCmdNote(textOf(bytes, start, end)))) return 'trace-cmd';
  return /^[0-9a-f]{8,16}( <- |$)/.test(event.place()) ? 'trace-cmd' : 'ftrace';
}

/** The format whose headings these are: a log may hold no event at all. */
function byNotes(bytes: Uint8Array, lines: readonly Span[]): TextFormat | undefined {
  for (const [start, end] of lines) {
    const text = textOf(bytes, start, end);
    if (/^# (tracer: |entries-in-buffer\/|  +(TASK-PID|_-+=>))/.test(text)) return 'ftrace';
    if (isTraceCmdNote(text)) return 'trace-cmd';
    if (/^# (captured on|perf version|cmdline|event) +:/.test(text)) return 'perf';
    if (/^#.* xen_(p2m_addr|p2m_size|max_p2m_pfn)=/.test(text)) return 'early-boot';
  }
  return undefined;
}

function unrecognised(bytes: Uint8Array, file: string): P2mError {
  const end = bytes.indexOf(NEWLINE);
  const first = textOf(bytes, 0, Math.min(end < 0 ? bytes.length : end, 200));
  const isText = !/[^\P{Cc}\t\r]|\ufffd/u.test(first);
  const place = { file, line: 1, byte: 0, expected: READABLE, ...binaryHint(bytes, 0, bytes.length) };
  return inputError('not a log that can be read', {
    ...place,
    got: isText ? JSON.stringify(first.slice(0, 80)) : 'binary data',
  });
}

function fail(error: P2mError): never {
  throw error;
}
