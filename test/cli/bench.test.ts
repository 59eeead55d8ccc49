import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TABLE } from '../../bench/table.js';
import { addBench } from '../../cli/bench.js';
import { runVerb } from './in_process.js';
import { runP2m, temporaryFolder, type Run } from './run_p2m.js';

vi.mock('../../cli/output.js', async () => (await import('./in_process.js')).keptOutput);

/** Nothing else is on the PATH: no compiler. */
const NO_COMPILER = { PATH: '/nonexistent' };

interface Reported {
  readonly machine: { readonly tiny: boolean; readonly compiler: string };
  readonly contestants: readonly { name: string; value?: { median: number } }[];
  readonly rows: readonly { name: string; verdict: string; why?: string; measured?: { median: number } }[];
}

const isLog = (path: string): boolean => path.includes('sets-');

function bench(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = NO_COMPILER): Run {
  return runP2m(['bench', '--tiny', '--rounds', '1', ...args], '', { ...env, TMPDIR: folder });
}

describe('p2m bench', () => {
  it('measures what can run, skips C where there is no compiler, and leaves no file behind', () => {
    const folder = temporaryFolder();
    const svg = join(temporaryFolder(), 'bench.svg');
    const { code, stdout, stderr } = bench(folder, ['--only', 'look-up random', '--json', '--svg', svg]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { machine, rows } = JSON.parse(stdout) as Reported;
    expect(machine).toMatchObject({ tiny: true, compiler: 'no gcc, no cc' });
    expect(rows.map(({ name, verdict, why }) => [name, verdict === 'skipped', why])).toEqual([
      ['look-up random 1M', true, 'no gcc, no cc'],
      ['look-up random 64M', true, 'no gcc, no cc'],
      ['look-up random, tree', false, undefined],
    ]);
    expect(rows[2]!.measured!.median).toBeGreaterThan(0);
    const plot = readFileSync(svg, 'utf8');
    for (const { name } of rows) expect(plot).toContain(`>${name}<`);
    expect(plot.replace(/<[^<>]*>\s*/g, ' ')).toContain('skipped: no gcc, no cc');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(spawnSync('gcc', ['--version']).status !== 0)('races C by gcc, whose look-ups see what ours see', () => {
    const { code, stdout } = bench(temporaryFolder(), ['--only', 'look-up random 1M', '--json'], {});
    const { rows, contestants } = JSON.parse(stdout) as Reported;
    expect({ code, names: contestants.map(({ name }) => name) }).toEqual({
      code: 0,
      names: ['C linear list', 'boundLookUp, flat'],
    });
    expect(rows).toMatchObject([{ name: 'look-up random 1M' }]);
    for (const { value } of [...contestants, { value: rows[0]!.measured }]) expect(value!.median).toBeGreaterThan(0);
  });

  it('prints a table, and shows what needs --long without it', () => {
    const { code, stdout } = bench(temporaryFolder(), ['--only', 'replay 100M']);
    expect(code).toBe(0);
    expect(stdout).toContain('these numbers mean nothing');
    expect(stdout).toMatch(
      /replay of 100 M events.*\| skipped: takes minutes, and --long was not given +\|.*\| skipped/,
    );
  });

  it('compiles by cc where there is no gcc', () => {
    const folder = temporaryFolder();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // A compiler that makes a C program which sees nothing: it says so, and the row says why there is no number.
    const program = '#!/bin/sh\\necho cannot see';
    const compiler = `#!/bin/sh\ncase "$1" in --version) echo cc 1.0;; *) printf '${program}' > "$3"; /bin/chmod +x "$3";; esac`;
    writeFileSync(join(bin, 'cc'), compiler, { mode: 0o755 });
    const { code, stdout } = bench(folder, ['--only', 'buffered', '--json'], { PATH: bin });
    expect(code).toBe(0);
    const { machine, rows } = JSON.parse(stdout) as Reported;
    expect(machine.compiler).toBe('cc 1.0');
    expect(rows).toMatchObject([{ verdict: 'skipped', why: 'see' }]);
  });

  it.each([
    [['--only', 'nothing'], 2, 'bad --only: got "nothing"'],
    [['--rounds', '0'], 2, 'bad --rounds: got 0'],
    [['--rounds', 'x'], 2, 'bad --rounds'],
    [['--svg', '/nonexistent/bench.svg'], 3, 'cannot write'],
  ])('refuses %j before it measures anything', async (args, code, message) => {
    const run = await runVerb(addBench, ['bench', ...args]);
    expect(run).toMatchObject({ code, stdout: [] });
    expect(run.stderr).toContain(message);
  });

  it('ends at once when it is interrupted, says so, and removes its files', async () => {
    const folder = temporaryFolder();
    const child = spawn(
      process.execPath,
      ['dist/cli/main.js', 'bench', '--tiny', '--rounds', '999', '--only', 'sets batched'],
      {
        env: { ...process.env, TMPDIR: folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', (piece: Buffer) => (said[stream] += piece.toString()));
    }
    const ended = once(child, 'close');
    // A contestant has begun to write its log.
    const logs = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(isLog);
    while (logs().length === 0) await new Promise((done) => setTimeout(done, 20));
    child.kill('SIGINT');
    const [code] = (await ended) as [number];
    expect({ code, ...said }).toEqual({ code: 130, stdout: '', stderr: 'interrupted by SIGINT\n' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('has a name for each row that --only can tell from the others', () => {
    expect(new Set(TABLE.map(({ name }) => name)).size).toBe(TABLE.length);
  });
});
