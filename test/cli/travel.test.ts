import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runP2m, temporaryFolder } from './run_p2m.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let made = '';
beforeAll(() => {
  made = mkdtempSync(join(tmpdir(), 'p2m-test-'));
  const thread = ['--thread', 'set 0x40002 m:77', '--thread', 'set 0x40003 m:78'];
  const layout = ['--kernel', '3.19-rc1', '--layout', 'nr 786432; hole 262144 786432'];
  const output = ['--check', 'shared-pte-page-written', '-o', join(made, 'race.p2mlog')];
  expect(runP2m(['explore', ...layout, ...thread, ...output]).code).toBe(1);
});
afterAll(() => {
  rmSync(made, { recursive: true });
});

/** The log of a race, a file of commands, and a folder to write in. */
function logAndScript(script: string): { log: string; file: string; folder: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'commands');
  writeFileSync(file, script);
  return { log: join(made, 'race.p2mlog'), file, folder };
}

const SCRIPT = '# the write of CPU 1\nwatch 0x40003\n\ngoto end\nrc\nquit\nnever\n';
const SEEN = [
  '(p2m start) watch 0x40003',
  'watch 1: pfn 0x40003 = i:262147',
  '(p2m start) goto end',
  expect.stringMatching(/^2130 {2}cpu0 op 5 set_phys_to_machine: set_pte 0x40002 /),
  '(p2m 2130) rc',
  'watch 1: pfn 0x40003: m:78 -> ~, taken back: event 2121 (set_phys_to_machine on cpu1)',
  expect.stringMatching(/^taken back: 2121 /),
  '(p2m 2120) quit',
];

describe('p2m replay -x', () => {
  it('prints what somebody would see who types the commands, from a file or from stdin', () => {
    const { log, file } = logAndScript(SCRIPT);
    const run = runP2m(['replay', '-x', file, log]);
    expect({ ...run, stdout: run.stdout.trimEnd().split('\n') }).toEqual({ stdout: SEEN, stderr: '', code: 0 });
    expect(runP2m(['replay', '-i', log], SCRIPT)).toEqual(run);
    expect(runP2m(['replay', '-x', '-', log], SCRIPT)).toEqual(run);
  });

  it('ends at the first line that is refused, with exit 2', () => {
    const { log, file } = logAndScript('s 3\nfly\ns\n');
    const { stdout, stderr, code } = runP2m(['replay', '-x', file, log]);
    expect(stdout).toMatch(/\(p2m start\) s 3\n.*\n\(p2m 2\) fly\n$/);
    expect(stderr).toBe('error: no such command: got "fly", want one that `help` lists\n');
    expect(code).toBe(2);
  });

  it('refuses what it has no use for, and a log that is none', () => {
    const { log, file } = logAndScript('s\n');
    expect(runP2m(['replay', '-i', '--json', log]).code).toBe(2);
    expect(runP2m(['replay', '-i', '-o', 'x.jsonl', log]).code).toBe(2);
    expect(runP2m(['replay', '-i', '-']).code).toBe(2);
    expect(runP2m(['replay', '-x', `${file}.none`, log]).code).toBe(3);
    expect(runP2m(['replay', '-i', `${log}.none`]).code).toBe(3);
  });
});

/** Types into the program under a terminal of its own. Gives what that shows. */
function typeInto(log: string, typed: string, history: string): { screen: string; code: number | null } {
  const env: NodeJS.ProcessEnv = { ...process.env, P2M_HISTORY: history, TERM: 'xterm' };
  for (const name of ['P2M_LOG', 'FORCE_COLOR', 'NO_COLOR', 'CI']) env[name] = undefined;
  const command = `'${process.execPath}' dist/cli/main.js replay -i '${log}'`;
  // Apart, as a person types: a tab in the middle of pasted text is text.
  const keys = typed.split('|').map((key) => `printf '${key}'; sleep 0.2`);
  const line = `(sleep 1; ${keys.join('; ')}) | script -qec "${command}" /dev/null`;
  const { stdout, status } = spawnSync('bash', ['-o', 'pipefail', '-c', line], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { screen: stdout.replaceAll('\r\n', '\n'), code: status };
}

/** As in terminal.test.ts: without script(1) there is no terminal to test in. */
const isMissing = spawnSync('script', ['-qec', 'test -t 1 && test -t 2', '/dev/null'], { input: '' }).status !== 0;

describe.skipIf(isMissing)('p2m replay -i in a terminal', () => {
  it('greets, completes, repeats, refuses and goes on, keeps its history, and ends with Ctrl-D', () => {
    const { log, folder } = logAndScript('');
    const history = join(folder, 'history');
    const { screen, code } = typeInto(log, 'watch glo|\\t| xen_p2m_si|\\t|\\r|fly\\r|c\\r|\\r|\\004', history);
    expect(screen).toContain('2131 events, Linux form 3.19-rc1, x86_64. `help` lists the commands.');
    expect(screen).toContain('watch 1: global xen_p2m_size = 0\n');
    expect(screen).toContain('error: no such command: got "fly"');
    expect(screen).toContain('watch 1: global xen_p2m_size: 0 -> 0xc0000, set by event 5 ');
    expect(screen).toContain('(p2m 2130) ');
    expect(code).toBe(0);
    expect(readFileSync(history, 'utf8')).toBe('watch global xen_p2m_size\nfly\nc\n');
  });

  it('gives a line up at Ctrl-C, and finds the lines of earlier journeys', () => {
    const { log, folder } = logAndScript('');
    const history = join(folder, 'history');
    writeFileSync(history, 'goto 7\n');
    const { screen, code } = typeInto(log, 'nonsense\\003|\\033[A|\\r|quit\\r', history);
    expect(screen).not.toContain('error');
    expect(screen).toContain('(p2m 7) ');
    expect(code).toBe(0);
  });
});
