import type { Command } from 'commander';
import { Clock, kindAt, type EntryCodec, type StoredLog } from '../events/index.js';
import {
  blame,
  EntryHistory,
  operationName,
  parseMoment,
  resolveMoment,
  taskText,
  timeText,
  type BlamedEvent,
  type BlameRow,
} from '../replay/index.js';
import { geometryByName } from '../src/index.js';
import { noteEnd } from './log_end.js';
import { indexOf, keptFactsOf } from './log_index.js';
import { operationJson } from './log_text.js';
import { hex, parsePfns } from './numbers.js';
import { addLogOptions, type LogOptions } from './log_options.js';
import { print } from './output.js';
import { openStoredLog } from './stored_log.js';
import { runsJson, valueText } from './value_text.js';

interface BlameOptions extends LogOptions {
  readonly at?: string;
  readonly json?: boolean;
}

/** `p2m blame LOG RANGE`: who set each entry. */
export function addBlame(program: Command): void {
  const command = program
    .command('blame')
    .description('the event that set each entry of a range, with its operation, task and time')
    .argument('<log>', 'a log, or a recording; - for stdin')
    .argument('<range>', 'a pfn, or a half-open range A-B')
    .option('--at <moment>', 'as of this moment: an event, 12.345s, @87.520279; default: the end')
    .option('--json', 'a line of JSON a row');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
Columns: pfns, value, event, number of the operation, its name, task, time, kind of the event, the value before. - is what
the log does not say; ^ is an entry that no event set: so the list began.

Example:
  p2m blame run.p2mlog 0x40500-0x40600 --at @87.520279`,
    )
    .action(async (path: string, range: string, options: BlameOptions) => {
      const log = await openStoredLog(path, options);
      run(log, path, range, options);
      noteEnd(log);
    });
}

function run(log: StoredLog, path: string, range: string, { at, json }: BlameOptions): void {
  const { pfnStart, pfnEnd } = parsePfns(range, geometryByName(log.header.geometry).pfnEnd);
  const moment = at === undefined ? log.events : resolveMoment(log, parseMoment(at), keptFactsOf(log, path));
  const index = indexOf(log, path);
  const rows = blame(log, new EntryHistory(log, index), pfnStart, pfnEnd, moment, index);
  if (json === true) for (const row of rows) print(JSON.stringify(jsonOf(log.codec, row)));
  else for (const line of table(rows.map((row) => cells(log, row)))) print(line);
}

function cells(log: StoredLog, { pfnStart, pfnEnd, now, by }: BlameRow): string[] {
  const pfns = pfnEnd === pfnStart + 1 ? hex(pfnStart) : `${hex(pfnStart)}-${hex(pfnEnd)}`;
  const value = valueText(log.codec, now);
  if (by === undefined) return [pfns, value, '^', '-', '-', '-', '-', '-', '-'];
  const { seq, operation, old } = by;
  const origin = operation?.origin;
  return [
    pfns,
    value,
    String(seq),
    operation === undefined ? '-' : String(operation.op),
    operation?.call === undefined ? '-' : operationName(operation),
    operation?.task === undefined ? '-' : taskText(operation.task).replaceAll(' ', '\\x20'),
    origin === undefined || origin.clock === Clock.none ? '-' : `@${timeText(origin.clock, origin.time)}`,
    kindOf(log, seq),
    `was ${valueText(log.codec, old)}`,
  ];
}

function kindOf(log: StoredLog, seq: number): string {
  const block = log.blockOf(seq);
  return kindAt(log.read(block), seq - log.seqOf(block));
}

function jsonOf(codec: EntryCodec, { pfnStart, pfnEnd, now, by }: BlameRow): object {
  const blamed = (event: BlamedEvent): object => ({
    seq: event.seq,
    old: runsJson(codec, event.old),
    operation: operationJson(event.operation, codec),
  });
  return { pfnStart, pfnEnd, now: runsJson(codec, now), by: by === undefined ? null : blamed(by) };
}

/** Columns side by side. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
