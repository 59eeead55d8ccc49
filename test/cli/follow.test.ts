import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';
import { runP2m } from './run_p2m.js';

const folder = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('p2m log --follow', () => {
  it('tells every event of a log that grows once, in order, until its writer closes it', async () => {
    const path = join(folder, 'run');
    const engine = bootEngine({ nrPages: 64, geometry: 'tiny', log: keepLog(path, { segmentBytes: 4000 }) });
    await engine.flush();
    const reader = spawn(process.execPath, ['dist/cli/main.js', 'log', path, '--follow', '--json']);
    let text = '';
    reader.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    const ended = new Promise((done) => reader.on('close', done));
    for (let pfn = 0; pfn < 60; pfn++) {
      await engine.execute({ operation: 'set_phys_to_machine', pfn, value: `m:${pfn + 500}` });
      if (pfn % 10 === 0) await sleep(60);
    }
    await engine.close();
    expect(await ended).toBe(0);
    const seqs = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: { seq: number } }).event.seq);
    expect(seqs).toEqual(Array.from({ length: engine.appended }, (_, seq) => seq));
  });

  it('is of binary logs', () => {
    const { code, stderr } = runP2m(['log', 'test/recordings/k61-512M-hold', '--follow', '--op', 'lock']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('only a binary log can be followed')]);
  });
});
