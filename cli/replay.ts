import { performance } from 'node:perf_hooks';
import type { Command } from 'commander';
import { ExitCode, usageError } from '../events/index.js';
import { replayLog, replayRecording, type ReplayOptions } from '../replay/index.js';
import { isLogFolder } from '../node/log_storage.js';
import { EventFiles } from './event_files.js';
import { filesBelow, isFolder } from './input.js';
import { note, print } from './output.js';
import { folderFiles, logInput, type ReplayDumps } from './replay_input.js';
import { reportText } from './report_text.js';
import { Progress } from './progress.js';
import { quoted } from './quoted.js';

interface ReplayCliOptions extends ReplayDumps {
  readonly kernel?: string;
  readonly memory: string;
  readonly output?: string;
  readonly chain?: boolean;
  readonly json?: boolean;
  readonly interactive?: boolean;
  readonly execute?: string;
}

/** `p2m replay PATH`: a recording of a real domain, or one log, against the model. */
export function addReplay(program: Command): void {
  program
    .command('replay')
    .description('replay a recording of a real Xen PV domain, or one log, and check every value in it')
    .argument('<path>', 'recording folder (replay.json, logs, dumps), a log file, or - for a log on stdin')
    .option('--init <dump>', 'list before the log: xen_p2m_addr[0..N) as 64-bit words (a log only)')
    .option('--init-pt <file>', 'page kinds of that list, p2m-NAME.pt.txt')
    .option('--expect <dump>', 'list to compare with after the log')
    .option('--expect-pt <file>', 'page kinds of that list')
    .option('--kernel <version>', 'kernel form to replay against, instead of the one in replay.json; a log: 7.0')
    .option('--memory <kind>', 'flat or paged', 'flat')
    .option('-o, --output <file>', 'keep every event: FILE.p2mlog, or FILE.jsonl as text')
    .option('--chain', 'check the chain of SHA-256 of a .p2mlog too, each block before it is played')
    .option('--json', 'one JSON object instead of text')
    .option('-i, --interactive', 'go through an event log by hand, both ways: docs/time-travel.md')
    .option('-x, --execute <file>', 'the same by a file of commands, one a line; - for stdin')
    .addHelpText(
      'after',
      `
Runs each call of the log in the model, in another order where calls overlap and only that explains what was recorded,
compares every return value, looked-up mfn and page-table frame, then the final list word by word and the kind of every
page with the dump. Without a dump nothing is known at first; what recorded results decide is checked from then on.
Reads ftrace text, trace-cmd report, perf script, early-boot call logs, .jsonl and .p2mlog; plain or gzip.
Exit: 0 ok, 1 violated, 2 usage, 3 bad input, 4 incomplete (events are missing in the log) or unknown.

Examples:
  p2m replay test/recordings/k61-512M-balloon
  p2m replay trace.txt.gz --kernel 6.1 --init p2m-before.bin.gz --init-pt p2m-before.pt.txt -o run.p2mlog
  p2m replay -i run.p2mlog`,
    )
    .action(async (path: string, options: ReplayCliOptions) => {
      const isTravel = options.interactive === true || options.execute !== undefined;
      process.exitCode = isTravel
        ? await (await import('./travel.js')).travel(path, options)
        : await run(path, options);
    });
}

async function run(path: string, options: ReplayCliOptions): Promise<number> {
  const { memory, kernel } = options;
  if (memory !== 'paged' && memory !== 'flat') {
    throw usageError('unknown memory', { got: JSON.stringify(memory), expected: 'paged or flat' });
  }
  const began = performance.now();
  const progress = new Progress();
  const kept = options.output === undefined ? undefined : new EventFiles(options.output, inputsOf(path, options));
  const replayOptions: ReplayOptions = {
    memory,
    ...(kernel === undefined ? {} : { kernel }),
    ...(options.chain === undefined ? {} : { chain: options.chain }),
    ...(kept === undefined ? {} : { keeper: (header, codec) => kept.begin(header, codec) }),
  };
  const report =
    isFolder(path) && !isLogFolder(path)
      ? await replayRecording(folderFiles(path, options, progress), replayOptions)
      : await replayLog(logInput(path, options, progress), replayOptions);
  progress.end();
  const logs = kept?.close() ?? [];
  const elapsedMs = Math.round(performance.now() - began);
  // Even where nobody reads the report to its end.
  process.exitCode = report.exitCode;
  if (options.json === true) print(JSON.stringify({ ...report, elapsedMs }, null, 2));
  // Where nothing was read there is nothing to report but the error.
  else if (report.steps.length > 0) for (const line of reportText(path, report)) print(line);
  if (logs.length > 0) note(`kept in ${logs.join(', ')}`);
  if (report.error !== undefined) note(`error: ${report.error.message}`);
  else if (options.json !== true) {
    const perSecond = Math.round(report.events / Math.max(0.001, elapsedMs / 1000));
    note(`${report.events} events in ${elapsedMs} ms, ${perSecond} events/s`);
    if (report.exitCode !== ExitCode.ok) note(`repeat with: p2m replay ${quoted(path)}${flags(options)}`);
  }
  return report.exitCode;
}

function flags(options: ReplayCliOptions): string {
  const { init, initPt, expect, expectPt, kernel, memory, chain } = options;
  const given = Object.entries({ init, 'init-pt': initPt, expect, 'expect-pt': expectPt, kernel });
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]));
  if (memory !== 'flat') words.push(`--memory ${memory}`);
  if (chain === true) words.push('--chain');
  return words.map((word) => ` ${word}`).join('');
}

/** The files that the command reads, as far as they are named. */
function inputsOf(path: string, { init, initPt, expect, expectPt }: ReplayCliOptions): string[] {
  const files = [path, init, initPt, expect, expectPt].filter((file) => file !== undefined);
  return isFolder(path) ? [...files, ...filesBelow(path, () => true)] : files;
}
