import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';
import { runP2m } from './run_p2m.js';

const folder = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A log of a live engine, in segments. */
async function written(name: string, closes = true): Promise<string> {
  const path = join(folder, name);
  const engine = bootEngine({ nrPages: 64, geometry: 'tiny', log: keepLog(path, { segmentBytes: 3000 }) });
  for (let pfn = 0; pfn < 60; pfn++) await engine.execute({ operation: 'set_phys_to_machine', pfn, value: `m:${pfn}` });
  if (closes) await engine.close();
  return path;
}

const whole = await written('whole');
const file = join(folder, 'race.p2mlog');
runP2m([
  'explore',
  '--kernel',
  '3.19-rc1',
  '--geometry',
  'tiny',
  '--layout',
  'hole 16 32',
  '--thread',
  'set 17 m:9',
  '--thread',
  'set 18 m:8',
  '-o',
  file,
]);

function damaged(name: string, byte: number, segment?: number): string {
  const path = join(folder, name);
  cpSync(segment === undefined ? file : whole, path, { recursive: true });
  const target = segment === undefined ? path : join(path, readdirSync(path).sort()[segment]!);
  const bytes = readFileSync(target);
  bytes[byte]! ^= 4;
  writeFileSync(target, bytes);
  return path;
}

describe('p2m verify', () => {
  it('holds a log in order, of a folder and of a file', () => {
    expect(readdirSync(whole).length).toBeGreaterThan(2);
    for (const path of [whole, file]) {
      const { code, stdout } = runP2m(['verify', path]);
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/\d+ events in .*\nhead: [0-9a-f]{64}\nverdict: ok\n$/),
      ]);
    }
  });

  it('tells of every finding, with its place', () => {
    const path = damaged('bad', 300, 1);
    const { code, stdout } = runP2m(['verify', path]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/00000001\.p2mlog:byte \d+: .*damaged/);
    expect(stdout).toContain('verdict: violated');
    const lines = runP2m(['verify', path, '--json'])
      .stdout.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ byte: expect.any(Number) as number });
    expect(lines.at(-1)).toMatchObject({ verdict: 'violated', exitCode: 3, end: 'damaged' });
  });

  it('tells whether anything before a sealed head has changed', async () => {
    const open = await written('open', false);
    const head = runP2m(['seal', open]).stdout.trim();
    expect(runP2m(['verify', open, '--head', head])).toMatchObject({ code: 0 });
    // The same events, and then the mark of the end.
    expect(runP2m(['verify', whole, '--head', head])).toMatchObject({ code: 0 });
    expect(runP2m(['verify', file, '--head', head]).stdout).toContain('no block has this chain');
    expect(runP2m(['verify', whole, '--head', '0'.repeat(64)]).code).toBe(1);
    expect(runP2m(['verify', damaged('sealed', 300), '--head', runP2m(['seal', file]).stdout.trim()]).code).toBe(1);
  });

  it.each([
    ['a head that is none', ['verify', file, '--head', 'abc'], 2, 'bad --head'],
    ['a file that is not there', ['verify', 'none.p2mlog'], 3, 'no log of events'],
    ['a folder that is no log', ['verify', 'test'], 3, 'no log of events'],
    ['another file', ['verify', 'package.json'], 3, 'no log of events'],
  ])('refuses %s', (_, args, code, message) => {
    const run = runP2m(args);
    expect(run.code).toBe(code);
    expect(run.stdout + run.stderr).toContain(message);
  });
});

describe('p2m repair', () => {
  it('cuts a torn end, keeps it, and leaves what is damaged elsewhere', () => {
    const torn = join(folder, 'torn.p2mlog');
    const bytes = readFileSync(file);
    writeFileSync(torn, bytes.subarray(0, bytes.length - 100));
    expect(runP2m(['verify', torn])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('p2m repair') as string,
    });
    const { code, stdout } = runP2m(['repair', torn]);
    expect(code).toBe(0);
    const [kept] = /\S+\.cut-\d+/.exec(stdout)!;
    expect(Buffer.concat([readFileSync(torn), readFileSync(kept)])).toEqual(bytes.subarray(0, bytes.length - 100));
    expect(runP2m(['verify', torn]).code).toBe(4);
    expect(runP2m(['repair', torn]).stdout).toContain('nothing to cut');
    const bad = damaged('no-repair.p2mlog', 300);
    const before = readFileSync(bad);
    expect(runP2m(['repair', bad]).code).toBe(3);
    expect(readFileSync(bad)).toEqual(before);
    expect(existsSync(`${bad}.lock`)).toBe(false);
  });
});

describe('p2m pack', () => {
  it('compresses segments that every verb then reads, with the same head', () => {
    const packed = join(folder, 'packed');
    cpSync(whole, packed, { recursive: true });
    const head = runP2m(['seal', packed]).stdout;
    const replayed = runP2m(['replay', packed, '--memory', 'paged', '--json']).stdout;
    expect(runP2m(['pack', packed]).code).toBe(0);
    expect(readdirSync(packed).every((name) => name.endsWith('.gz'))).toBe(true);
    expect(runP2m(['seal', packed]).stdout).toBe(head);
    expect(runP2m(['verify', packed, '--head', head.trim()]).code).toBe(0);
    const state = (json: string): unknown => (JSON.parse(json) as { state: unknown }).state;
    expect(state(runP2m(['replay', packed, '--memory', 'paged', '--json']).stdout)).toEqual(state(replayed));
    expect(runP2m(['pack', file]).code).toBe(3);
  });
});
