import { describe, expect, it } from 'vitest';
import type { ReplayReport } from '../../replay/index.js';
import { copyWith, fileOf, HOLD, HOLD_DUMPS, storeEntry, storeReturn, traceLine, violated } from './held_recording.js';
import { runP2m, runShell } from './run_p2m.js';

type JsonReport = ReplayReport & { elapsedMs: number };

/** The fields of `--json` that people were promised (issue 3, point 6), and those that came with them. */
const PROMISED =
  'verdict exitCode kernel form geometry steps events operations checked unchecked divergences divergenceCount final lost overlaps reordered ties elapsedMs';
const MORE = 'memory tasks unused undecided';

const sorted = (words: string): string[] => words.split(' ').sort();

describe('p2m replay', () => {
  it('says ok in the same words each time, and how fast on stderr', () => {
    const [first, second] = [runP2m(['replay', HOLD]), runP2m(['replay', HOLD])];
    expect(first.stdout.split('\n')).toEqual([
      `${HOLD}: Linux 6.1 (form 5.17), x86_64, flat memory`,
      '  after -> trace.txt.gz -> after: ok',
      '    dump mapped: 1048576 words, 0 differences',
      '    dump after: 1048576 words, 0 differences',
      'events: 628 by gnt 628',
      'calls: xen_alloc_p2m_entry 78, set_foreign_p2m_mapping 1, clear_foreign_p2m_mapping 1',
      'checked: returns 236, look-ups 78, words 2097152, pages of the list 524288',
      'verdict: ok',
      '',
    ]);
    // No progress bar either, where stderr is no terminal.
    expect(first.stderr).toMatch(/^628 events in \d+ ms, \d+ events\/s\n$/);
    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
  });

  it('has the options that these tests know', () => {
    const { stdout } = runP2m(['replay', '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name);
    expect(options).toEqual([
      '--init',
      '--init-pt',
      '--expect',
      '--expect-pt',
      '--kernel',
      '--memory',
      '--output',
      '--chain',
      '--json',
      '--interactive',
      '--execute',
      '--help',
    ]);
    for (const code of ['0 ok', '1 violated', '2 usage', '3 bad input', '4 incomplete']) expect(stdout).toContain(code);
  });

  it('replays on either memory, and against the kernel that the user names', () => {
    const run = runP2m(['replay', '--memory', 'paged', '--kernel', '7.0', HOLD]);
    expect(run.stdout).toContain(`${HOLD}: Linux 7.0 (form 7.0), x86_64, paged memory\n`);
    expect(run.stdout).toMatch(/\nverdict: ok\n$/);
    expect(run.code).toBe(0);
  });

  it('shows a divergence as a compiler would, and last the command that repeats it', () => {
    const folder = copyWith(violated);
    const { stdout, stderr, code } = runP2m(['replay', '--memory', 'paged', '--kernel', '5.10', folder]);
    expect(stdout).toContain(
      'trace.txt.gz:14: error: xen_alloc_p2m_entry, pfn 0x4fff7: recorded -12, the model says 0\n' +
        '  gnt-379     [000] .....   131.291164: xen_alloc_p2m_entry_ret: ',
    );
    expect(stdout).toMatch(/\nverdict: violated\n$/);
    expect(stderr).toMatch(/\nrepeat with: .*\n$/);
    expect(code).toBe(1);
    const command = /^repeat with: (.*)$/m.exec(stderr)![1]!;
    expect(command).toBe(`p2m replay '${folder}' --kernel 5.10 --memory paged`);
    const again = runShell(command);
    expect([again.stdout, again.code]).toEqual([stdout, 1]);
  });

  it('repeats all that says what is replayed', () => {
    const log = fileOf("it's.txt", traceLine('a', 1, 1, storeReturn(1)));
    const options = [...HOLD_DUMPS, '--expect', `${HOLD}/p2m-after.bin.gz`, '--expect-pt', `${HOLD}/p2m-after.pt.txt`];
    const { stdout, stderr, code } = runP2m(['replay', log, ...options]);
    expect(code).toBe(4);
    const command = /^repeat with: (.*)$/m.exec(stderr)![1]!;
    for (const option of options) expect(command).toContain(` ${option}`);
    expect(runShell(command)).toMatchObject({ stdout, code: 4 });
  });

  it('shows ten divergences, and counts the others', () => {
    const folder = copyWith((log) => log.replace(/ret=0(?=\n)/g, 'ret=-12'));
    const { stdout } = runP2m(['replay', folder]);
    expect(stdout.match(/: error: /g)).toHaveLength(10);
    const more = Number(/^\.\.\. and (\d+) more divergences$/m.exec(stdout)![1]);
    const { divergences, divergenceCount } = JSON.parse(runP2m(['replay', '--json', folder]).stdout) as JsonReport;
    expect([divergences.length, divergenceCount]).toEqual([10 + more, 10 + more]);
  });

  it('colours for people, and not where NO_COLOR is set or stdout is no terminal', () => {
    const folder = copyWith(violated);
    const escape = '\u001b[';
    expect(runP2m(['replay', folder]).stdout).not.toContain(escape);
    expect(runP2m(['replay', folder], '', { FORCE_COLOR: '1' }).stdout).toContain(`${escape}31merror${escape}39m`);
    expect(runP2m(['replay', folder], '', { NO_COLOR: '1' }).stdout).not.toContain(escape);
  });

  it('keeps the exit code of its verdict where nobody reads the report', () => {
    const folder = copyWith(violated);
    const { stdout, stderr } = runShell(`p2m replay '${folder}' 2>/dev/null | true; echo "\${PIPESTATUS[0]}"`);
    expect([stdout, stderr]).toEqual(['1\n', '']);
  });

  it('is incomplete, exit 4, where lines are missing', () => {
    const folder = copyWith((log) => log.replace(/.*get_phys_to_machine_ret: .*\n/, ''));
    const { stdout, stderr, code } = runP2m(['replay', folder]);
    expect(stdout).toContain('\nlost: lines 1, returns or entries 1\n');
    expect(stdout).toMatch(/\nverdict: incomplete\n$/);
    expect(stderr).toContain('\nrepeat with: p2m replay ');
    expect(code).toBe(4);
  });

  it('is violated all the same where something contradicts before the first loss, and incomplete behind it', () => {
    const loss = 'CPU:0 [LOST 5 EVENTS]\n';
    const behind = copyWith((log) => violated(log).replace(/(?=.*set_foreign_p2m_mapping: )/, loss));
    expect(runP2m(['replay', behind])).toMatchObject({ code: 1 });
    const before = copyWith((log) => violated(log).replace(/(?<=FUNCTION\n(.*\n)?)(?= +gnt)/, loss));
    const run = runP2m(['replay', before]);
    expect(run.stdout).toMatch(/\nlost: events 5\n(.*\n)*verdict: incomplete\n$/);
    expect(run.code).toBe(4);
  });

  it('is unknown, exit 4, where too many calls overlap to tell', () => {
    const lines = [traceLine('a', 1, 0, storeEntry(0x70, 0x1))];
    for (let i = 0; i < 1100; i++) {
      lines.push(traceLine('b', 2, 2 * i + 1, storeEntry(0x71, i)), traceLine('b', 2, 2 * i + 2, storeReturn(1)));
    }
    lines.push(traceLine('a', 1, 3000, storeReturn(0)));
    const run = runP2m(['replay', fileOf('trace.txt', lines.join('')), ...HOLD_DUMPS]);
    expect(run.stdout).toContain('\nundecided (too many orders to try): 1\n');
    expect(run.stdout).toMatch(/\nverdict: unknown\n$/);
    expect(run.code).toBe(4);
  });

  it('counts overlaps, and how many another order explains', () => {
    const log = [
      traceLine('a', 1, 1, storeEntry(0x70, 0x111)),
      traceLine('b', 2, 1, storeEntry(0x70, 0x222)),
      traceLine('a', 1, 2, storeReturn(1)),
      traceLine('b', 2, 3, storeReturn(1)),
      traceLine('b', 2, 4, 'get_phys_to_machine: (get_phys_to_machine+0x0/0x100) pfn=0x70'),
      traceLine('b', 2, 5, 'get_phys_to_machine_ret: (x+0x1/0x2 <- get_phys_to_machine) mfn=0x111'),
    ].join('');
    const { stdout, code } = runP2m(['replay', fileOf('trace.txt', log), ...HOLD_DUMPS]);
    expect(stdout).toContain(
      'overlapping calls: 1, explained by another order than that of their entries: 1\n' +
        'lines at the time of the line before, on another CPU: 1\n',
    );
    expect(code).toBe(0);
    const altered = log.replace(/mfn=0x111\n$/, 'mfn=0x333\n');
    const run = runP2m(['replay', fileOf('trace.txt', altered), ...HOLD_DUMPS]);
    expect(run.stdout).toMatch(/:6: error: get_phys_to_machine look-up, pfn 0x70: recorded 0x333, the model says /);
    expect(run.stdout).toMatch(/\n {2}last written at \/.*\/trace\.txt:2\n/);
    expect(run.code).toBe(1);
  });

  it('gives the whole report as JSON', () => {
    const { stdout, stderr, code } = runP2m(['replay', '--json', HOLD]);
    const report = JSON.parse(stdout) as JsonReport;
    expect(report).toEqual({
      verdict: 'ok',
      exitCode: 0,
      kernel: '6.1',
      form: '5.17',
      geometry: 'x86_64',
      memory: 'flat',
      steps: [
        {
          log: 'trace.txt.gz',
          from: 'after',
          to: 'after',
          verdict: 'ok',
          final: { dump: 'after', compared: 1_048_576, differences: 0, beyond: 0 },
          checkpoints: [{ dump: 'mapped', compared: 1_048_576, differences: 0, beyond: 0 }],
        },
      ],
      events: 628,
      operations: { xen_alloc_p2m_entry: 78, set_foreign_p2m_mapping: 1, clear_foreign_p2m_mapping: 1 },
      tasks: { gnt: 628 },
      unused: {},
      checked: { returns: 236, lookups: 78, entries: 2_097_152, ptes: 524_288, frames: 0 },
      unchecked: { returns: 0, lookups: 0, entries: 0 },
      divergences: [],
      divergenceCount: 0,
      lost: { events: 0, lines: 0, returns: 0 },
      overlaps: 0,
      reordered: 0,
      undecided: 0,
      ties: 0,
      final: { dump: 'after', compared: 1_048_576, differences: 0, beyond: 0 },
      elapsedMs: expect.any(Number) as number,
    });
    expect(Object.keys(report).sort()).toEqual(sorted(`${PROMISED} ${MORE}`));
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('gives a divergence as JSON with its place, call and both values', () => {
    const { stdout, stderr, code } = runP2m(['replay', '--json', copyWith(violated)]);
    const report = JSON.parse(stdout) as JsonReport;
    expect(report.divergences[0]).toEqual({
      file: 'trace.txt.gz',
      line: 14,
      seq: 2,
      cpu: 0,
      task: 'gnt-379',
      operation: 'xen_alloc_p2m_entry',
      pfn: '0x4fff7',
      expected: '0',
      actual: '-12',
      text: expect.stringMatching(/^gnt-379 .* ret=-12$/) as string,
    });
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: report.divergences.length });
    expect([stderr, code]).toEqual(['', 1]);
  });

  it('gives the same fields on exit 3, with the error', () => {
    const folder = copyWith((log) => log.replace(/^((?:.*\n){14}.*)pfn=\w+/, '$1pfn=zz'));
    const { stdout, code } = runP2m(['replay', '--json', folder]);
    const report = JSON.parse(stdout) as JsonReport;
    expect(Object.keys(report).sort()).toEqual(sorted(`${PROMISED} ${MORE} error`));
    expect(report).toMatchObject({ verdict: null, exitCode: 3, final: null, events: 2, checked: { returns: 1 } });
    expect(report.error).toEqual({
      file: 'trace.txt.gz',
      line: 15,
      byte: expect.any(Number) as number,
      got: '"zz"',
      expected: expect.stringContaining('hexadecimal') as string,
      message: expect.stringMatching(/^trace\.txt\.gz:15:\d+:byte \d+: bad value of pfn: got "zz", want /) as string,
    });
    expect(code).toBe(3);
  });
});
