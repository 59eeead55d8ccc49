import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** How the program ended. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the built program (npm test builds it first) in the root of the project. */
export function runP2m(args: readonly string[], input?: string | Uint8Array, env: NodeJS.ProcessEnv = {}): Run {
  return spawn(process.execPath, ['dist/cli/main.js', ...args], input, env);
}

/** Runs a line of shell in which `p2m` is the program. */
export function runShell(line: string, env: NodeJS.ProcessEnv = {}): Run {
  return spawn('bash', ['-c', `p2m() { '${process.execPath}' dist/cli/main.js "$@"; }\n${line}`], undefined, env);
}

function spawn(
  program: string,
  args: readonly string[],
  input: string | Uint8Array | undefined,
  more: NodeJS.ProcessEnv,
): Run {
  const env: NodeJS.ProcessEnv = { ...process.env, ...more };
  for (const name of ['P2M_LOG', 'FORCE_COLOR', 'NO_COLOR']) if (!(name in more)) env[name] = undefined;
  const { stdout, stderr, status } = spawnSync(program, args, {
    cwd: ROOT,
    env,
    input: input ?? '',
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 64 << 20,
  });
  return { stdout, stderr, code: status };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'p2m-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
