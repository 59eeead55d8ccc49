import { statSync, unlinkSync } from 'node:fs';
import type { Command } from 'commander';
import { usageError, type ByteSink, type StoredLog } from '../events/index.js';
import { NodeLogFile } from '../node/log_file.js';
import { EXPORT_FORMATS, exportFormat, exportFormatByName, exportLog, type ExportFormat } from '../replay/index.js';
import { counted } from './counted.js';
import { note, print, printBytes } from './output.js';
import { addLogOptions, openStoredLog, type LogOptions } from './stored_log.js';

interface ExportCliOptions extends LogOptions {
  readonly format?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** What `--json` says. */
interface Summary {
  readonly format: ExportFormat;
  readonly file: string;
  readonly events: number;
  /** Rows, lines of a history, or trace events. */
  readonly rows: number;
  readonly bytes: number;
}

const ROWS: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'event',
  parquet: 'row',
  chrome: 'trace event',
  jepsen: 'line',
};

/** `p2m export LOG`: the log in a format that other programs read. */
export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write a log as JSON lines, Parquet, a trace for Perfetto, or a Jepsen history')
    .argument('<log>', 'a log, or - for stdin')
    .option('--format <name>', `${EXPORT_FORMATS.join(', ')}; default: by the ending of FILE`)
    .option(
      '-o, --output <file>',
      'FILE.jsonl, FILE.parquet, FILE.json (chrome), FILE.history.jsonl (jepsen); - is stdout',
    )
    .option('--json', '{format, file, events, rows, bytes} on stdout');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
jsonl    every event, as p2m replay -o FILE.jsonl keeps it; p2m reads it back
parquet  a row an event, typed columns: SELECT * FROM 'run.parquet' in DuckDB; needs -o FILE
chrome   operations, waits and holds of the lock by CPU, look-ups that saw an old value: open it in ui.perfetto.dev
jepsen   sets and look-ups as a history of registers: p2m check reads it
Exit: 0, 2 usage, 3 bad input.

Examples:
  p2m export run.p2mlog -o run.parquet
  p2m export run.p2mlog -o run.json
  p2m export race.p2mlog --format jepsen | p2m check -`,
    )
    .action(async (log: string, options: ExportCliOptions) => {
      await run(log, options);
    });
}

async function run(path: string, options: ExportCliOptions): Promise<void> {
  const { format: name, output = '-', json = false } = options;
  const format = formatOf(name, output);
  if (output === '-') {
    if (format === 'parquet') throw usageError('Parquet is no text', { got: 'stdout', expected: '-o FILE' });
    if (json) throw usageError('--json and the data on one stdout', { expected: '-o FILE' });
  } else if (isSameFile(path, output)) {
    throw usageError('the output would overwrite what is read', { got: output, expected: 'another file' });
  }
  const log = await openStoredLog(path, options);
  if (output === '-') {
    exportLog(log, format, printBytes);
    return;
  }
  const summary = exportFile(log, format, output);
  if (json) print(JSON.stringify(summary));
  else note(`${output}: ${format}, ${counted(summary.rows, ROWS[format])}, ${summary.bytes} bytes`);
}

function formatOf(name: string | undefined, output: string): ExportFormat {
  if (name !== undefined) return exportFormat(name);
  if (output !== '-') return exportFormatByName(output);
  throw usageError('which format?', { expected: `--format ${EXPORT_FORMATS.join(', ')}, or -o FILE` });
}

/** Writes the file. What cannot be written to its end is not left behind. */
function exportFile(log: StoredLog, format: ExportFormat, path: string): Summary {
  const file = new NodeLogFile(path);
  let bytes = 0;
  const sink: ByteSink = (piece) => {
    file.write(piece);
    bytes += piece.length;
  };
  let isWhole = false;
  try {
    const rows = exportLog(log, format, sink);
    isWhole = true;
    return { format, file: path, events: log.events, rows, bytes };
  } finally {
    file.close();
    if (!isWhole) removeFile(path);
  }
}

/** A pipe or a device stays. */
function removeFile(path: string): void {
  if (statSync(path).isFile()) unlinkSync(path);
}

/** Whether both are there, and one file. */
function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}
