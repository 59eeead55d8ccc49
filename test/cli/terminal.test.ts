import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { copyWith, HOLD, violated } from './held_recording.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WIPE = '\r\u001b[K';

/** Runs the built program under a terminal of its own. Gives what that shows, its line ends as \n. */
function inTerminal(args: string, more: NodeJS.ProcessEnv = {}): { screen: string; code: number | null } {
  const env: NodeJS.ProcessEnv = { ...process.env, ...more };
  for (const name of ['P2M_LOG', 'FORCE_COLOR', 'NO_COLOR', 'CI']) if (!(name in more)) env[name] = undefined;
  const command = `'${process.execPath}' dist/cli/main.js ${args}`;
  const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], {
    cwd: ROOT,
    env,
    input: '',
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { screen: stdout.replaceAll('\r\n', '\n'), code: status };
}

/** script(1) of util-linux makes a pseudo terminal; where there is none these tests are skipped, and shown as such. */
const isMissing = spawnSync('script', ['-qec', 'test -t 1 && test -t 2', '/dev/null'], { input: '' }).status !== 0;

describe.skipIf(isMissing)('p2m replay in a terminal', () => {
  it('shows how far it is, and wipes that before the report', () => {
    const { screen, code } = inTerminal(`replay '${HOLD}'`);
    const bar = screen.slice(0, screen.lastIndexOf(WIPE));
    expect(bar).toMatch(/k61-512M-hold\/trace\.txt\.gz \[#*\s*\] \d+% \d+\.\d MiB/);
    const report = screen.slice(screen.lastIndexOf(WIPE) + WIPE.length);
    expect(report.split('\n')[0]).toBe(`${HOLD}: Linux 6.1 (form 5.17), x86_64, flat memory`);
    expect(report).toMatch(/\nverdict: ok\n628 events in \d+ ms, \d+ events\/s\n$/);
    expect(code).toBe(0);
  });

  it('shows no share of a log on stdin, whose size it cannot know', () => {
    const { screen, code } = inTerminal(`replay - --kernel 6.1 < '${HOLD}/trace.txt.gz'`);
    expect(screen).toMatch(/ 0\.0 MiB/);
    expect(screen).not.toContain('%');
    expect(code).toBe(0);
  });

  it('shows bar and report apart where only one of the two goes to the terminal', () => {
    const onlyBar = inTerminal(`replay --json '${HOLD}' > /dev/null`);
    expect(onlyBar.screen).toContain('%');
    expect(onlyBar.screen.endsWith(WIPE)).toBe(true);
    const onlyReport = inTerminal(`replay '${HOLD}' 2> /dev/null`);
    expect(onlyReport.screen).not.toContain(WIPE);
    expect(onlyReport.screen).toMatch(/\nverdict: ok\n$/);
  });

  it('shows errors in red, unless NO_COLOR is set', () => {
    const folder = copyWith(violated);
    const red = inTerminal(`replay '${folder}'`);
    expect(red.screen).toContain(':14: \u001b[31merror\u001b[39m: ');
    expect(red.screen).toContain('\nrepeat with: p2m replay ');
    expect(red.code).toBe(1);
    expect(inTerminal(`replay '${folder}'`, { NO_COLOR: '1' }).screen).not.toContain('\u001b[31m');
  });
});
