import type { Command } from 'commander';
import { ExitCode, usageError } from '../events/index.js';
import { openSegmentedLog } from '../node/index.js';
import { checkHistory, checkLogRegisters, readHistory, STEPS_MAX, type Scalar } from '../replay/index.js';
import { historyText } from './history_text.js';
import { readPieces } from './input.js';
import { noteEnd } from './log_end.js';
import { note, print } from './output.js';
import { Progress } from './progress.js';
import { registerText } from './register_text.js';
import { isStoredAsIs } from './stored_log.js';

interface CheckCliOptions {
  readonly initial?: string;
  readonly budget?: string;
  readonly json?: boolean;
}

const EXIT_CODES = { ok: ExitCode.ok, violated: ExitCode.violated, unknown: ExitCode.noVerdict } as const;

/** `p2m check HISTORY`: whether operations on registers are linearizable, those of a history or of the entries of a log. */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check that a history of reads and writes of registers is linearizable')
    .argument(
      '<history>',
      'operations in the JSON form of Jepsen, one event a line, plain or gzip, or - for stdin; or a .p2mlog, or its folder',
    )
    .option('--initial <value>', 'what each register of a history holds at first, as JSON (default: null)')
    .option('--budget <steps>', `most steps of search for one key, beyond one an event (default: ${STEPS_MAX})`)
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
A line is {"process", "type", "f", "key", "value", "time"}: type is invoke, then ok, fail (no effect) or info (nobody
knows); f is read, write or cas (value: [old, new]). Without key there is one register; without time the order is that
of the lines. Of each key whose operations have no order, the report names a few that have none by themselves, and why.
Of a .p2mlog each pfn is a register: look-ups read it, sets and what other operations stored write it, each within its call
and return.
Exit: 0 ok, 1 violated, 2 usage, 3 bad input, 4 unknown (the budget was too small for some keys, and none is violated).

Examples:
  p2m check test/histories/stale-read.jsonl
  p2m check run.p2mlog`,
    )
    .action(async (history: string, options: CheckCliOptions) => {
      process.exitCode = await run(history, options);
    });
}

async function run(path: string, given: CheckCliOptions): Promise<number> {
  return path !== '-' && isStoredAsIs(path) ? checkLog(path, given) : checkFile(path, given);
}

function checkLog(path: string, { initial, budget, json }: CheckCliOptions): number {
  if (initial !== undefined) {
    throw usageError('a log says itself what its entries are at first', { got: `--initial ${initial}` });
  }
  const log = openSegmentedLog(path);
  const report = checkLogRegisters(log, budget === undefined ? {} : { stepsMax: budgetOf(budget) });
  const exitCode = EXIT_CODES[report.verdict];
  process.exitCode = exitCode;
  if (json === true) {
    const { verdict, violations, ...rest } = report;
    const told = violations.map((violation) => ({ ...violation, initial: log.codec.toHex(violation.initial) }));
    print(JSON.stringify({ verdict, exitCode, ...rest, violations: told }, null, 2));
  } else for (const line of registerText(log, report)) print(line);
  noteEnd(log);
  if (report.unknown.length > 0) note('note: a larger --budget may decide the pfns that are unknown');
  log.close();
  return exitCode;
}

async function checkFile(path: string, { initial = 'null', budget, json }: CheckCliOptions): Promise<number> {
  const options = {
    initial: initialOf(initial),
    ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
  };
  const progress = new Progress();
  const file = path === '-' ? 'stdin' : path;
  const history = await readHistory(progress.watch(readPieces(path), path), file).finally(() => progress.end());
  const report = checkHistory(history, options);
  const exitCode = EXIT_CODES[report.verdict];
  // Even where nobody reads the report to its end.
  process.exitCode = exitCode;
  if (json === true) {
    const { verdict, ...rest } = report;
    print(JSON.stringify({ verdict, exitCode, ...rest }, null, 2));
  } else for (const line of historyText(file, history, report)) print(line);
  if (report.unknown.length > 0) note('note: a larger --budget may decide the keys that are unknown');
  return exitCode;
}

function initialOf(text: string): Scalar {
  try {
    const value: unknown = JSON.parse(text);
    const isInexact = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
    if ((typeof value !== 'object' || value === null) && !isInexact) return value as Scalar;
  } catch {
    // Said below.
  }
  const expected = `a value of the history, as JSON: 0, null, '"text"'`;
  throw usageError('bad --initial', { got: text, expected });
}

function budgetOf(text: string): number {
  const budget = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(budget) && budget > 0) return budget;
  throw usageError('bad --budget', { got: JSON.stringify(text), expected: 'a number of steps, 1 or more' });
}
