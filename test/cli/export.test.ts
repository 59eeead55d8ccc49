import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runP2m, runShell, temporaryFolder } from './run_p2m.js';

const SET = '{"seq":0,"cpu":0,"op":1,"kind":"call","operation":"get_phys_to_machine","pfn":5,"value":"0x0","origin":0}';
const LOG = `{"format":"p2m-events","version":1,"geometry":"tiny","kernel":"7.0","entryBits":64}\n${SET}\n{"end":true,"events":1}\n`;

function logFile(): string {
  const file = join(temporaryFolder(), 'run.jsonl');
  writeFileSync(file, LOG);
  return file;
}

describe('p2m export', () => {
  it('writes the format that the name ends in, and says so', () => {
    const log = logFile();
    for (const [ending, format, rows] of [
      ['copy.jsonl', 'jsonl', 1],
      ['parquet', 'parquet', 1],
      ['json', 'chrome', 4],
    ] as const) {
      const file = `${log}.${ending}`;
      const { stdout, code } = runP2m(['export', log, '-o', file, '--json']);
      expect(code).toBe(0);
      const bytes = readFileSync(file).length;
      expect(JSON.parse(stdout)).toEqual({ format, file, events: 1, rows, bytes });
    }
    expect(readFileSync(`${log}.copy.jsonl`, 'utf8')).toBe(LOG);
  });

  it('gives a race the verdict of the explorer through a pipe', () => {
    const race = join(temporaryFolder(), 'race.jsonl');
    const scenario = `--kernel 3.19 --layout 'nr 2048; identity 1024 1536' --thread 'set 0x402 m:77' --thread 'lookup 0x402'`;
    const explored = runShell(`p2m explore ${scenario} --check not-linearizable -o '${race}'`);
    expect(explored.code).toBe(1);
    const { stdout, code } = runShell(`p2m export '${race}' --format jepsen -o - | p2m check -`);
    expect(stdout).toMatch(/read 3 by process "CPU 1" .* returned "i:1028", which nothing wrote/);
    expect(code).toBe(1);
  });

  it.each([
    [['--format', 'xml'], 2, /unknown format: got "xml", want jsonl, parquet, chrome, jepsen/],
    [['-o', 'run.txt'], 2, /which format\?/],
    [[], 2, /which format\?/],
    [['--format', 'parquet'], 2, /Parquet is no text/],
    [['--format', 'jsonl', '--json'], 2, /--json and the data on one stdout/],
    [['-o', '/nowhere/at/all.parquet'], 3, /cannot write/],
  ])('refuses %j', (options, code, message) => {
    const run = runP2m(['export', logFile(), ...options]);
    expect(run.stderr).toMatch(message);
    expect(run).toMatchObject({ code, stdout: '' });
  });

  it('writes not over what it reads, and leaves nothing half done behind', () => {
    const log = logFile();
    expect(runP2m(['export', log, '-o', log])).toMatchObject({ code: 2 });
    expect(readFileSync(log, 'utf8')).toBe(LOG);
    const history = `${log}.history.jsonl`;
    expect(runP2m(['export', log, '-o', history])).toMatchObject({ code: 3 });
    expect(existsSync(history)).toBe(false);
  });
});
