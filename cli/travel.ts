import { appendFileSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { ExitCode, P2mError, usageError } from '../events/index.js';
import { TravelSession, type TravelReply } from '../replay/index.js';
import { readText } from './input.js';
import { note, print } from './output.js';
import { builtIndexOf } from './log_index.js';
import { openStoredLog, type LogOptions } from './stored_log.js';

/** Lines of the history that are kept at hand. */
const HISTORY_LINES = 1000;

/** What `p2m replay` was given beside the log. */
export interface TravelCliOptions extends LogOptions {
  /** File of commands. */
  readonly execute?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/**
 * `p2m replay -i LOG`: through a log by hand, or by a script of commands, a line each. Returns the exit code.
 * @throws {P2mError} the log cannot be read; a line of a script is refused
 */
export async function travel(path: string, options: TravelCliOptions): Promise<number> {
  const { execute, output, json } = options;
  if (output !== undefined || json === true) {
    throw usageError('going through a log writes no report and no log', {
      got: json === true ? '--json' : '--output',
      expected: '-i or -x by itself',
    });
  }
  const script = execute ?? (process.stdin.isTTY ? undefined : '-');
  if (script === '-' && path === '-') throw usageError('two files from stdin', { expected: '- once' });
  const log = await openStoredLog(path, options);
  const session = new TravelSession(log, 'paged', builtIndexOf(log, path));
  if (script !== undefined) return runScript(session, readText(script));
  return converse(session);
}

/** What somebody at a terminal would see; the first line that is refused ends it. `#` begins a comment. */
async function runScript(session: TravelSession, text: string): Promise<number> {
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    print(`${session.prompt}${line}`);
    const { lines, isOver } = await run(session, line, () => false);
    for (const each of lines) print(each);
    if (isOver) break;
  }
  return ExitCode.ok;
}

/** With somebody at a terminal, until they go. */
async function converse(session: TravelSession): Promise<number> {
  const terminal = openTerminal(session);
  let isStopped = false;
  let isMoving = false;
  terminal.on('SIGINT', () => {
    isStopped = true;
    // In the middle of a line: it is given up, as in a shell.
    if (!isMoving) terminal.write(null, { ctrl: true, name: 'u' });
  });
  print(session.greeting);
  terminal.setPrompt(session.prompt);
  terminal.prompt();
  for await (const line of terminal) {
    isStopped = false;
    isMoving = true;
    if (await answer(session, line, () => isStopped)) break;
    isMoving = false;
    terminal.setPrompt(session.prompt);
    terminal.prompt();
  }
  terminal.close();
  return ExitCode.ok;
}

/** Whether somebody wants to go. What is refused is told, and they go on. */
async function answer(session: TravelSession, line: string, isStopped: () => boolean): Promise<boolean> {
  keepLine(line);
  try {
    const { lines, isOver } = await run(session, line, isStopped);
    for (const each of lines) print(each);
    return isOver;
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    note(`error: ${error.message}`);
    return false;
  }
}

/** A line, a piece at a time; between them the terminal gets its turn. */
async function run(session: TravelSession, line: string, isStopped: () => boolean): Promise<TravelReply> {
  const work = session.execute(line);
  for (let step = work.next(false); ; step = work.next(isStopped())) {
    if (step.done === true) return step.value;
    await turn();
  }
}

function openTerminal(session: TravelSession): Interface {
  return createInterface({
    input: process.stdin,
    output: process.stdout,
    completer: (line: string) => session.complete(line),
    history: keptLines(),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
  });
}

/** Where the lines of all journeys are kept: P2M_HISTORY, by default ~/.p2m_history; none where that is empty. */
function historyFile(): string {
  return process.env.P2M_HISTORY ?? join(homedir(), '.p2m_history');
}

/** The last lines of the history, the last one first. A history that cannot be read is none. */
function keptLines(): string[] {
  try {
    const lines = readFileSync(historyFile(), 'utf8').split('\n');
    return lines
      .filter((line) => line !== '')
      .slice(-HISTORY_LINES)
      .reverse();
  } catch {
    return [];
  }
}

/** Keeps a line for later journeys; where that cannot be, this one goes on all the same. */
function keepLine(line: string): void {
  if (line.trim() === '' || historyFile() === '') return;
  try {
    appendFileSync(historyFile(), `${line.trim()}\n`, { mode: 0o600 });
  } catch {
    // A home that is read-only is no reason to stop.
  }
}
