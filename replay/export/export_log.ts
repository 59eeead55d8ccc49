import { usageError, type ByteSink, type StoredLog } from '../../events/index.js';
import { exportChrome } from './chrome_export.js';
import { exportJepsen } from './jepsen_export.js';
import { exportJsonl } from './jsonl_export.js';
import { exportParquet } from './parquet_export.js';

/** What a log can be exported as (docs/exports.md). */
export const EXPORT_FORMATS = ['jsonl', 'parquet', 'chrome', 'jepsen'] as const;

/** One of them. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Longer endings first: a history is JSON lines, too. */
const ENDINGS: readonly (readonly [ending: string, format: ExportFormat])[] = [
  ['.history.jsonl', 'jepsen'],
  ['.jsonl', 'jsonl'],
  ['.parquet', 'parquet'],
  ['.json', 'chrome'],
];

/** Each gives how many rows, lines or trace events it wrote. */
const EXPORTS: Readonly<Record<ExportFormat, (log: StoredLog, sink: ByteSink) => number>> = {
  jsonl: exportJsonl,
  parquet: exportParquet,
  chrome: exportChrome,
  jepsen: exportJepsen,
};

/** The format of that name. @throws {P2mError} code `usage`: there is none */
export function exportFormat(name: string): ExportFormat {
  const format = EXPORT_FORMATS.find((known) => known === name);
  if (format !== undefined) return format;
  throw usageError('unknown format', { got: JSON.stringify(name), expected: EXPORT_FORMATS.join(', ') });
}

/** The format that the ending of a file's name stands for. @throws {P2mError} code `usage`: it stands for none */
export function exportFormatByName(file: string): ExportFormat {
  const found = ENDINGS.find(([ending]) => file.endsWith(ending));
  if (found !== undefined) return found[1];
  const expected = `--format, or a name that ends in ${ENDINGS.map(([ending]) => ending).join(', ')}`;
  throw usageError('which format?', { got: JSON.stringify(file), expected });
}

/**
 * Writes a log in a format. Memory does not grow with the log, but for what is open in it, the registers of a history and
 * the directory of a Parquet file. The same log gives the same bytes.
 *
 * @returns events, lines, rows or trace events that it took
 * @throws {P2mError} the log is damaged, or is none that can be drawn
 */
export function exportLog(log: StoredLog, format: ExportFormat, sink: ByteSink): number {
  return EXPORTS[format](log, sink);
}
