import { Option, type Command } from 'commander';
import { usageError } from '../events/index.js';

/** How a log is to be opened that is a recording's; `addLogOptions` adds them to a verb. */
export interface LogOptions {
  readonly init?: string;
  readonly initPt?: string;
  readonly kernel?: string;
  /** Number of a step of a recording's folder, from 1 on. */
  readonly step?: number;
}

/** Adds the options of `openStoredLog` to a verb: how a recording is replayed before it is asked. */
export function addLogOptions(command: Command): Command {
  return command
    .addOption(new Option('--init <dump>', "a kernel's log: the list before it, 64-bit words"))
    .addOption(new Option('--init-pt <file>', "a kernel's log: the page kinds of that list"))
    .addOption(new Option('--kernel <version>', 'a recording: the kernel form to replay it with'))
    .addOption(new Option('--step <n>', 'a recording of several steps: which one').argParser(stepOf));
}

function stepOf(text: string): number {
  const step = Number(text);
  if (/^\d+$/.test(text) && step >= 1 && Number.isSafeInteger(step)) return step;
  throw usageError('bad --step', { got: JSON.stringify(text), expected: 'the number of a step, from 1 on' });
}
