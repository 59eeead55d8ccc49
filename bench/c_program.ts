import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The C yardstick. */
export interface CProgram {
  readonly path: string;
  /** First line of `gcc --version`. */
  readonly compiler: string;
}

/** Compiles c/look_up.c by `gcc -O2` into a new folder; undefined where there is no gcc. */
export function compileLookUp(): CProgram | undefined {
  const version = spawnSync('gcc', ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) return undefined;
  const source = fileURLToPath(new URL('../../bench/c/look_up.c', import.meta.url));
  const path = join(mkdtempSync(join(tmpdir(), 'xen-p2m-bench-')), 'look_up');
  execFileSync('gcc', ['-O2', '-o', path, source]);
  return { path, compiler: version.stdout.split('\n')[0]! };
}
