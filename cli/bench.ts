import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { runTable, type TableReport } from '../bench/run_table.js';
import { TABLE, type TableRow } from '../bench/table.js';
import { showVerdict, tableText } from '../bench/table_text.js';
import { Interrupted, TemporaryFolder } from '../node/temporary_folder.js';
import { ExitCode, inputError, usageError } from '../events/index.js';
import { parseNumber } from './numbers.js';
import { note, print } from './output.js';

interface BenchCliOptions {
  readonly only: string;
  readonly rounds: string;
  readonly long?: boolean;
  readonly tiny?: boolean;
  readonly svg?: string;
  readonly json?: boolean;
}

const ROUNDS_END = 1000;

/** `p2m bench`: the numbers that this project promises, measured on the user's machine. */
export function addBench(program: Command): void {
  program
    .command('bench')
    .description('measure on this machine what is promised of its speed, against C and against the old tree')
    .option('--only <name>', 'the rows whose name has this in it', '')
    .option('--rounds <n>', 'rounds of each race, contestants in turn', '9')
    .option('--long', 'also what takes minutes, and gigabytes of disk')
    .option('--tiny', 'sizes so small that numbers mean nothing: to see that all of it runs')
    .option('--svg <file>', 'a plot of the table')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
Contestants are processes of their own, warm, and take turns, round by round: a ratio is that of one round, and a row is
judged by the median. Times are processor time, or the clock where a row says so. What cannot run here is skipped, and
says why: C needs gcc or cc, some rows two CPUs or memory. Rows:
${TABLE.map(({ name, isLong }) => `  ${name}${isLong === true ? '  (--long)' : ''}`).join('\n')}
Exit: 0 when it ran, whatever the verdicts; 2 usage, 3 FILE cannot be written, 130 interrupted.

Examples:
  p2m bench --svg bench.svg
  p2m bench --only look-up --rounds 21`,
    )
    .action(async (options: BenchCliOptions) => {
      process.exitCode = await run(options);
    });
}

async function run({ only, rounds, long, tiny, svg, json }: BenchCliOptions): Promise<number> {
  const rows = rowsOf(only);
  const roundCount = roundsOf(rounds);
  // What cannot be written should be said before minutes have passed.
  if (svg !== undefined) write(svg, '');
  const folder = new TemporaryFolder('bench');
  const { path, signal } = folder;
  try {
    const report = await runTable({
      ...{ rows, rounds: roundCount, folder: path, signal, onProgress: showProgress },
      ...{ long: long ?? false, tiny: tiny ?? false },
    });
    if (svg !== undefined) write(svg, (await import('../bench/plot.js')).plotTable(report));
    showProgress('');
    if (json === true) print(JSON.stringify(jsonOf(report), null, 2));
    else print(tableText(report));
    return ExitCode.ok;
  } catch (error) {
    if (!(signal.reason instanceof Interrupted)) throw error;
    showProgress('');
    note(signal.reason.message);
    return signal.reason.exitCode;
  } finally {
    folder.remove();
  }
}

function rowsOf(only: string): TableRow[] {
  const rows = TABLE.filter(({ name }) => name.includes(only));
  if (rows.length > 0) return rows;
  const names = TABLE.map(({ name }) => name).join('; ');
  throw usageError('bad --only', { got: JSON.stringify(only), expected: `a part of the name of a row: ${names}` });
}

function roundsOf(text: string): number {
  const rounds = parseNumber(text, '--rounds', ROUNDS_END);
  if (rounds > 0) return rounds;
  throw usageError('bad --rounds', { got: text, expected: '1 or more' });
}

/** As the table says it: a row that was not run is skipped. */
function jsonOf({ machine, rows, contestants }: TableReport): object {
  return { machine, rows: rows.map((row) => ({ ...row, verdict: showVerdict(row) })), contestants };
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw inputError('cannot write', { file, got: (error as Error).message });
  }
}

/** On stderr where that is a terminal, over what was shown before. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
