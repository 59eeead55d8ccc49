import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseRecording } from '../../replay/recording/recording.js';
import { FakeTracefs } from './fake_tracefs.js';
import { runP2m, temporaryFolder } from './run_p2m.js';

interface Plan {
  readonly probes: readonly { readonly event: string; readonly kind: string; readonly definition: string }[];
  readonly tracepoints: readonly string[];
}

const SCRIPT = script();
const PROBES = plan('--kernel', '6.1').probes;
const ARMED = PROBES.map(({ definition }) => definition);
const SHELLS = [['sh'], ['bash'], ['busybox', 'sh']].filter(
  ([program, ...args]) => spawnSync(program!, [...args, '-c', 'exit 0']).status === 0,
);

function script(...args: string[]): string {
  return runP2m(['record-script', '--kernel', '6.1', ...args]).stdout;
}

/** Before a shell: no file may grow beyond 4 KiB. */
const LIMITED = ['-c', `trap '' XFSZ; ulimit -f 8; exec "$@"`, 'sh'];

/** The script in a file. */
function file(text: string): string {
  const path = join(temporaryFolder(), 'record.sh');
  writeFileSync(path, text);
  return path;
}

function plan(...args: string[]): Plan {
  return JSON.parse(runP2m(['record-script', '--json', ...args]).stdout) as Plan;
}

function definitions(...args: string[]): string[] {
  return plan(...args).probes.map(({ definition }) => definition);
}

function lines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

describe('p2m record-script', () => {
  it.each(['3.18', '3.19', '6.1'])('prints a script for %s that shells can read', (kernel) => {
    const path = file(script('--kernel', kernel, '--page-tables'));
    for (const shell of SHELLS) {
      expect(spawnSync(shell[0]!, [...shell.slice(1), '-n', path], { encoding: 'utf8' })).toMatchObject({
        stderr: '',
        status: 0,
      });
    }
  });

  it.skipIf(spawnSync('shellcheck', ['--version']).status !== 0)('prints what shellcheck has nothing against', () => {
    const { stdout, status } = spawnSync('shellcheck', [file(SCRIPT)], { encoding: 'utf8' });
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
  });

  it('tells the same probes as one JSON object', () => {
    const text = script('--kernel', '4.0');
    for (const definition of definitions('--kernel', '4.0')) expect(text).toContain(`\n${definition}\n`);
    expect(plan('--kernel', '6.1', '--clock', 'mono', '--buffer-kib', '0x10')).toMatchObject({
      kernel: '6.1',
      form: '5.17',
      geometry: 'x86_64',
      clock: 'mono',
      bufferKib: 16,
      tracepoints: [],
    });
  });

  it('records look-ups of the linear list, where they are few, and of the old tree when asked', () => {
    const looksUp = (...args: string[]): boolean => definitions(...args).some((text) => text.includes(' get_phys'));
    expect(looksUp('--kernel', '6.1')).toBe(true);
    expect(looksUp('--kernel', '6.1', '--no-look-ups')).toBe(false);
    expect(looksUp('--kernel', '3.18')).toBe(false);
    expect(looksUp('--kernel', '3.18', '--look-ups')).toBe(true);
  });

  it('says that a recording of the old tree is not for replay', () => {
    expect(runP2m(['record-script', '--kernel', '3.16'])).toMatchObject({
      stderr: 'note: Linux 3.16 keeps the list as a tree; its recording can be read, but replay needs 3.19 or later\n',
      code: 0,
    });
    expect(runP2m(['record-script', '--kernel', '3.19']).stderr).toBe('');
  });

  it.each([
    [['--kernel', '2.6'], 'unknown kernel form'],
    [['--kernel', "6.1-'"], 'bad kernel version'],
    [['--clock', 'sundial'], 'unknown clock'],
    [['--buffer-kib', '0'], 'no buffer'],
    [['--buffer-kib', 'much'], 'bad buffer size'],
    [['folder'], 'too many arguments'],
  ])('takes %j for wrong usage', (args, message) => {
    const { stdout, stderr, code } = runP2m(['record-script', ...args]);
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 2]);
  });
});

describe.each(SHELLS.map((shell) => [shell.join(' '), shell] as const))('the script, run by %s', (_, shell) => {
  it('arms the probes of the table, runs the command, saves a recording, and disarms', () => {
    const tracefs = new FakeTracefs();
    const folder = join(temporaryFolder(), "it's", 'a recording');
    const look = 'cat "$P2M_TRACEFS/kprobe_events" "$P2M_TRACEFS/instances/p2m/tracing_on"';
    const run = tracefs.run(shell, script('--page-tables'), folder, 'sh', '-c', look);
    expect(run.stderr).toBe(`record: saved 42 events: p2m replay ${folder}\n`);
    expect(run.code).toBe(0);

    expect(lines(run.stdout)).toEqual([...ARMED, '1']);
    const removed = PROBES.map(({ event }) => `-:p2m/${event}`);
    expect(lines(tracefs.read('kprobe_events'))).toEqual([...ARMED, ...removed]);
    const written = ['tracing_on', 'trace_clock', 'buffer_size_kb', 'trace_options', 'events/p2m/enable'];
    expect(written.map((file) => tracefs.read(`ended/${file}`))).toEqual([
      '0\n',
      'counter\n',
      '16384\n',
      'overwrite\n',
      '1\n',
    ]);
    expect(tracefs.read('ended/events/xen/xen_mmu_set_pte/enable')).toBe('1\n');
    expect(existsSync(join(tracefs.root, 'instances/p2m'))).toBe(false);

    expect(readdirSync(folder).sort()).toEqual([
      'kprobe_events',
      'kprobe_profile.after',
      'replay.json',
      'ring-stats.txt',
      'trace.txt.gz',
      'trace_clock',
    ]);
    const recording = parseRecording(readFileSync(join(folder, 'replay.json')), 'replay.json');
    expect(recording).toEqual({
      kernel: '6.1.0-56-amd64',
      steps: [{ from: null, log: 'trace.txt.gz', to: null }],
    });
    expect(gunzipSync(readFileSync(join(folder, 'trace.txt.gz'))).toString()).toBe('# tracer: nop\n');
    expect(lines(readFileSync(join(folder, 'kprobe_events'), 'utf8'))).toEqual(ARMED);
    expect(readFileSync(join(folder, 'ring-stats.txt'), 'utf8')).toContain('== cpu1\nentries: 21\n');
  });

  it('tells refused probes, arms no return of a refused entry, and goes on', () => {
    const tracefs = new FakeTracefs();
    const folder = temporaryFolder();
    // There is room for the first three.
    const room = ARMED.slice(0, 3).join('\n').length + 1;
    tracefs.write('kprobe_events', `${'#'.repeat(4096 - room - 1)}\n`);
    const run = tracefs.run(['sh', ...LIMITED, ...shell], SCRIPT, folder, 'true');
    expect(run.code).toBe(0);
    expect(lines(tracefs.read('kprobe_events')).slice(1)).toEqual(ARMED.slice(0, 3));
    const refused = [ARMED[3]!, ...ARMED.slice(4).filter((definition) => definition.startsWith('p:'))];
    const told = lines(readFileSync(join(folder, 'kprobes-refused.txt'), 'utf8'));
    expect(told.map((line) => /^REFUSED: (.*) :: .+$/.exec(line)![1])).toEqual(refused);
    expect(run.stderr).toMatch(/^record: refused: set_phys_to_machine_ret: .*[a-z]$/m);
    expect(run.stderr).toContain('record: refused: xen_alloc_p2m_entry: ');
  });

  it('takes the reason of a refusal from the error log, where the kernel keeps one', () => {
    const tracefs = new FakeTracefs();
    const folder = temporaryFolder();
    tracefs.write('error_log', '[ 1.5] trace_kprobe: error: Invalid probed address or symbol\n  Command: p\n  ^\n');
    tracefs.write('kprobe_events', '#'.repeat(4096));
    const run = tracefs.run(['sh', ...LIMITED, ...shell], SCRIPT, folder, 'true');
    expect(run.stderr).toContain('record: refused: set_phys_to_machine: Invalid probed address or symbol\n');
    expect(run.stderr).toContain('record: error: the kernel takes none of the probes');
    expect(run.code).toBe(1);
    expect(readdirSync(folder)).toEqual(['kprobes-refused.txt']);
  });

  it('saves what it has when the command fails, or Ctrl-C ends it', () => {
    for (const [command, told] of [
      ['exit 7', 'exit code 7: sh -c exit 7'],
      ['kill -INT $PPID; kill -INT $$', 'exit code 130: sh -c'],
    ] as const) {
      const folder = temporaryFolder();
      const run = new FakeTracefs().run(shell, SCRIPT, folder, 'sh', '-c', command);
      expect(run.stderr).toContain(`record: ${told}`);
      expect(run.code).toBe(0);
      expect(existsSync(join(folder, 'replay.json'))).toBe(true);
    }
  });

  it('waits for Enter where there is no command', () => {
    const run = new FakeTracefs().run(shell, SCRIPT, temporaryFolder());
    expect(run.stderr).toContain('record: 23 probes are armed: Enter or Ctrl-C ends the recording\n');
    expect(run.code).toBe(0);
  });

  it('disarms and saves nothing when it is told to end', () => {
    const tracefs = new FakeTracefs();
    const folder = temporaryFolder();
    const run = tracefs.run(shell, SCRIPT, folder, 'sh', '-c', 'kill -TERM $PPID');
    expect(run.code).toBe(143);
    expect(readdirSync(folder)).toEqual([]);
    expect(lines(tracefs.read('kprobe_events')).at(-1)).toMatch(/^-:p2m\//);
    expect(existsSync(join(tracefs.root, 'ended'))).toBe(true);
  });

  it('tells lost events and missed returns of its own probes', () => {
    const tracefs = new FakeTracefs();
    tracefs.write('new/per_cpu/cpu1/stats', 'entries: 5\noverrun: 3\ncommit overrun: 0\ndropped events: 4\n');
    tracefs.write('kprobe_profile', '  set_phys_to_machine_ret   7   2\n  other   3   9\n');
    const { stderr } = tracefs.run(shell, SCRIPT, temporaryFolder(), 'true');
    expect(stderr).toContain('record: lost 7 events: record again with a larger buffer');
    expect(stderr).toContain('record: missed 2 calls or returns: see ');
    expect(stderr).toContain('record: saved 26 events: ');
  });

  it('removes what a killed recording has left, and starts none beside it', () => {
    const tracefs = new FakeTracefs();
    tracefs.write('instances/p2m/tracing_on', '1\n');
    const left = 'r64:p2m/set_phys_to_machine_ret set_phys_to_machine ret=$retval:u8\np:other/x do_exit\n';
    tracefs.write('kprobe_events', left);
    const folder = join(temporaryFolder(), 'new');
    expect(tracefs.run(shell, SCRIPT, folder, 'true')).toMatchObject({
      stderr: `record: error: probes are armed already: end that recording, or sh ${tracefs.root}/record.sh --disarm\n`,
      code: 1,
    });
    expect(existsSync(folder)).toBe(false);
    expect(tracefs.run(shell, SCRIPT, '--disarm')).toEqual({ stdout: '', stderr: '', code: 0 });
    expect(tracefs.read('kprobe_events')).toBe(`${left}-:p2m/set_phys_to_machine_ret\n`);
    expect(tracefs.read('ended/tracing_on')).toBe('1\n');
  });

  it('says what is wrong before it arms anything', () => {
    const folder = temporaryFolder();
    expect(new FakeTracefs().run(shell, SCRIPT).code).toBe(2);
    expect(new FakeTracefs().run(shell, SCRIPT, '--frob').stderr).toMatch(/^usage: /);
    expect(new FakeTracefs('armv7l').run(shell, SCRIPT, folder).stderr).toContain('error: this machine is armv7l');
    expect(new FakeTracefs('x86_64', '6.12.1').run(shell, SCRIPT, folder, 'true').stderr).toContain(
      'record: these are the probes for Linux 6.1, this is 6.12.1: p2m record-script --kernel 6.12.1\n',
    );
    // That one was recorded all the same.
    const tracefs = new FakeTracefs();
    expect(tracefs.run(shell, SCRIPT, folder, 'true').stderr).toBe(
      `record: error: ${folder} holds a recording already\n`,
    );
    expect(tracefs.read('kprobe_events')).toBe('');
  });
});
