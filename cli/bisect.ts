import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ExitCode, inputError, usageError, viewEvent, type P2mEvent, type StoredLog } from '../events/index.js';
import {
  bisect,
  INVARIANT_NAMES,
  INVARIANTS,
  listEnd,
  listStands,
  loggedOperationOf,
  parseMoment,
  resolveMoment,
  scanFor,
  Timeline,
  type InvariantName,
  type MomentVerdict,
} from '../replay/index.js';
import { isTree, lookUp } from '../src/index.js';
import { counted } from './counted.js';
import { entryText, runsText } from './list_text.js';
import { operationJson } from './log_text.js';
import { eventText } from './moment_text.js';
import { hex } from './numbers.js';
import { print } from './output.js';
import { quoted } from './quoted.js';
import { keptFactsOf, timelineTo } from './log_index.js';
import { addLogOptions, openStoredLog, type LogOptions } from './stored_log.js';

interface BisectCliOptions extends LogOptions {
  readonly check?: string;
  readonly command?: string;
  readonly good?: string;
  readonly bad?: string;
  readonly json?: boolean;
}

/** What was found, for people and for --json. */
interface Report {
  readonly verdict: 'broken' | 'held' | 'unknown';
  /** The event after which it is broken. */
  readonly seq?: number;
  readonly decidedAt?: number;
  readonly says: string;
}

const NAMES = INVARIANT_NAMES.map((name) => `  ${name.padEnd(24)}${INVARIANTS[name].holds}`).join('\n');

/** `p2m bisect LOG --check INVARIANT|COMMAND`: the first event after which something is broken. */
export function addBisect(program: Command): void {
  const command = program
    .command('bisect')
    .description('the first event of a log after which an invariant, or a command of yours, fails')
    .argument('<log>', 'event log')
    .option('--check <what>', "an invariant's name (below), or a command of more than a word")
    .option('--command <cmd>', 'a shell command: reads the list on stdin')
    .option(
      '--good <moment>',
      'where the command is good: N (right after event N), 12.345s, @TIMESTAMP; default: start',
    )
    .option('--bad <moment>', 'where it is bad; default: end')
    .option('--json', 'one JSON object instead of text');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
Invariants (what is always so; they are looked at after every event, so what is put right later is found, too; where an
operation in the middle may break one, it counts once that operation has returned):
${NAMES}

A command is run on moments by halves, as git bisect run does: what is broken once must stay broken. It gets the list as
runs ('p2m at') on stdin, nothing before the boot has built it, and the number of the last event in P2M_SEQ (-1: none);
exit 0 good, 125 cannot tell, others up to 127 bad.
Exit: 0 never broken, 1 found, 2 usage, 3 bad input, 4 cannot tell.

Examples:
  p2m bisect race.p2mlog --check shared-pte-page-written
  p2m bisect run.p2mlog --command '! grep -q "foreign"'
  p2m bisect run.p2mlog --good 4019 --command 'grep -q "0x9f,0x100) identity"'`,
    )
    .action(async (path: string, options: BisectCliOptions) => {
      process.exitCode = await run(path, options);
    });
}

async function run(path: string, options: BisectCliOptions): Promise<number> {
  const { invariant, command } = what(options);
  if (invariant !== undefined && (options.good ?? options.bad) !== undefined) {
    throw usageError('--good and --bad are of a command', { got: `--check ${invariant}`, expected: '--command' });
  }
  const ends = [options.good ?? 'start', options.bad ?? 'end'].map(parseMoment);
  const log = await openStoredLog(path, options);
  const [good, bad] = ends.map((moment) => resolveMoment(log, moment, keptFactsOf(log, path))) as [number, number];
  if (good > bad) {
    throw usageError('--good is behind --bad', { got: `${options.good}`, expected: 'a moment before it' });
  }
  const report =
    invariant !== undefined ? checkInvariant(log, invariant) : await runCommand(log, path, command!, good, bad);
  const exitCode = { held: ExitCode.ok, broken: ExitCode.violated, unknown: ExitCode.noVerdict }[report.verdict];
  process.exitCode = exitCode;
  const name = invariant ?? command!;
  if (options.json === true) {
    const found = report.seq === undefined ? {} : eventJson(log, report.seq);
    print(JSON.stringify({ check: name, ...report, ...found, exitCode }, null, 2));
  } else for (const line of reportLines(log, path, name, report)) print(line);
  return exitCode;
}

/** As `p2m log --json` has it. */
function eventJson(log: StoredLog, seq: number): object {
  return { event: eventAt(log, seq), operation: operationJson(loggedOperationOf(log, seq), log.codec) };
}

function eventAt(log: StoredLog, seq: number): P2mEvent {
  const block = log.blockOf(seq);
  return viewEvent(log.read(block), seq - log.seqOf(block), log.codec, seq);
}

/** An invariant's name or a command: one word that is no name is a mistake, not a command. */
function what({ check, command }: BisectCliOptions): { invariant?: InvariantName; command?: string } {
  if ((check === undefined) === (command === undefined)) {
    throw usageError('nothing to look for', {
      got: check === undefined ? 'neither' : 'both',
      expected: '--check or --command',
    });
  }
  if (command !== undefined) return { command };
  const invariant = INVARIANT_NAMES.find((name) => name === check);
  if (invariant !== undefined) return { invariant };
  if (/^[\w-]*$/.test(check!)) {
    throw usageError('unknown invariant', {
      got: JSON.stringify(check),
      expected: INVARIANT_NAMES.join(', '),
      hint: 'a command of one word goes with --command',
    });
  }
  return { command: check! };
}

function checkInvariant(log: StoredLog, name: InvariantName): Report {
  const result = scanFor(log, INVARIANTS[name]);
  switch (result.verdict) {
    case 'broken':
      return result;
    case 'held':
      return { verdict: 'held', says: `${name}, after none of ${counted(log.events, 'event')}` };
    case 'unknown':
      return { verdict: 'unknown', says: result.why };
  }
}

/** Between two moments, the first one good and the last one bad. */
async function runCommand(log: StoredLog, path: string, command: string, first: number, last: number): Promise<Report> {
  const timeline = timelineTo(log, path, last);
  let runs = 0;
  const result = await bisect(first, last, (moment) => {
    runs++;
    timeline.goTo(moment);
    const { memory } = timeline;
    const lines = listStands(memory) ? runsText(memory, 0, listEnd(memory)) : [];
    return judge(command, moment - 1, lines.map((line) => `${line}\n`).join(''));
  });
  const assuming = `${counted(runs, 'run')}; taken for granted: once broken it stays broken`;
  switch (result.verdict) {
    case 'never':
      return { verdict: 'held', says: `the command is good at the last moment (${assuming})` };
    case 'unknown':
      return { verdict: 'unknown', says: `${result.why} (${assuming})` };
    case 'found': {
      const { good, bad } = result;
      if (bad - good > 1) {
        const says = `first bad is one of events ${good} to ${bad - 1}: the command cannot tell between (${assuming})`;
        return { verdict: 'unknown', says };
      }
      return { verdict: 'broken', seq: good, decidedAt: good, says: `the command is bad from here on (${assuming})` };
    }
  }
}

/** Runs the command, its stdout and stderr to our stderr. @throws {P2mError} it cannot be run, or was killed */
function judge(command: string, seq: number, list: string): Promise<MomentVerdict> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, P2M_SEQ: String(seq) };
    const child = spawn('sh', ['-c', command], { env, stdio: ['pipe', 2, 2] });
    child.on('error', (error) => {
      reject(inputError('cannot run the command', { got: error.message }));
    });
    // A command that does not read its input is none the worse for it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(list);
    child.on('close', (code, signal) => {
      if (code === 0) resolve('good');
      else if (code === 125) resolve('skip');
      else if (code !== null && code < 128) resolve('bad');
      else
        reject(inputError('the command has not judged', { got: signal ?? `exit ${code}`, expected: 'exit 0 to 127' }));
    });
  });
}

function reportLines(log: StoredLog, path: string, name: string, { verdict, seq, decidedAt, says }: Report): string[] {
  if (verdict === 'held') return [`never broken: ${says}`];
  if (verdict === 'unknown' || seq === undefined) return [`cannot tell: ${says}`];
  const lines = [`broken: ${name}, first after event ${seq}`, `  ${says}`, `event: ${eventText(log, seq)}`];
  if (decidedAt !== undefined && decidedAt !== seq) {
    lines.push(`decided: ${eventText(log, decidedAt)}, when no operation there was in the middle any more`);
  }
  return [...lines, ...beforeAndAfter(log, seq), `p2m show ${quoted(path)} ${seq}`];
}

/** The event, and look-ups of its pfn, or of its operation's, right before and right after it. */
function beforeAndAfter(log: StoredLog, seq: number): string[] {
  const event = eventAt(log, seq);
  const { seq: _, cpu: _cpu, op: _op, kind, ...fields } = event;
  const texts = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
  );
  const lines = [`        ${kind} ${texts.join(' ')}`];
  const pfn = 'pfn' in event ? event.pfn : loggedOperationOf(log, seq)?.call?.pfn;
  if (pfn === undefined) return lines;
  const timeline = new Timeline(log);
  for (const [when, moment] of [
    ['before', seq],
    ['after', seq + 1],
  ] as const) {
    timeline.goTo(moment);
    const { memory } = timeline;
    if (!isTree(memory) && !listStands(memory)) continue;
    lines.push(`${`${when}:`.padEnd(8)}pfn ${hex(pfn)} reads ${entryText(memory.codec, lookUp(memory, pfn))}`);
  }
  return lines;
}
