import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCommands, matches, runCommand } from './docs.js';

const root = fileURLToPath(new URL('..', import.meta.url));
// The built program (npm test builds it first): through a loader it would take several times as long.
const p2m = `'${process.execPath}' dist/cli/main.js`;
const documents = ['README.md', ...listMarkdown('docs')].filter((path) => existsSync(join(root, path)));

function listMarkdown(folder: string): string[] {
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [];
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

describe.each(documents)('%s', (path) => {
  const commands = findCommands(readFileSync(join(root, path), 'utf8'));

  it('is a document with nothing but true commands', () => {
    expect(commands.filter(({ expected, exitCode }) => expected === '...\n' && exitCode === 0)).toEqual([]);
  });

  it.each(commands)('line $line: $command', { timeout: 150_000 }, ({ command, exitCode, expected }) => {
    const outcome = runCommand(command, p2m, root);
    expect({ exitCode: outcome.exitCode, stderr: outcome.exitCode === exitCode ? '' : outcome.stderr }).toEqual({
      exitCode,
      stderr: '',
    });
    if (!matches(outcome.stdout, expected)) expect(outcome.stdout).toBe(expected);
  });
});

const SAMPLE = `
# A document

\`\`\`sh
$ p2m not-run
\`\`\`

\`\`\`console
$ npm ci
added 150 packages
$ p2m 'echo one; echo two'
one
two
$ p2m 'echo bad; exit 3'  # exit 3
bad
\`\`\`

  \`\`\`console
  $ p2m cat <<END
  > line 1
  > END
  line 1
  $ echo 'cat' | p2m sh
  \`\`\`
`;

describe('findCommands', () => {
  it('finds the p2m lines of console blocks, with their output, exit code and place', () => {
    expect(findCommands(SAMPLE)).toEqual([
      { line: 11, command: "p2m 'echo one; echo two'", exitCode: 0, expected: 'one\ntwo\n' },
      { line: 14, command: "p2m 'echo bad; exit 3'  # exit 3", exitCode: 3, expected: 'bad\n' },
      { line: 19, command: 'p2m cat <<END\nline 1\nEND', exitCode: 0, expected: 'line 1\n' },
      { line: 23, command: "echo 'cat' | p2m sh", exitCode: 0, expected: '' },
    ]);
  });
});

describe('runCommand', () => {
  it('gives exit code, stdout and stderr of a p2m that is a shell here', () => {
    expect(runCommand("p2m 'echo out; echo err >&2; exit 3'", 'sh -c', root)).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('agrees with what the sample shows', () => {
    for (const { command, exitCode, expected } of findCommands(SAMPLE)) {
      const outcome = runCommand(command, command.includes("'echo") ? 'sh -c' : '', root);
      expect(outcome.exitCode).toBe(exitCode);
      expect(matches(outcome.stdout, expected)).toBe(true);
    }
  });

  it('ends stdin at once', () => {
    expect(runCommand('p2m', 'cat', root)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });
});

describe('matches', () => {
  it.each([
    ['', ''],
    ['a\nb\n', 'a\nb\n'],
    ['a', 'a\n'],
    ['0.51 s, 3 rows\n', '[...] s, 3 rows\n'],
    ['a.b (c) [d] $e *f\n', 'a.b (c) [d] $e *f\n'],
    ['a\n1\n2\nz\n', 'a\n...\nz\n'],
    ['a\nz\n', 'a\n...\nz\n'],
  ])('accepts %j for %j', (stdout, expected) => {
    expect(matches(stdout, expected)).toBe(true);
  });

  it.each([
    ['a\nb\n', 'a\n'],
    ['a\n', 'a\nb\n'],
    ['a\n', ''],
    ['', 'a\n'],
    ['axb\n', 'a.b\n'],
    ['a\nb\n', 'a[...]\n'],
    ['a\n1\n2\n', 'a\n...\nz\n'],
    ['A\n', 'a\n'],
  ])('refuses %j for %j', (stdout, expected) => {
    expect(matches(stdout, expected)).toBe(false);
  });
});
