/**
 * Commands in documents, and whether they do what the document shows (docs.test.ts runs them all).
 *
 *     ```console
 *     $ p2m lookup --nr-pages 4 9      # exit 2        a `$` line that runs p2m, and the exit code if it is not 0
 *     > more of the same command                       lines of `> ` right below belong to the command
 *     error: [...]                                     then its stdout: `[...]` stands for any part of a line,
 *     ...                                              `...` alone for any number of lines
 *     ```
 *
 * Other `$` lines (`npm ci`) are for the reader: neither they nor their output are looked at.
 */
import { spawnSync } from 'node:child_process';

/** A command as a document shows it. */
export interface DocumentedCommand {
  /** 1-based line of the `$`. */
  readonly line: number;
  readonly command: string;
  readonly exitCode: number;
  /** What the document shows as stdout, each line ended by a newline. */
  readonly expected: string;
}

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The commands of all `console` blocks of a Markdown text: those of p2m, or others. */
export function findCommands(markdown: string, wanted = /(^|\| *)p2m /): DocumentedCommand[] {
  return blocksOf(markdown, 'console')
    .flatMap(commandsOf)
    .filter(({ command }) => wanted.test(command));
}

/** The text of each block of a language, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return blocksOf(markdown, language).map(({ lines }) => lines.join('\n'));
}

/** Runs one command line in `sh`, where `p2m` is the program given, a shell command. No colours, no log level, no stdin. */
export function runCommand(command: string, program: string, folder: string): Outcome {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' };
  delete env.FORCE_COLOR;
  delete env.P2M_LOG;
  const script = `p2m() { ${program} "$@"; }\n${command}\n`;
  const run = spawnSync('sh', ['-c', script], {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    maxBuffer: 64 * 2 ** 20,
  });
  return { exitCode: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** Whether stdout is what the document shows. */
export function matches(stdout: string, expected: string): boolean {
  const lines = expected.split('\n').slice(0, -1);
  const pattern = lines.map((line) => (line === '...' ? '(?:[^\\n]*\\n)*?' : `${linePattern(line)}\\n`)).join('');
  const ended = stdout === '' || stdout.endsWith('\n') ? stdout : `${stdout}\n`;
  return new RegExp(`^${pattern}$`).test(ended);
}

function linePattern(line: string): string {
  return line
    .split('[...]')
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join('[^\\n]*');
}

interface Block {
  /** 1-based line of the first line inside. */
  readonly line: number;
  readonly lines: readonly string[];
}

function blocksOf(markdown: string, language: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = /^( *)(`{3,}|~{3,})(.*)$/.exec(lines[i]!);
    if (fence === null) continue;
    const [, indent, marks, info] = fence;
    const start = i + 1;
    for (i = start; i < lines.length && lines[i]!.trim() !== marks; i++);
    if (info!.trim() !== language) continue;
    blocks.push({
      line: start + 1,
      lines: lines.slice(start, i).map((line) => (line.startsWith(indent!) ? line.slice(indent!.length) : line)),
    });
  }
  return blocks;
}

function commandsOf(block: Block): DocumentedCommand[] {
  const commands: DocumentedCommand[] = [];
  for (let i = 0; i < block.lines.length;) {
    const line = block.line + i;
    const first = block.lines[i++]!;
    if (!first.startsWith('$ ')) continue;
    const command = [first.slice(2)];
    while (i < block.lines.length && /^>( |$)/.test(block.lines[i]!)) command.push(block.lines[i++]!.slice(2));
    let expected = '';
    while (i < block.lines.length && !block.lines[i]!.startsWith('$ ')) expected += `${block.lines[i++]!}\n`;
    const text = command.join('\n');
    commands.push({ line, command: text, exitCode: Number(/\s# exit (\d+)\s*$/m.exec(text)?.[1] ?? 0), expected });
  }
  return commands;
}
