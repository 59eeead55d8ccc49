import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The C yardstick. */
export interface CProgram {
  readonly path: string;
  /** First line of what the compiler says of its version. */
  readonly compiler: string;
}

const COMPILERS = ['gcc', 'cc'];

/** Compiles c/look_up.c by `gcc -O2` (or cc) into `folder`; says why where it cannot. */
export async function compileLookUp(folder: string): Promise<CProgram | { readonly why: string }> {
  const path = join(folder, 'look_up');
  let why = 'no gcc, no cc';
  for (const compiler of COMPILERS) {
    try {
      const version = await run(compiler, ['--version']);
      // Its own temporary files go where ours do.
      await run(compiler, ['-O2', '-o', path, sourceOf('c/look_up.c')], { env: { ...process.env, TMPDIR: folder } });
      return { path, compiler: version.stdout.split('\n')[0]! };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') why = `${compiler}: ${message.split('\n')[0]!}`;
    }
  }
  return { why };
}

/** A file of this room: beside us in the sources, and two folders up in dist/bench and dist/cli. */
function sourceOf(name: string): string {
  const places = [`./${name}`, `../../bench/${name}`].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(place)) ?? places[0]!;
}
