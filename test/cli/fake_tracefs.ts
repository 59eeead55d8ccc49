import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { temporaryFolder, type Run } from './run_p2m.js';

/**
 * Folders that stand for a kernel's tracing: ordinary files, to which what a script writes stays written. Functions of
 * the shell make an instance appear with its files, keep it as `ended` when it is removed, and say what machine this is.
 */
export class FakeTracefs {
  readonly root = temporaryFolder();

  constructor(machine = 'x86_64', release = '6.1.0-56-amd64') {
    this.write('kprobe_events', '');
    this.write('kprobe_profile', '  set_phys_to_machine          7   0\n  other           3   9\n');
    this.write('instances/.keep', '');
    for (const file of ['tracing_on', 'trace_clock', 'buffer_size_kb', 'trace_options', 'events/p2m/enable']) {
      this.write(`new/${file}`, '');
    }
    this.write('new/events/xen/xen_mmu_set_pte/enable', '0\n');
    this.write('new/trace', '# tracer: nop\n');
    for (const cpu of ['cpu0', 'cpu1']) {
      this.write(`new/per_cpu/${cpu}/stats`, 'entries: 21\noverrun: 0\ncommit overrun: 0\ndropped events: 0\n');
    }
    const functions = `mkdir() {
  command mkdir "$@" || return
  case $* in */instances/p2m) cp -r '${this.root}/new/.' "$1" ;; esac
}
rmdir() { mv "$1" '${this.root}/ended'; }
uname() { case $1 in -m) echo ${machine} ;; *) echo ${release} ;; esac; }
`;
    this.write('kernel.sh', functions);
  }

  /** Text of a file below the root. */
  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  /** Writes a file below the root. */
  write(file: string, text: string): void {
    const path = join(this.root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** Runs a script in a shell, as the file `record.sh` below the root. */
  run(shell: readonly string[], script: string, ...args: string[]): Run {
    this.write('record.sh', script);
    const [program, ...more] = shell;
    // Functions, not programs on the PATH: busybox looks there last.
    const command = ['-c', '. "$P2M_TRACEFS/kernel.sh"; . "$0"', join(this.root, 'record.sh'), ...args];
    const { stdout, stderr, status } = spawnSync(program!, [...more, ...command], {
      env: { ...process.env, P2M_TRACEFS: this.root },
      input: '',
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { stdout, stderr, code: status };
  }
}
