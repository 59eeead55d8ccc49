import type { Command } from 'commander';
import { ExitCode, usageError, verifyLog, type LogSummary, type P2mError } from '../events/index.js';
import { logStorage } from '../node/log_storage.js';
import { counted } from './counted.js';
import { note, print } from './output.js';
import { quoted } from './quoted.js';

interface VerifyOptions {
  readonly head?: string;
  readonly json?: boolean;
}

/** `p2m verify LOG`: can this log be believed? */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description(
      'check every byte of a binary log: checksums, the chain over its blocks, each record, that nothing is missing',
    )
    .argument('<log>', 'a .p2mlog file, or a folder of segments')
    .option('--head <hash>', 'a chain head that p2m seal printed: nothing before it may have changed')
    .option('--json', 'a JSON object a line: findings, then what the log is')
    .addHelpText(
      'after',
      `
Tells of each finding as it comes and goes on behind it. A chain of SHA-256 runs over all blocks: who knows its head, as
p2m seal prints it, sees whether anything before it was changed, left out or added, checksums that are right or not.
Exit: 0 ok, 1 not the log that was sealed, 3 damaged or torn, 4 in order, but its writer has not closed it.

Examples:
  p2m verify run.p2mlog
  p2m verify run.p2mlog --head $(cat run.head)`,
    )
    .action((path: string, options: VerifyOptions) => {
      process.exitCode = run(path, options);
    });
}

function run(path: string, { head, json = false }: VerifyOptions): number {
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) {
    throw usageError('bad --head', {
      got: JSON.stringify(head),
      expected: '64 hexadecimal digits, as p2m seal prints them',
    });
  }
  const verification = verifyLog(logStorage(path), head);
  for (;;) {
    const next = verification.next();
    if (next.done === true) return told(path, next.value, head, json);
    tell(next.value, json);
  }
}

function tell({ message, complaint }: P2mError, json: boolean): void {
  print(json ? JSON.stringify({ finding: message, ...complaint }) : message);
}

function told(path: string, summary: LogSummary, head: string | undefined, json: boolean): number {
  const { exitCode, verdict, words } = judged(summary, head);
  if (json) print(JSON.stringify({ verdict, exitCode, ...summary }));
  else {
    const { segments, blocks, events } = summary;
    print(`${path}: ${counted(events, 'event')} in ${counted(blocks, 'block')} of ${counted(segments, 'segment')}`);
    if (summary.head !== undefined) print(`head: ${summary.head}`);
    for (const line of words) print(line);
    print(`verdict: ${verdict}`);
  }
  if (summary.end === 'torn') note(`a writer was killed here: p2m repair ${quoted(path)}`);
  return exitCode;
}

interface Judged {
  readonly verdict: 'ok' | 'violated' | 'incomplete';
  readonly exitCode: number;
  readonly words: readonly string[];
}

function judged({ end, sealed, findings }: LogSummary, head: string | undefined): Judged {
  if (head !== undefined) {
    if (sealed !== undefined && sealed.findings === 0) {
      const words = [
        `sealed: the first ${counted(sealed.events, 'event')} are those that ${short(head)} was printed for`,
      ];
      if (findings === 0) return { verdict: 'ok', exitCode: ExitCode.ok, words };
      return { verdict: 'violated', exitCode: ExitCode.badInput, words };
    }
    const what = sealed === undefined ? 'no block has this chain' : 'something before it is damaged';
    const words = [
      `not sealed by ${short(head)}: ${what}; this is not the log that it was printed for, or not all of it`,
    ];
    return { verdict: 'violated', exitCode: ExitCode.violated, words };
  }
  if (findings > 0) return { verdict: 'violated', exitCode: ExitCode.badInput, words: [counted(findings, 'finding')] };
  if (end === 'closed') return { verdict: 'ok', exitCode: ExitCode.ok, words: [] };
  const words = ['its writer has not closed it: it still writes, or was killed; what is there is in order'];
  return { verdict: 'incomplete', exitCode: ExitCode.noVerdict, words };
}

function short(head: string): string {
  return `${head.slice(0, 12)}...`;
}
