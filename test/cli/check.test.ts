import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { addCheck } from '../../cli/check.js';
import { LogWriter } from '../../events/index.js';
import { exploredLog, IDENTITY_RACE } from '../replay/export/exported.js';
import { runVerb } from './in_process.js';
import { runP2m, temporaryFolder } from './run_p2m.js';

vi.mock('../../cli/output.js', async () => (await import('./in_process.js')).keptOutput);

const STALE = 'test/histories/stale-read.jsonl';
const stale = readFileSync(new URL(`../histories/stale-read.jsonl`, import.meta.url), 'utf8');
/** What people are shown of it, behind the name of the file. */
const REPORT = `: 6 operations of 3 processes on 2 keys
key 3: error: read 5 by process 2 (time 31..40) returned 5, but write 3 of 7 by process 1 (time 20..28) had ended before \
read 5 began, and write 1 of 5 by process 0 (time 10..18) had ended before write 3 began
  these 3 operations have no order, each of them is needed:
  write 1  5  process 0  time 10..18  lines 1, 3
  write 3  7  process 1  time 20..28  lines 5, 7
  read 5   5  process 2  time 31..40  lines 9, 12
verdict: violated
`;
const good = stale
  .split('\n')
  .filter((line) => !line.includes('"process":2,"type":"ok"'))
  .join('\n');

/** Twelve writes at the same time, then reads of what was written first and last, in turn: many orders, none fits. */
function hard(): string {
  const lines: object[] = [];
  for (let process = 0; process < 12; process++)
    lines.push({ process, type: 'invoke', f: 'write', value: process % 6 });
  for (let process = 0; process < 12; process++) lines.push({ process, type: 'ok', f: 'write', value: process % 6 });
  for (const value of [0, 1, 0, 1]) {
    lines.push({ process: 0, type: 'invoke', f: 'read', value: null }, { process: 0, type: 'ok', f: 'read', value });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

describe('p2m check', () => {
  it('says why a history has no order, and which operations show it', () => {
    expect(runP2m(['check', STALE])).toEqual({ stdout: STALE + REPORT, stderr: '', code: 1 });
  });

  it('reads stdin and gzip, with the same report', () => {
    const file = `${temporaryFolder()}/h.gz`;
    writeFileSync(file, gzipSync(stale));
    expect(runP2m(['check', file])).toEqual({ stdout: file + REPORT, stderr: '', code: 1 });
    expect(runP2m(['check', '-'], stale).stdout).toBe(`stdin${REPORT}`);
    expect(runP2m(['check', '-'], gzipSync(stale)).stdout).toBe(`stdin${REPORT}`);
  });

  it('says ok of a history that has one', () => {
    const stdout = 'stdin: 6 operations of 3 processes on 2 keys\nverdict: ok\n';
    expect(runP2m(['check', '-'], good)).toEqual({ stdout, stderr: '', code: 0 });
  });

  it('gives the report as one JSON object', () => {
    const { stdout, code } = runP2m(['check', '--json', STALE]);
    const report = JSON.parse(stdout) as { violations: { core: unknown[] }[] };
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, keys: 2, operations: 6, unknown: [] });
    expect(report.violations[0]).toMatchObject({ key: 3, isMinimal: true });
    expect(report.violations[0]!.core[1]).toEqual({
      number: 3,
      process: 1,
      f: 'write',
      key: 3,
      value: 7,
      from: 20,
      to: 28,
      lines: [5, 7],
      outcome: 'ok',
    });
    expect(code).toBe(1);
  });

  it('begins with the value that --initial says', () => {
    const read = '{"process":0,"type":"invoke","f":"read"}\n{"process":0,"type":"ok","f":"read","value":0}\n';
    expect(runP2m(['check', '-'], read)).toEqual({
      stdout: `stdin: 1 operation of 1 process on 1 key
error: read 1 by process 0 (lines 1..2) returned 0, which nothing wrote
  read 1  0  process 0  lines 1, 2
verdict: violated
`,
      stderr: '',
      code: 1,
    });
    expect(runP2m(['check', '--initial', '0', '-'], read).code).toBe(0);
    expect(runP2m(['check', '--initial', '"0"', '-'], read).code).toBe(1);
  });

  it('gives no verdict where the budget is too small, and says so', () => {
    const { stdout, stderr, code } = runP2m(['check', '--budget', '100', '-'], hard());
    expect(stdout).toBe('stdin: 16 operations of 12 processes on 1 key\nunknown keys: null\nverdict: unknown\n');
    expect([stderr, code]).toEqual(['note: a larger --budget may decide the keys that are unknown\n', 4]);
    expect(JSON.parse(runP2m(['check', '--json', '--budget', '100', '-'], hard()).stdout)).toEqual({
      verdict: 'unknown',
      exitCode: 4,
      keys: 1,
      operations: 16,
      violations: [],
      unknown: [null],
    });
    expect(runP2m(['check', '-'], hard()).code).toBe(1);
  });

  it.each([
    [['--budget', '0'], 'bad --budget: got "0"'],
    [['--budget', 'x'], 'bad --budget: got "x"'],
    [['--initial', 'x'], 'bad --initial: got x'],
    [['--initial', '[1]'], 'bad --initial: got [1]'],
  ])('takes %j for wrong usage', (args, message) => {
    const { stdout, stderr, code } = runP2m(['check', ...args, STALE]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 2]);
  });

  it('refuses bad input, and says where it is', () => {
    const cut = stale.slice(0, 100);
    expect(runP2m(['check', '-'], cut)).toMatchObject({ stdout: '', code: 3 });
    expect(runP2m(['check', '-'], cut).stderr).toMatch(/^error: stdin:2: bad JSON: got /);
    expect(runP2m(['check', 'absent.jsonl'])).toEqual({
      stdout: '',
      stderr: 'error: absent.jsonl: cannot read: no such file\n',
      code: 3,
    });
  });
});

describe('p2m check of a log', () => {
  const logOf = (kernel: '3.19' | '7.0'): string => {
    const { log } = exploredLog({ kernel, ...IDENTITY_RACE });
    const pieces: Uint8Array[] = [];
    const writer = new LogWriter((piece) => pieces.push(piece.slice()), log.header, log.codec);
    for (let block = 0; block < log.blocks; block++) writer.append(log.read(block));
    writer.close();
    const file = `${temporaryFolder()}/${kernel}.p2mlog`;
    writeFileSync(file, Buffer.concat(pieces));
    return file;
  };
  const check = (...args: string[]) => runVerb(addCheck, ['check', ...args]);

  it('names the pfn, and the operations that no order explains', async () => {
    const bad = logOf('3.19');
    const { stdout, stderr } = await check(bad);
    expect(stdout).toEqual([
      `${bad}: 2 operations on 1 pfn`,
      'pfn 0x402: error: no order explains what its operations returned; it held i:1026 at first',
      '  events 1081..1086  CPU 1  __pfn_to_mfn(0x402)  -> i:1028',
      'verdict: violated',
    ]);
    expect([stderr, process.exitCode]).toEqual(['', 1]);
    process.exitCode = 0;
  });

  it('says ok, and reads gzip', async () => {
    const good = logOf('7.0');
    writeFileSync(`${good}.gz`, gzipSync(readFileSync(good)));
    expect((await check(`${good}.gz`)).stdout).toEqual([`${good}.gz: 2 operations on 1 pfn`, 'verdict: ok']);
    expect(process.exitCode).toBe(0);
  });

  it('gives the report as one JSON object, entries raw', async () => {
    const { stdout } = await check('--json', logOf('3.19'));
    expect(JSON.parse(stdout.join(''))).toEqual({
      verdict: 'violated',
      exitCode: 1,
      operations: 2,
      pfns: 1,
      violatedPfns: 1,
      unknown: [],
      violations: [{ pfn: 0x402, initial: '0x4000000000000402', guilty: [{ op: 6, call: 1081, end: 1086 }] }],
    });
    process.exitCode = 0;
  });

  it('takes --initial for wrong usage: the log says it', async () => {
    expect(await check('--initial', '0', logOf('7.0'))).toMatchObject({ stdout: [], code: 2 });
  });
});
