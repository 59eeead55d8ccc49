import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { describe, expect, it } from 'vitest';
import { runP2m, runShell } from './run_p2m.js';

describe('p2m', () => {
  it('lists its verbs and exit codes', () => {
    const { stdout, stderr, code } = runP2m(['--help']);
    for (const verb of ['replay', 'record-script', 'explore', 'check', 'gallery', 'conform', 'boot'])
      expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 ok, 1 violated');
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('tells the version of package.json', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(runP2m(['--version'])).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['replay'], "missing required argument 'path'"],
    [['replay', '--frob', 'x'], "unknown option '--frob'"],
    [[], 'Usage: p2m'],
  ])('takes %j for wrong usage', (args, message) => {
    const { stdout, stderr, code } = runP2m(args);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at .*:\d+:\d+/m);
    expect([stdout, code]).toEqual(['', 2]);
  });

  it.each([[['replay', '--help']], [['help', 'replay']]])('explains a verb by %j', (args) => {
    expect(runP2m(args)).toMatchObject({ stderr: '', code: 0 });
    expect(runP2m(args).stdout).toMatch(/^Usage: p2m replay /);
  });

  it('is in one piece: it loads its own chunks and what is built into Node, and pino only to log', () => {
    const built = new URL('../../dist/cli/', import.meta.url);
    const loaded = readdirSync(built).flatMap((file) =>
      [...readFileSync(new URL(file, built), 'utf8').matchAll(/^(?:import|export) (?:.* from )?"([^"]+)";$/gm)].map(
        ([, specifier]) => specifier!,
      ),
    );
    expect(loaded).toContain('node:fs');
    expect(loaded.filter((specifier) => !specifier.startsWith('./') && !isBuiltin(specifier))).toEqual([]);
  });

  it('ends without a word where nobody reads on, with the exit code of what it found', () => {
    const many = Array.from({ length: 2000 }, (_, i) => `lookup ${i}`).join('\n');
    const run = runShell(`echo '${many}' | p2m boot --nr-pages 2048 | head -1; echo "\${PIPESTATUS[1]}"`);
    expect(run.stdout.split('\n')[0]).toMatch(/^booted: /);
    expect(run.stdout.split('\n')[1]).toBe('0');
    expect(run.stderr).toBe('');
  });

  it('logs to stderr when P2M_LOG says so, and takes an unknown level for info', () => {
    const run = runP2m(['conform', 'test/vectors/sequential/v3.19-rc-pae'], '', { P2M_LOG: 'loud' });
    expect(run).toMatchObject({ stdout: '1 passed, 0 failed\n', code: 0 });
    expect(JSON.parse(run.stderr)).toMatchObject({ level: 40, msg: 'P2M_LOG: no such level', got: 'loud' });
  });
});
