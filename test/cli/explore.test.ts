import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runP2m, runShell, temporaryFolder } from './run_p2m.js';

/** The race of 2014 on a machine of four entries a leaf: fast, and of the same shape. */
const RACE = [
  '--kernel=3.19-rc1',
  '--geometry=tiny',
  '--layout=nr 64; hole 16 48',
  '--thread=set 0x12 m:77',
  '--thread=set 0x13 m:78',
];
const HELD = [...RACE, '--check', 'shared-pte-page-written'];

interface Json {
  readonly verdict: string;
  readonly exitCode: number;
  readonly scenario: { readonly kernel: string; readonly threads: unknown[][] };
  readonly assumptions: string[];
  readonly interleavings: string | null;
  readonly violating: string | null;
  readonly states: number;
  readonly bound: string | null;
  readonly executions: number;
  readonly violations: {
    readonly check: string;
    readonly preemptions: number;
    readonly switches: number;
    readonly token: string;
  }[];
}

function json(args: readonly string[]): Json {
  return JSON.parse(runP2m(['explore', ...args, '--json']).stdout) as Json;
}

describe('p2m explore', () => {
  it('finds the race, shows its smallest path, and ends with the command that repeats it', () => {
    const { stdout, code } = runP2m(['explore', ...HELD]);
    expect(code).toBe(1);
    expect(stdout).toContain('violated: shared-pte-page-written');
    expect(stdout).toContain('1 preemption');
    const command = stdout.trimEnd().split('\n').at(-1)!;
    expect(command).toMatch(/^p2m explore .* --replay p1-/);
    const again = runShell(command);
    expect(again.code).toBe(1);
    // The same report, without what the search says of itself.
    expect(stdout).toContain(again.stdout.slice(again.stdout.indexOf('violated: ')));
  });

  it('proves that the fix mends it, names what it assumes, and says how many interleavings there are', () => {
    const { stdout, stderr, code } = runP2m(['explore', ...HELD, '--kernel', '3.19']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/proven: no check is broken in all [\d,]+ interleavings/);
    expect(stdout).toContain('sequentially consistent');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('verdict: ok');
    expect(stderr).toMatch(/states/);
  });

  it('gives the same bytes for the same scenario and seed, and others are free to differ', () => {
    const runs = [1, 2].map(() => runP2m(['explore', ...HELD, '--seed', '5']).stdout);
    expect(runs[0]).toBe(runs[1]);
  });

  it('tells all of it as JSON', () => {
    const found = json(HELD);
    expect(found).toMatchObject({ verdict: 'violated', exitCode: 1, scenario: { kernel: '3.19-rc1' }, bound: null });
    expect(found.violations[0]).toMatchObject({ check: 'shared-pte-page-written', preemptions: 1 });
    expect(BigInt(found.violating!)).toBeLessThan(BigInt(found.interleavings!));
  });

  it.each(['stateful', 'dpor', 'fewest', 'random', 'pct'])('finds it by --method %s too', (method) => {
    const found = json([...HELD, '--method', method]);
    expect(found).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect(found.violations.map(({ check }) => check)).toContain('shared-pte-page-written');
  });

  it.each(['stateful', 'dpor', 'fewest'])('proves its absence by --method %s too', (method) => {
    expect(json([...HELD, '--kernel', '3.19', '--method', method])).toMatchObject({ verdict: 'ok', exitCode: 0 });
  });

  it.each([
    ['random', ['--runs', '5']],
    ['pct', ['--runs', '5']],
    ['stateful', ['--states', '20']],
    ['fewest', ['--states', '20']],
    ['dpor', ['--executions', '2']],
    ['auto', ['--states', '20', '--runs', '2']],
  ])('claims nothing where --method %s hits a bound', (method, bound) => {
    const { stdout, code } = runP2m(['explore', ...HELD, '--kernel', '3.19', '--method', method, ...bound]);
    expect(code).toBe(4);
    expect(stdout).toContain('bound: ');
    expect(stdout).not.toContain('proven');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('verdict: unknown');
  });

  it('keeps states themselves with --exact, and counts the same', () => {
    const [hashed, exact] = [[], ['--exact']].map((more) => json([...HELD, ...more, '--method', 'stateful']));
    expect(exact!.interleavings).toBe(hashed!.interleavings);
    expect(exact!.assumptions.join()).not.toContain('hash');
    expect(hashed!.assumptions.join()).toContain('hash');
  });

  it('lists what the interleavings lead to with --outcomes', () => {
    expect(runP2m(['explore', ...HELD, '--outcomes']).stdout).toMatch(/outcomes: \d+\n +[\d,]+ {2}\{"results"/);
  });

  it('takes a concurrency vector for a scenario, from a file and from stdin', () => {
    const file = 'test/vectors/concurrency/sl-private-identity-leaf-aligned-neighbour.7.0.json.gz';
    const given = runP2m(['explore', file]);
    expect(given.code).toBe(0);
    const piped = runShell(`gunzip -c ${file} | p2m explore -`);
    expect(piped.stdout).toBe(given.stdout);
  });

  it('runs another kernel on the scenario of a file', () => {
    const file = `${temporaryFolder()}/race.json`;
    const { scenario } = json(HELD);
    writeFileSync(file, JSON.stringify(scenario));
    expect(runP2m(['explore', file]).code).toBe(1);
    expect(runP2m(['explore', file, '--kernel', '7.0']).code).toBe(0);
    expect(runP2m(['explore', file, '--check', 'leak', '--kernel', '7.0']).code).toBe(0);
  });

  it('writes the smallest scenario that still fails', () => {
    const file = `${temporaryFolder()}/small.json`;
    const more = ['--thread', 'get 0x30; get 0x31', '--shrink', file];
    const { stderr, code } = runP2m(['explore', ...HELD, ...more]);
    expect(code).toBe(1);
    expect(stderr).toContain(file);
    const small = JSON.parse(readFileSync(file, 'utf8')) as { threads: unknown[][] };
    expect(small.threads).toHaveLength(2);
    expect(small.threads.flat()).toHaveLength(2);
    expect(runP2m(['explore', file]).code).toBe(1);
  });

  it('keeps the events of the path as an ordinary log, from which the scenario can be drawn again', () => {
    const log = `${temporaryFolder()}/race.p2mlog`;
    const { stderr } = runP2m(['explore', ...HELD, '-o', log]);
    expect(stderr).toContain(`p2m replay ${log} --memory paged`);
    expect(runP2m(['replay', log, '--memory', 'paged']).code).toBe(0);
    const drawn = json(['--from', log, '--window', '0..999999', '--check', 'shared-pte-page-written']);
    expect(drawn).toMatchObject({ verdict: 'violated' });
    expect(drawn.scenario.threads).toHaveLength(2);
  });

  it('lets a module replace a machine of the kernel', () => {
    const file = `${temporaryFolder()}/own.mjs`;
    // Answers like a shared PT page that nobody could replace: each set of a shared leaf fails.
    writeFileSync(
      file,
      `export const machines = { allocP2mPmd: { name: 'alloc_p2m_pmd', rows: [{ label: 'X1', does: 'fail', step: 'walk pmd' }],
        step: (r, cpu) => cpu.ret(0) } };`,
    );
    const { stdout, code } = runP2m(['explore', ...RACE, '--check', 'false-set', '--machines', file]);
    expect(code).toBe(1);
    expect(stdout).toContain('violated: false-set');
    expect(stdout).toContain(`--machines ${file}`);
  });

  const folder = 'test/recordings';
  it.each<[string, string[], number, string]>([
    ['no scenario', [], 2, 'no scenario'],
    ['two scenarios', ['x.json', '--thread', 'get 1'], 2, 'more than one scenario'],
    ['a thread without a kernel', ['--thread', 'get 1'], 2, 'a scenario without a kernel'],
    ['an unknown kernel', ['--kernel', '2.6', '--thread', 'get 1'], 2, 'unknown kernel form'],
    ['an unknown operation', ['--kernel', '7.0', '--thread', 'free 1'], 2, 'bad piece of --thread: got "free 1"'],
    ['a pfn that is none', ['--kernel', '7.0', '--thread', 'get zz'], 2, 'got "zz"'],
    ['a pfn beyond every machine', ['--kernel', '7.0', '--thread', 'get 0x10000000000000'], 2, 'bad pfn'],
    ['an unknown geometry', ['--kernel', '7.0', '--geometry', 'huge', '--thread', 'get 1'], 2, 'unknown geometry'],
    ['an unknown check', [...RACE, '--check', 'all'], 2, 'bad scenario'],
    ['an unknown method', [...RACE, '--method', 'luck'], 2, "argument 'luck' is invalid"],
    ['no states', [...RACE, '--states', '0'], 2, 'bad --states'],
    ['a depth beyond all bugs', [...RACE, '--depth', '100000000'], 2, '--depth out of range'],
    [
      'a geometry that every object has',
      ['--kernel', '7.0', '--geometry', 'constructor', '--thread', 'get 1'],
      2,
      'unknown geometry',
    ],
    ['a seed that is none', [...RACE, '--seed', 'x'], 2, 'bad --seed'],
    ['a file that is not there', ['no.json'], 3, 'no.json'],
    ['a folder', [folder], 3, folder],
    ['a file that is no scenario', ['package.json'], 3, 'package.json'],
    ['a log without a window', ['--from', 'x.txt'], 2, '--window A..B'],
    ['a token that is none', [...RACE, '--replay', 'x'], 2, 'not a token'],
    ['a token that is cut', [...RACE, '--replay', 'p1-e9c3943e-B4A20'], 2, 'the token is cut'],
    ['machines that are not there', [...RACE, '--machines', 'no.mjs'], 3, 'cannot load the machines'],
    ['an unknown mutant', ['--mutate', 'x'], 2, 'unknown mutant'],
    ['a log that cannot be written', [...HELD, '-o', '/nowhere/x.p2mlog'], 3, 'cannot write'],
  ])('refuses %s', (_, args, code, message) => {
    const run = runP2m(['explore', ...args]);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toMatch(/^ +at /m);
    expect(run.stderr).not.toContain('bug of p2m');
    expect([run.stdout, run.code]).toEqual(['', code]);
  });

  it('takes a file that no model can hold for bad input', () => {
    const huge = JSON.stringify({ kernel: '7.0', layout: [['nr', '999999999999']], threads: [[['get', 1]]] });
    const run = runP2m(['explore', '-'], huge);
    expect([run.stdout, run.code]).toEqual(['', 3]);
    expect(run.stderr).toContain('bad number of pages');
  });

  it('refuses the token of another scenario, and says which it is of', () => {
    const { token } = json(HELD).violations[0]!;
    const run = runP2m(['explore', ...HELD, '--kernel', '3.19', '--replay', token]);
    expect([run.stdout, run.code]).toEqual(['', 2]);
    expect(run.stderr).toContain('another scenario');
  });

  it('says so where nobody can write what it prints', () => {
    const run = runShell('p2m explore --kernel 7.0 --thread "get 1" > /dev/full');
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('cannot write');
  });

  it('writes no log where nothing is broken', () => {
    const log = `${temporaryFolder()}/none.p2mlog`;
    expect(runP2m(['explore', ...HELD, '--kernel', '3.19', '-o', log]).code).toBe(0);
    expect(existsSync(log)).toBe(false);
  });
});

describe('p2m explore --mutate', () => {
  it('puts a mistake into the kernel and says what finds it', () => {
    const { stdout, code } = runP2m(['explore', '--mutate', 'leaf-unlock-dropped']);
    expect(code).toBe(0);
    expect(stdout).toContain('1 mutants: 1 found');
    expect(stdout).toContain('deadlock');
  });
});

describe('p2m gallery', () => {
  it('runs an entry under each kernel that it knows of', () => {
    const { stdout, code } = runP2m(['gallery', 'identity-base-unmasked']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^B5 .* 3\.19: violated: bystander-changed/m);
    expect(stdout).toMatch(/^B5 .* 7\.0: ok: none of 1 interleavings$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('4 as expected, 0 not, 0 unknown');
  });

  it('lists its entries with what each needs or expects', () => {
    const { stdout, code } = runP2m(['gallery', '--list']);
    expect(code).toBe(0);
    expect(stdout).toContain('needs: tlb');
    expect(stdout).toContain('B3   stale-pte-pointer');
  });

  it('prints a scenario that explore takes', () => {
    const run = runShell('p2m gallery identity-base-unmasked --print | p2m explore - --kernel 3.19.8');
    expect(run.code).toBe(0);
  });

  it.each([
    ['an unknown entry', ['B99'], 'no such entry'],
    ['a family with names', ['B3', '--small', 'pairs'], '--small runs a family'],
    ['an unknown family', ['--small', 'fours'], 'unknown family'],
    ['the scenario of many', ['--print'], '--print prints one scenario'],
    ['the scenario of one that has none', ['B4', '--print'], 'needs tlb'],
  ])('refuses %s', (_, args, message) => {
    const { stdout, stderr, code } = runP2m(['gallery', ...args]);
    expect([stdout, code]).toEqual(['', 2]);
    expect(stderr).toContain(message);
  });
});
