import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReplayReport } from '../../replay/index.js';
import { copyWith, HOLD, HOLD_DUMPS, holdLog } from './held_recording.js';
import { runP2m, temporaryFolder } from './run_p2m.js';

const stateOf = (stdout: string): string => /^state: [0-9a-f]{8} [0-9a-f]{8}$/m.exec(stdout)![0];

describe('p2m replay -o', () => {
  it('keeps the events as .p2mlog and as .jsonl; either replays to the same state, and is written again byte by byte', () => {
    const folder = temporaryFolder();
    const first = runP2m(['replay', HOLD, '-o', `${folder}/run.p2mlog`]);
    expect(first.stderr).toContain(`kept in ${folder}/run.p2mlog\n`);
    expect(first.code).toBe(0);
    const state = stateOf(first.stdout);
    const text = runP2m(['replay', HOLD, '--output', `${folder}/run.jsonl`, '--memory', 'paged']);
    expect([stateOf(text.stdout), text.code]).toEqual([state, 0]);
    for (const from of ['p2mlog', 'jsonl']) {
      for (const to of ['p2mlog', 'jsonl']) {
        const again = runP2m(['replay', `${folder}/run.${from}`, '-o', `${folder}/again.${to}`]);
        expect([stateOf(again.stdout), again.code]).toEqual([state, 0]);
        expect(readFileSync(`${folder}/again.${to}`).equals(readFileSync(`${folder}/run.${to}`))).toBe(true);
      }
    }
  });

  it('leaves the report as it is, but for the state', () => {
    const file = `${temporaryFolder()}/run.p2mlog`;
    const kept = JSON.parse(runP2m(['replay', HOLD, '--json', '-o', file]).stdout) as ReplayReport;
    const { state, ...report } = kept;
    expect(state).toEqual({
      list: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
      rest: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
    });
    const plain = JSON.parse(runP2m(['replay', HOLD, '--json']).stdout) as ReplayReport;
    expect(report).toEqual({ ...plain, elapsedMs: expect.any(Number) as number });
  });

  it('replays an event log from stdin, gzip or plain, on either memory, and compares it with a dump', () => {
    const folder = temporaryFolder();
    const log = `${folder}/run.p2mlog`;
    const state = stateOf(runP2m(['replay', HOLD, '-o', log]).stdout);
    const bytes = readFileSync(log);
    for (const input of [bytes, gzipSync(bytes)]) {
      const run = runP2m(['replay', '-', '--memory', 'paged'], input);
      expect(run.stdout).toContain('Linux 6.1 (form 5.17), x86_64, paged memory\n');
      expect([stateOf(run.stdout), run.code]).toEqual([state, 0]);
    }
    const after = ['--expect', `${HOLD}/p2m-after.bin.gz`, '--expect-pt', `${HOLD}/p2m-after.pt.txt`];
    const right = runP2m(['replay', log, '--kernel', '6.1', ...after]);
    expect(right.stdout).toContain('\nchecked: events 5113, words 1048576, pages of the list 262144\n');
    expect(right.code).toBe(0);
    const wrong = runP2m(['replay', log, '--expect', `${HOLD}/p2m-mapped.bin.gz`]);
    expect(wrong.stdout).toContain(
      `error: entry of dump ${HOLD}/p2m-mapped.bin.gz, pfn 0x4ffb2: recorded 0x800000000007f50f, the model says 0xffff`,
    );
    expect(wrong.stdout).toMatch(/\nverdict: violated\n$/);
    expect(wrong.stderr).toMatch(/\nrepeat with: p2m replay .* --expect .*\n$/);
    expect(wrong.code).toBe(1);
  });

  it('begins another file where the replay begins with another list', () => {
    const folder = copyWith();
    const step = { from: 'after', log: 'trace.txt.gz', to: null };
    writeFileSync(`${folder}/replay.json`, JSON.stringify({ kernel: '6.1', steps: [step, step] }));
    const log = `${folder}/run.jsonl`;
    const { stderr, code } = runP2m(['replay', folder, '-o', log]);
    expect(stderr).toContain(`kept in ${log}, ${folder}/run-2.jsonl\n`);
    expect(code).toBe(0);
    expect(readFileSync(`${folder}/run-2.jsonl`).equals(readFileSync(log))).toBe(true);
  });

  it('keeps what was replayed before bad input', () => {
    const log = `${temporaryFolder()}/run.jsonl`;
    const run = runP2m(['replay', '-', ...HOLD_DUMPS, '-o', log], holdLog().slice(0, 5000));
    expect(run.stderr).toMatch(/^kept in .*\nerror: .*is cut/);
    expect(run.code).toBe(3);
    expect(runP2m(['replay', log])).toMatchObject({ code: 0 });
  });

  it('never overwrites what it reads', () => {
    const folder = temporaryFolder();
    const log = `${folder}/run.p2mlog`;
    runP2m(['replay', HOLD, '-o', log]);
    const bytes = readFileSync(log);
    const dump = `${folder}/dump.jsonl`;
    copyFileSync(`${HOLD}/p2m-after.bin.gz`, dump);
    for (const args of [
      [log, '-o', `${folder}/./run.p2mlog`],
      [log, '--expect', dump, '-o', dump],
      [`${HOLD}/trace.txt.gz`, '--init', dump, '-o', dump],
    ]) {
      const { stdout, stderr, code } = runP2m(['replay', ...args]);
      expect(stderr).toContain('the output would overwrite what is read');
      expect([stdout, code]).toEqual(['', 2]);
    }
    expect(readFileSync(log).equals(bytes)).toBe(true);
    expect(readFileSync(dump).equals(readFileSync(`${HOLD}/p2m-after.bin.gz`))).toBe(true);
  });

  it('says at once that it cannot write, exit 3', () => {
    const folder = temporaryFolder();
    for (const file of [`${folder}/absent/run.p2mlog`, `${HOLD}/replay.json/run.jsonl`]) {
      const { stdout, stderr, code } = runP2m(['replay', HOLD, '-o', file]);
      expect(stderr).toMatch(new RegExp(`^error: ${file}: cannot write: got `));
      expect([stdout, code]).toEqual(['', 3]);
      expect(existsSync(file)).toBe(false);
    }
  });

  it('takes no list and no other kernel for an event log', () => {
    const log = `${temporaryFolder()}/run.p2mlog`;
    runP2m(['replay', HOLD, '-o', log]);
    for (const [args, message] of [
      [['--init', `${HOLD}/p2m-after.bin.gz`], 'an event log begins with its own list'],
      [['--kernel', '4.4'], 'the log says itself which kernel it is of: got '],
    ] as const) {
      const { stderr, code } = runP2m(['replay', log, ...args]);
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    }
  });

  it('says which byte of an event log is wrong, exit 3', () => {
    const log = `${temporaryFolder()}/run.p2mlog`;
    runP2m(['replay', HOLD, '-o', log]);
    const bytes = readFileSync(log);
    bytes[bytes.length >> 1]! ^= 1;
    const { stderr, code } = runP2m(['replay', '-'], bytes);
    expect(stderr).toMatch(/^error: .*:byte \d+: .*: got .*, want /);
    expect(code).toBe(3);
  });
});
