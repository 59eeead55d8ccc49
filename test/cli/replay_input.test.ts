import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReplayReport } from '../../replay/index.js';
import { copyWith, fileOf, HOLD, HOLD_DUMPS, holdLog } from './held_recording.js';
import { runP2m, temporaryFolder } from './run_p2m.js';

/** The words of a report that do not depend on what the log is called. */
const afterNames = (stdout: string): string => stdout.slice(stdout.indexOf('events: '));

const KERNEL = ['--kernel', '6.1'];
const EXPECT = ['--expect', `${HOLD}/p2m-after.bin.gz`, '--expect-pt', `${HOLD}/p2m-after.pt.txt`];

describe('p2m replay of a log by itself', () => {
  it('checks what the log itself decides, where there is no dump', () => {
    const { stdout, code } = runP2m(['replay', fileOf('trace.txt', holdLog()), ...KERNEL]);
    expect(afterNames(stdout).split('\n')).toEqual([
      'events: 628 by gnt 628',
      'calls: xen_alloc_p2m_entry 78, set_foreign_p2m_mapping 1, clear_foreign_p2m_mapping 1',
      'checked: returns 236',
      'unchecked (no return probe, or not known before): look-ups 78',
      'verdict: ok',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('reads a file or stdin, plain or gzip, lines that end in \\r\\n too, with the same result', () => {
    const log = holdLog();
    const plain = runP2m(['replay', fileOf('trace.txt', log), ...KERNEL]);
    expect(plain.stdout).toMatch(/\nverdict: ok\n$/);
    const others = [
      runP2m(['replay', fileOf('trace', gzipSync(log)), ...KERNEL]),
      runP2m(['replay', '-', ...KERNEL], log),
      runP2m(['replay', '-', ...KERNEL], gzipSync(log)),
      runP2m(['replay', fileOf('trace.txt', log.replaceAll('\n', '\r\n')), ...KERNEL]),
    ];
    for (const { stdout, code } of others) expect([afterNames(stdout), code]).toEqual([afterNames(plain.stdout), 0]);
  });

  it('takes dumps and page kinds from the command line, gzip or plain, from stdin too', () => {
    const log = fileOf('trace.txt', holdLog());
    const { stdout, code } = runP2m(['replay', log, ...HOLD_DUMPS, ...EXPECT]);
    expect(stdout).toContain(`    dump ${HOLD}/p2m-after.bin.gz: 1048576 words, 0 differences\n`);
    expect(stdout).toContain('\nchecked: returns 236, look-ups 78, words 1048576, pages of the list 262144\n');
    expect(code).toBe(0);
    const words = gunzipSync(readFileSync(`${HOLD}/p2m-after.bin.gz`));
    for (const input of [words, gzipSync(words, { level: 1 })]) {
      const run = runP2m(['replay', log, ...KERNEL, '--init', '-', '--init-pt', `${HOLD}/p2m-after.pt.txt`], input);
      expect(run.stdout).toContain('\nchecked: returns 236, look-ups 78\n');
      expect(run.code).toBe(0);
    }
  });

  it('compares only words where --expect has no page kinds', () => {
    const { stdout, code } = runP2m(['replay', '-', ...HOLD_DUMPS, ...EXPECT.slice(0, 2)], holdLog());
    expect(stdout).toContain('\nchecked: returns 236, look-ups 78, words 1048576\n');
    expect(code).toBe(0);
  });

  it('names the line that wrote a pfn last, where the list is another than the dump', () => {
    const { stdout, code } = runP2m(['replay', '-', ...HOLD_DUMPS, '--expect', `${HOLD}/p2m-mapped.bin.gz`], holdLog());
    const dump = `dump ${HOLD}/p2m-mapped.bin.gz`;
    expect(stdout).toContain(`    ${dump}: 1048576 words, 78 differences\n`);
    expect(stdout).toContain(
      `:638: error: entry of ${dump}, pfn 0x4ffb2: recorded 0x800000000007f50f, the model says 0xffffffffffffffff\n`,
    );
    expect(stdout).toContain('\n... and 68 more divergences\n');
    expect(code).toBe(1);
  });

  it('says that it took the newest kernel, where nobody names one', () => {
    const { stdout } = runP2m(['replay', '-'], holdLog());
    expect(stdout).toContain('Linux 7.0 (form 7.0) assumed');
    const report = JSON.parse(runP2m(['replay', '-', '--json'], holdLog()).stdout) as ReplayReport;
    expect(report).toMatchObject({ kernel: '7.0', kernelAssumed: true, verdict: 'ok' });
  });

  it('reads trace-cmd report, perf script and the log of an early boot', () => {
    const body = 'pfn=0x70 mfn=0x111';
    const perf =
      `         xen-balloon    41 [000]   179.929362:      p2m:__set_phys_to_machine: (ffffffff81021d10) ${body}\n` +
      `         xen-balloon    41 [000]   179.938085:  p2m:__set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1\n`;
    const traceCmd =
      'cpus=2\n' +
      `     xen-balloon-41    [001]    75.649773: __set_phys_to_machine: (ffffffff81021d10) ${body}\n` +
      `     xen-balloon-41    [001]    75.650682: __set_phys_to_machine_ret: (ffffffff81021d10 <- ffffffff81661385) ret=1\n`;
    for (const log of [perf, traceCmd]) {
      const { stdout, code } = runP2m(['replay', '-', ...HOLD_DUMPS], log);
      expect(stdout).toMatch(/\nevents: 2 by xen-balloon 2\ncalls: __set_phys_to_machine 1\nchecked: returns 1\n/);
      expect(code).toBe(0);
    }
    const words = new BigUint64Array(4096).map((_, pfn) => 0x1000n + BigInt(pfn));
    const list = fileOf('entry.bin', new Uint8Array(words.buffer));
    const boot =
      '1 cpu0 xen_build_dynamic_phys_to_machine: caller=0xffffffff83082ff0 \n' +
      '2 cpu0 set_phys_range_identity: caller=0xffffffff83082116 pfn_s=0x9f pfn_e=0x100\n';
    const early = runP2m(['replay', '-', ...KERNEL, '--init', list], boot);
    expect(early.stdout).toContain(
      '\nevents: 2\ncalls: xen_build_dynamic_phys_to_machine 1, set_phys_range_identity 1\n',
    );
    expect(early.code).toBe(0);
  });
});

describe('p2m replay of what cannot be read', () => {
  it('reports what it read before the input went wrong, exit 3', () => {
    const folder = copyWith((log) => {
      const zipped = gzipSync(log);
      return zipped.subarray(0, zipped.length - 2000);
    });
    const text = runP2m(['replay', folder]);
    expect(text.stderr).toMatch(/^error: trace\.txt\.gz:byte \d+: gzip file is cut: got the end of the file, want /);
    expect(text.stdout).toContain('  after -> trace.txt.gz -> after: not read to its end\n');
    expect(text.stdout).toMatch(/^events: \d{2,3} by gnt \d+$/m);
    expect(text.stdout).toMatch(/\nverdict: none: [^\n]*\n$/);
    expect(text.code).toBe(3);
    const json = runP2m(['replay', '--json', folder]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: 'trace.txt.gz', byte: expect.any(Number) as number, got: 'the end of the file' },
    });
    expect(json.code).toBe(3);
  });

  const head = (lines: number): string => `${holdLog().split('\n').slice(0, lines).join('\n')}\n`;
  it.each([
    ['a cut last line', () => holdLog().slice(0, 5000), /:47:\d+:byte \d+: .*no newline and is cut/],
    ['a hole', () => `${head(20)}\0\0\0\n`, /:21:1:byte \d+: binary data: got byte 0x00, want ftrace text\n/],
    [
      'a line of 10 MB',
      () => `${head(20)}${'x'.repeat(1e7)}\n`,
      /:21:byte \d+: line too long: got \d+ bytes.*, want at most/,
    ],
    [
      'a pfn of 2^52',
      () => head(13).replace(/pfn=\w+/, 'pfn=0x10000000000000'),
      /:13: pfn out of range: got 0x10000000000000, want below 2\^52\n +gnt-379 /,
    ],
    [
      'a word for a pfn',
      () => head(13).replace(/pfn=\w+/, 'pfn=zz'),
      /:13:\d+:byte \d+: bad value of pfn: got "zz", want .*\n.*\n +\^\n/,
    ],
    ['a file of nothing', () => '', /: empty log: got no bytes, want ftrace text/],
    [
      'a text that is no log',
      () => '# xen-p2m\n\nhello\n',
      /: not a log that can be read: got "# xen-p2m", want ftrace text/,
    ],
    [
      'a trace.dat',
      () => '\x17\x08Dtracing6\0\0\0',
      /got binary data, want .*\(this is a trace\.dat: give the text of "trace-cmd report"\)/,
    ],
    [
      'a perf.data',
      () => 'PERFILE2h\0\0\0',
      /got binary data, want .*\(this is a perf\.data: give the text of "perf script"\)/,
    ],
  ])('says where and what of %s, exit 3', (_, log, message) => {
    const file = fileOf('trace.txt', log());
    const { stderr, code } = runP2m(['replay', file, ...KERNEL]);
    expect(stderr.startsWith(`error: ${file}:`)).toBe(true);
    expect(stderr).toMatch(message);
    expect(code).toBe(3);
  });

  it('takes a dump for no log', () => {
    const { stdout, stderr, code } = runP2m(['replay', `${HOLD}/p2m-after.bin.gz`]);
    expect(stderr).toContain('not a log that can be read: got binary data');
    expect([stdout, code]).toEqual(['', 3]);
  });

  it.each([
    [
      'of odd length',
      () => new Uint8Array(8001),
      /:byte 8000: dump of odd length: got 8001 bytes, want a multiple of 8 bytes/,
    ],
    ['of nothing', () => new Uint8Array(0), /: empty dump: got 0 bytes/],
    ['that is cut', () => gzipSync(new Uint8Array(80_000)).subarray(0, 60), /: damaged gzip: got /],
  ])('says what is wrong with a dump %s, in JSON too', (_, words, message) => {
    const dump = fileOf('p2m.bin', words());
    for (const option of ['--init', '--expect']) {
      const { stdout, stderr, code } = runP2m(['replay', '--json', '-', ...KERNEL, option, dump], holdLog());
      expect(stderr).toMatch(message);
      const report = JSON.parse(stdout) as ReplayReport;
      expect(report).toMatchObject({ verdict: null, exitCode: 3, error: { file: dump } });
      expect(code).toBe(3);
    }
  });

  it('names any file that is missing, in JSON too', () => {
    const folder = temporaryFolder();
    const log = fileOf('trace.txt', holdLog());
    const dump = `${HOLD}/p2m-after.bin.gz`;
    const absent = `${folder}/absent`;
    for (const args of [
      [absent],
      [log, '--init', absent],
      [log, '--init', dump, '--init-pt', absent],
      [log, '--expect', absent],
      [log, '--expect', dump, '--expect-pt', absent],
    ]) {
      const run = runP2m(['replay', '--json', ...args]);
      expect(run.stderr).toBe(`error: ${absent}: cannot read: no such file\n`);
      expect(JSON.parse(run.stdout)).toMatchObject({ verdict: null, exitCode: 3, error: { file: absent } });
      expect(run.code).toBe(3);
    }
  });

  it('wants a replay.json in a folder, and says so in JSON too', () => {
    const folder = temporaryFolder();
    const empty = runP2m(['replay', folder]);
    expect(empty).toMatchObject({ stdout: '', code: 3 });
    expect(empty.stderr).toContain(`error: ${folder}/replay.json: not a recording: no replay.json`);
    const json = runP2m(['replay', '--json', folder]);
    expect(JSON.parse(json.stdout)).toMatchObject({ verdict: null, exitCode: 3, steps: [] });
  });

  it.each([
    ['{', /^error: replay\.json:1:2: not JSON: got /],
    ['{"steps": []}', /^error: replay\.json: not a recording: kernel: got /],
    [
      '{"kernel": "2.6", "steps": [{"from": null, "log": "trace.txt.gz", "to": null}]}',
      /^error: replay\.json: unknown kernel: got "2\.6"/,
    ],
    [
      '{"kernel": "3.16", "steps": [{"from": null, "log": "trace.txt.gz", "to": null}]}',
      /^error: replay\.json: .*: got kernel 3\.16, want 3\.19/,
    ],
    [
      '{"kernel": "6.1", "steps": [{"from": null, "log": "../trace.txt", "to": null}]}',
      /steps\[0\]\.log: got "\.\.\/trace\.txt", want the name of a file in the same folder/,
    ],
    [
      '{"kernel": "6.1", "steps": [{"from": null, "log": "other.txt", "to": null}]}',
      /^error: other\.txt: missing file: want the log that replay\.json names/,
    ],
    [
      '{"kernel": "6.1", "steps": [{"from": "other", "log": "trace.txt.gz", "to": null}]}',
      /^error: p2m-other\.bin: missing file: want p2m-other\.bin or p2m-other\.bin\.gz/,
    ],
  ])('says what is wrong with the replay.json %s', (json, message) => {
    const folder = copyWith();
    writeFileSync(`${folder}/replay.json`, json);
    const { stderr, code } = runP2m(['replay', folder]);
    expect(stderr).toMatch(message);
    expect(code).toBe(3);
  });

  it('names a file of the recording that is missing', () => {
    const folder = copyWith();
    rmSync(`${folder}/p2m-mapped.bin.gz`);
    const { stderr, code } = runP2m(['replay', folder]);
    expect(stderr).toContain('error: p2m-mapped.bin: missing file: want p2m-mapped.bin or p2m-mapped.bin.gz');
    expect(code).toBe(3);
  });
});

describe('p2m replay with a wrong command line', () => {
  const log = `${HOLD}/trace.txt.gz`;
  const kinds = `${HOLD}/p2m-after.pt.txt`;

  it.each([
    [[HOLD, '--memory', 'round'], 'unknown memory: got "round", want paged or flat'],
    [[HOLD, '--kernel', '2.6'], 'unknown kernel form: got "2.6", want '],
    [[log, '--kernel', 'linux'], 'unknown kernel form: got "linux", want '],
    [[HOLD, '--kernel', '3.18', '--memory', 'paged'], 'which this kernel has not: got kernel 3.18, want 3.19 or later'],
    [[HOLD, '--init', `${HOLD}/p2m-after.bin.gz`], 'a recording names its dumps itself: got --init or --expect with '],
    [['-', '--init', '-'], 'two files from stdin: want - once'],
    [[log, '--init-pt', kinds], '--init-pt without --init'],
    [[log, '--expect-pt', kinds], '--expect-pt without --expect'],
    [[HOLD, 'more'], 'too many arguments'],
    [[HOLD, '--kernel'], "option '--kernel <version>' argument missing"],
    [[HOLD, '-o', 'run.txt'], 'unknown kind of event log: got run.txt, want a name that ends in .p2mlog or .jsonl'],
  ])('refuses %j, exit 2', (args, message) => {
    const { stdout, stderr, code } = runP2m(['replay', ...args]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 2]);
  });

  it('cannot read a folder as a dump', () => {
    const folder = temporaryFolder();
    mkdirSync(`${folder}/p2m.bin`);
    const { stderr, code } = runP2m(['replay', log, '--init', `${folder}/p2m.bin`]);
    expect(stderr).toBe(`error: ${folder}/p2m.bin: cannot read: is a folder\n`);
    expect(code).toBe(3);
  });
});
