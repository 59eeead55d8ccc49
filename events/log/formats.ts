import type { EntryCodec } from '../word.js';
import { JsonlWriter } from '../jsonl.js';
import type { ByteSink, EventHandler, EventReader, EventWriter } from './contract.js';
import type { EventsHeader } from './events_header.js';
import { JSONL_FORMAT } from './jsonl_layout.js';
import { JsonlReader } from './jsonl_reader.js';
import { MAGIC } from './layout.js';
import { LogReader, type LogReaderOptions } from './log_reader.js';
import { LogWriter } from './log_writer.js';

/** The formats of event log that we write; `p2mlog` is the binary one. */
export const EVENT_FORMATS = ['p2mlog', 'jsonl'] as const;
/** One of them. */
export type EventFormat = (typeof EVENT_FORMATS)[number];

/** Bytes of a file's beginning that tell its format. */
export const SNIFF_BYTES = 256;

/**
 * The format of the log that begins with `beginning`, `SNIFF_BYTES` of it or all there is; `undefined` where it is none of
 * ours.
 */
export function eventFormatOf(beginning: Uint8Array): EventFormat | undefined {
  if (beginning.length >= MAGIC.length && MAGIC.every((byte, i) => byte === beginning[i])) return 'p2mlog';
  const text = new TextDecoder('latin1').decode(beginning.subarray(0, SNIFF_BYTES));
  const line = text.slice(0, text.indexOf('\n') + 1 || undefined);
  return /^\s*\{/.test(line) && line.includes(`"${JSONL_FORMAT}"`) ? 'jsonl' : undefined;
}

/** The format that a file of that name is written in, by its ending; `undefined` where it is none of ours. */
export function eventFormatByName(file: string): EventFormat | undefined {
  return EVENT_FORMATS.find((format) => file.endsWith(`.${format}`));
}

/** A reader of the format. `file` is what its complaints call the log; the options are those of the binary one. */
export function eventReader(
  format: EventFormat,
  handler: EventHandler,
  file: string,
  options?: LogReaderOptions,
): EventReader {
  return format === 'p2mlog' ? new LogReader(handler, file, options) : new JsonlReader(handler, file);
}

/** A writer of the format, which writes the header at once. The words of what it is given belong to `codec`. */
export function eventWriter(format: EventFormat, sink: ByteSink, header: EventsHeader, codec: EntryCodec): EventWriter {
  return format === 'p2mlog' ? new LogWriter(sink, header, codec) : new JsonlWriter(sink, header, codec);
}
