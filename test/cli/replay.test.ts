import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReplayReport } from '../../replay/index.js';
import { runP2m, runShell, temporaryFolder } from './run_p2m.js';

const HOLD = fileURLToPath(new URL('../recordings/k61-512M-hold', import.meta.url));

/** A copy of the recording whose log is changed, in a folder with a blank in its name. */
function copyWith(change: (log: string) => string | Uint8Array): string {
  const folder = `${temporaryFolder()}/my copy`;
  cpSync(HOLD, folder, { recursive: true });
  const log = gunzipSync(readFileSync(`${folder}/trace.txt.gz`)).toString();
  writeFileSync(`${folder}/trace.txt.gz`, change(log));
  return folder;
}

const violated = (log: string): string => log.replace(/ret=0(?=\n)/, 'ret=-12');

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
      'checked: 236 returns, 78 look-ups, 2097152 words, 524288 pages of the list',
      'verdict: ok',
      '',
    ]);
    expect(first.stderr).toMatch(/^628 events in \d+ ms\n$/);
    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
  });

  it('shows a divergence as a compiler would, and the command that repeats it', () => {
    const folder = copyWith(violated);
    const { stdout, stderr, code } = runP2m(['replay', '--memory', 'paged', '--kernel', '5.10', folder]);
    expect(stdout).toContain(
      'trace.txt.gz:14: error: xen_alloc_p2m_entry, pfn 0x4fff7: recorded -12, the model says 0\n' +
        '  gnt-379     [000] .....   131.291164: xen_alloc_p2m_entry_ret: ',
    );
    expect(stdout).toMatch(/\nverdict: violated\n$/);
    expect(stderr).toContain(`\nrepeat with: p2m replay '${folder}' --kernel 5.10 --memory paged\n`);
    expect(code).toBe(1);
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
    expect(stdout).toContain('lost: 0 events, 1 lines, 1 returns or entries\n');
    expect(stdout).toMatch(/\nverdict: incomplete\n$/);
    expect(stderr).toContain('repeat with: p2m replay ');
    expect(code).toBe(4);
  });

  it('gives the whole report as JSON', () => {
    const { stdout, stderr, code } = runP2m(['replay', '--json', HOLD]);
    const report = JSON.parse(stdout) as ReplayReport & { elapsedMs: number };
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
      ties: 0,
      final: { dump: 'after', compared: 1_048_576, differences: 0, beyond: 0 },
      elapsedMs: expect.any(Number) as number,
    });
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('reports what it read before the input went wrong, exit 3', () => {
    const folder = copyWith((log) => {
      const zipped = gzipSync(log);
      return zipped.subarray(0, zipped.length - 2000);
    });
    const text = runP2m(['replay', folder]);
    expect(text.stderr).toMatch(/^error: trace\.txt\.gz:byte \d+: gzip file is cut: got the end of the file, want /);
    expect(text.stdout).toContain('  after -> trace.txt.gz -> after: not read to its end\n');
    expect(text.stdout).toMatch(/^events: \d{2,3} by gnt \d+$/m);
    expect(text.stdout).toMatch(/\nverdict: none: the input could not be read to its end\n$/);
    expect(text.code).toBe(3);
    const json = runP2m(['replay', '--json', folder]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      verdict: null,
      exitCode: 3,
      error: { file: 'trace.txt.gz', byte: expect.any(Number) as number, got: 'the end of the file' },
    });
    expect(json.code).toBe(3);
  });

  it('wants a folder with a replay.json, and says so in JSON too', () => {
    const folder = temporaryFolder();
    const empty = runP2m(['replay', folder]);
    expect(empty).toMatchObject({ stdout: '', code: 3 });
    expect(empty.stderr).toContain('error: replay.json: missing file: want replay.json or replay.json.gz');
    for (const path of [`${folder}/absent`, `${HOLD}/replay.json`]) {
      const run = runP2m(['replay', '--json', path]);
      expect(run.stderr).toBe(`error: ${path}: not a recording: want a folder with a replay.json\n`);
      expect(JSON.parse(run.stdout)).toMatchObject({ verdict: null, exitCode: 3, error: { file: path } });
      expect(run.code).toBe(3);
    }
  });

  it('names a file of the recording that is missing', () => {
    const folder = copyWith((log) => log);
    rmSync(`${folder}/p2m-mapped.bin.gz`);
    const { stderr, code } = runP2m(['replay', folder]);
    expect(stderr).toContain('error: p2m-mapped.bin: missing file: want p2m-mapped.bin or p2m-mapped.bin.gz');
    expect(code).toBe(3);
  });

  it.each([
    [['--memory', 'round'], 'unknown memory: got "round", want paged or flat'],
    [['--kernel', '2.6'], 'unknown kernel form: got "2.6", want '],
    [['--kernel', '3.18', '--memory', 'paged'], 'which this kernel has not: got kernel 3.18, want 3.19 or later'],
  ])('refuses %j', (args, message) => {
    const { stdout, stderr, code } = runP2m(['replay', ...args, HOLD]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 2]);
  });
});
