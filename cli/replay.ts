import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Command } from 'commander';
import { ExitCode, inputError, usageError } from '../events/index.js';
import { replayRecording, type Divergence, type Files, type ReplayReport } from '../replay/index.js';
import { colors } from './colors.js';
import { isFolder, readBytes } from './input.js';
import { log } from './log.js';
import { note, print } from './output.js';

interface ReplayCliOptions {
  readonly kernel?: string;
  readonly memory: string;
  readonly json?: boolean;
}

/** Divergences that people are shown; --json has more. */
const SHOWN_MAX = 10;

/** `p2m replay FOLDER`: a recording of a real domain against the model. */
export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('replay a recording of a real Xen PV domain and check every value in it')
    .argument('<folder>', 'recording: replay.json, ftrace logs, dumps of the list (plain or gzip)')
    .option('--kernel <version>', 'kernel form to replay against, instead of the one in replay.json')
    .option('--memory <kind>', 'flat or paged', 'flat')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
Starts from a dump, runs each call of the log in the model, compares every return value and looked-up mfn, then the
final list word by word and the kind of every page with the next dump.
Exit: 0 ok, 1 violated, 2 usage, 3 bad input, 4 incomplete (events are missing in the log).

Example:
  p2m replay test/recordings/k61-512M-balloon`,
    )
    .action((folder: string, options: ReplayCliOptions) => {
      process.exitCode = run(folder, options);
    });
}

function run(folder: string, options: ReplayCliOptions): number {
  const { memory, kernel } = options;
  if (memory !== 'paged' && memory !== 'flat') {
    throw usageError('unknown memory', { got: JSON.stringify(memory), expected: 'paged or flat' });
  }
  const began = performance.now();
  const report = replayRecording(filesOf(folder), { memory, ...(kernel === undefined ? {} : { kernel }) });
  const elapsedMs = Math.round(performance.now() - began);
  log.info({ folder, verdict: report.verdict, elapsedMs }, 'replayed');
  // Even where nobody reads the report to its end.
  process.exitCode = report.exitCode;
  if (options.json === true) print(JSON.stringify({ ...report, elapsedMs }, null, 2));
  // Where nothing was read there is nothing to report but the error.
  else if (report.steps.length > 0) for (const line of describe(folder, report)) print(line);
  if (report.error !== undefined) note(`error: ${report.error.message}`);
  else if (options.json !== true) {
    note(`${report.events} events in ${elapsedMs} ms`);
    if (report.exitCode !== ExitCode.ok) note(`repeat with: p2m replay ${quoted(folder)}${flags(options)}`);
  }
  return report.exitCode;
}

/** A word for the shell. */
function quoted(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function flags({ kernel, memory }: ReplayCliOptions): string {
  return `${kernel === undefined ? '' : ` --kernel ${kernel}`}${memory === 'flat' ? '' : ` --memory ${memory}`}`;
}

/** Files of a folder by name; a name with a path in it is none. */
function filesOf(folder: string): Files {
  return (name) => {
    if (!isFolder(folder))
      throw inputError('not a recording', { file: folder, expected: 'a folder with a replay.json' });
    if (name.includes('/') || name.includes('\\') || name.startsWith('.')) return undefined;
    const file = join(folder, name);
    return existsSync(file) ? readBytes(file) : undefined;
  };
}

/** The report as people read it; the same input gives the same lines. */
function describe(folder: string, r: ReplayReport): string[] {
  const kernel = r.form === '' ? '' : `Linux ${r.kernel} (form ${r.form}), `;
  const lines = [`${folder}: ${kernel}${r.geometry}, ${r.memory} memory`];
  for (const step of r.steps) {
    lines.push(`  ${step.from ?? '?'} -> ${step.log} -> ${step.to ?? '?'}: ${step.verdict ?? 'not read to its end'}`);
    for (const compared of [...step.checkpoints, ...(step.final === null ? [] : [step.final])]) {
      const beyond = compared.beyond === 0 ? '' : `, ${compared.beyond} stores beyond it`;
      lines.push(`    dump ${compared.dump}: ${compared.compared} words, ${compared.differences} differences${beyond}`);
    }
  }
  lines.push(`events: ${r.events} by ${list(r.tasks)}`);
  lines.push(`calls: ${list(r.operations)}`);
  const { checked, unchecked, lost } = r;
  lines.push(
    `checked: ${checked.returns} returns, ${checked.lookups} look-ups, ${checked.entries} words, ${checked.ptes} pages of the list`,
  );
  if (unchecked.returns + unchecked.lookups > 0) {
    lines.push(`unchecked (no return probe): ${unchecked.returns} returns, ${unchecked.lookups} look-ups`);
  }
  if (Object.keys(r.unused).length > 0) lines.push(`not used: ${list(r.unused)}`);
  if (r.overlaps + r.ties > 0)
    lines.push(`overlapping calls: ${r.overlaps}; lines at the time of the line before, on another CPU: ${r.ties}`);
  if (lost.events + lost.lines + lost.returns > 0) {
    lines.push(`lost: ${lost.events} events, ${lost.lines} lines, ${lost.returns} returns or entries`);
  }
  for (const divergence of r.divergences.slice(0, SHOWN_MAX)) lines.push(...describeDivergence(divergence));
  if (r.divergenceCount > SHOWN_MAX) lines.push(`... and ${r.divergenceCount - SHOWN_MAX} more divergences`);
  lines.push(`verdict: ${r.verdict ?? 'none: the input could not be read to its end'}`);
  return lines;
}

function describeDivergence(d: Divergence): string[] {
  const where = d.line > 0 ? `${d.file}:${d.line}` : d.file;
  const lines = [
    `${where}: ${colors.red('error')}: ${d.operation}, pfn ${d.pfn}: recorded ${d.actual}, the model says ${d.expected}`,
  ];
  if (d.text !== '') lines.push(`  ${d.text}`);
  return lines;
}

function list(counts: Readonly<Record<string, number>>): string {
  const names = Object.entries(counts).map(([name, n]) => `${name} ${n}`);
  return names.length > 0 ? names.join(', ') : 'none';
}
