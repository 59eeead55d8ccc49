import type { Command } from 'commander';
import { ExitCode, P2mError, usageError } from '../events/index.js';
import {
  conform,
  conformConcurrency,
  isConcurrencyVector,
  readConcurrencyVector,
  readVector,
  type Failure,
} from '../replay/index.js';
import { filesBelow, readText } from './input.js';
import { log } from './program_log.js';
import { note, print } from './output.js';

interface ConformOptions {
  readonly memory: string;
  readonly json?: boolean;
}

/** `p2m conform PATH...`: golden vectors against the model. */
export function addConform(program: Command): void {
  program
    .command('conform')
    .description('compare the model with golden vectors made by real kernel code')
    .argument('<path...>', 'vectors (.jsonl, .json, plain or gzip), or folders of them')
    .option('--memory <kind>', 'paged, or flat where the form allows it', 'paged')
    .option('--json', 'one JSON object instead of lines')
    .addHelpText(
      'after',
      `
A sequential vector (.jsonl) is run operation by operation; of a concurrency vector (.json) every interleaving is
explored, on the paged memory: outcomes, count and fewest switches of each, and each schedule.

A line a failure: FILE:LINE: OP FIELD: got ..., want ...; last: N passed, N failed (files).
Exit: 0 all passed, 1 some failed, 2 usage, 3 no vector found.

Example:
  p2m conform test/vectors/sequential
  p2m conform test/vectors/concurrency`,
    )
    .action((paths: string[], options: ConformOptions) => {
      process.exitCode = run(paths, options);
    });
}

function run(paths: readonly string[], options: ConformOptions): number {
  const { memory } = options;
  if (memory !== 'paged' && memory !== 'flat') {
    throw usageError('unknown memory', { got: JSON.stringify(memory), expected: 'paged or flat' });
  }
  const files = paths.flatMap((path) => filesBelow(path, (name) => /\.jsonl?(\.gz)?$/.test(name)));
  if (files.length === 0) {
    note(`error: no vectors: got ${paths.join(', ')}, want files or folders with .jsonl or .json files, plain or .gz`);
    return ExitCode.badInput;
  }
  let passed = 0;
  let skipped = 0;
  const failures: Failure[] = [];
  const failedFiles = new Set<string>();
  for (const file of files) {
    const found = check(file, memory);
    log.debug({ file, failures: found?.length ?? 'skipped' }, 'vector');
    if (found === undefined) skipped++;
    else if (found.length === 0) passed++;
    else failedFiles.add(file);
    for (const failure of found ?? []) {
      failures.push(failure);
      // Even where nobody reads the rest of the lines.
      process.exitCode = ExitCode.violated;
      if (options.json !== true) print(line(failure));
    }
  }
  const failed = failedFiles.size;
  if (skipped > 0) note(`note: ${skipped} files skipped: not for the flat memory`);
  if (options.json === true) print(JSON.stringify({ passed, failed, skipped, failures }));
  else print(`${passed} passed, ${failed} failed`);
  return failed > 0 ? ExitCode.violated : ExitCode.ok;
}

/**
 * The failures of one file; undefined where it is not for the flat memory: the form has no linear list, or interleavings
 * are to be explored, which may map a frame twice.
 */
function check(file: string, memory: 'paged' | 'flat'): Failure[] | undefined {
  try {
    const text = readText(file);
    if (isConcurrencyVector(text)) {
      return memory === 'flat' ? undefined : conformConcurrency(readConcurrencyVector(text, file));
    }
    const vector = readVector(text, file);
    if (memory === 'flat' && vector.form.structure !== 'linear') return undefined;
    return conform(vector, memory);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    return [{ file, line: error.complaint.line ?? 0, op: '-', field: '-', got: error.message, expected: 'a vector' }];
  }
}

function line({ file, line: n, op, field, got, expected }: Failure): string {
  return field === '-'
    ? `error: ${got.split('\n', 1)[0]!}`
    : `${file}:${n}: ${op} ${field}: got ${got}, want ${expected}`;
}
