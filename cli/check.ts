import type { Command } from 'commander';
import { ExitCode, usageError } from '../events/index.js';
import { checkHistory, readHistory, STEPS_MAX, type Scalar } from '../replay/index.js';
import { historyText } from './history_text.js';
import { readPieces } from './input.js';
import { note, print } from './output.js';
import { Progress } from './progress.js';

interface CheckCliOptions {
  readonly initial: string;
  readonly budget?: string;
  readonly json?: boolean;
}

const EXIT_CODES = { ok: ExitCode.ok, violated: ExitCode.violated, unknown: ExitCode.noVerdict } as const;

/** `p2m check HISTORY`: whether operations on registers are linearizable. */
export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check that a history of reads and writes of registers is linearizable')
    .argument('<history>', 'operations in the JSON form of Jepsen, one event a line, plain or gzip, or - for stdin')
    .option('--initial <value>', 'what each register holds at first, as JSON', 'null')
    .option('--budget <steps>', `most steps of search for one key, beyond one an event (default: ${STEPS_MAX})`)
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
A line is {"process", "type", "f", "key", "value", "time"}: type is invoke, then ok, fail (no effect) or info (nobody
knows); f is read, write or cas (value: [old, new]). Without key there is one register; without time the order is that
of the lines. Of each key whose operations have no order, the report names a few that have none by themselves, and why.
Exit: 0 ok, 1 violated, 2 usage, 3 bad input, 4 unknown (the budget was too small for some keys, and none is violated).

Example:
  p2m check test/histories/stale-read.jsonl`,
    )
    .action(async (history: string, options: CheckCliOptions) => {
      process.exitCode = await run(history, options);
    });
}

async function run(path: string, { initial, budget, json }: CheckCliOptions): Promise<number> {
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
