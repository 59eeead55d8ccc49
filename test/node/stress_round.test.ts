import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventBatch, KINDS, mfnWord } from '../../events/index.js';
import { StressRound, type StressRoundEnd, type StressRoundOptions } from '../../node/stress_round.js';
import { StressWorkers } from '../../node/stress_workers.js';
import {
  apply,
  bootSequence,
  Domain,
  formByKernel,
  Control,
  GEOMETRIES,
  memoryOf,
  shareDomain,
  type Memory,
  type SharedDomain,
} from '../../src/index.js';
import type { SetAndLookJob } from './set_and_look_worker.js';

const PAGES = 1 << 15;
let folder = '';
let workers: StressWorkers;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'p2m-round-'));
  const file = join(folder, 'worker.mjs');
  const input = fileURLToPath(new URL('set_and_look_worker.ts', import.meta.url));
  const built = await rolldown({ input, platform: 'node', logLevel: 'silent' });
  await built.write({ file, format: 'esm' });
  await built.close();
  workers = new StressWorkers(pathToFileURL(file));
});

afterAll(async () => {
  await workers.end();
  rmSync(folder, { recursive: true, force: true });
});

function boot(memory: 'paged' | 'flat', threads: number): Domain {
  const form = formByKernel('7.0');
  const domain = new Domain({ form, geometry: GEOMETRIES.x86_64, memory, nrPages: PAGES, cpus: threads });
  bootSequence(domain, {
    nrPages: PAGES,
    firstEntry: mfnWord(1000),
    holes: [{ pfnStart: 4096, pfnEnd: 16384 }],
    identity: [{ pfnStart: 20480, pfnEnd: 24576 }],
  });
  domain.flush();
  return domain;
}

/** A round of threads that set and look up; its events make the twin what the shared memory should be. */
interface Round {
  readonly shared: SharedDomain;
  readonly twin: Memory;
  readonly seen: EventBatch;
  readonly options: StressRoundOptions;
}

function round(
  memory: 'paged' | 'flat',
  threads: number,
  operations: number,
  more: Partial<SetAndLookJob> & { readonly append?: (batch: EventBatch) => void | Promise<void> } = {},
): Round {
  const { append, ...job } = more;
  const shared = shareDomain(boot(memory, threads));
  const twin = boot(memory, threads).memory;
  const seen = new EventBatch();
  const jobs = shared.rings.map((_, thread) => ({
    task: { shared, thread, operations },
    pfnStart: 0,
    pfnEnd: PAGES,
    seed: thread + 1,
    ...job,
  }));
  const log = {
    async append(batch: EventBatch): Promise<void> {
      for (let i = 0; i < batch.length; i++) {
        apply(twin, batch, i);
        seen.copyRow(batch, i, -1);
      }
      await append?.(batch);
    },
  };
  return { shared, twin, seen, options: { shared, jobs, log, seq: 0, workers } };
}

function expectLogIsMemory({ shared, twin, seen }: Round, { events }: StressRoundEnd): void {
  const memory = memoryOf(shared);
  expect(seen.length).toBe(events);
  expect(Buffer.from(twin.words.buffer).equals(Buffer.from(memory.words.buffer))).toBe(true);
  expect(Buffer.from(twin.roles.buffer).equals(Buffer.from(memory.roles.buffer))).toBe(true);
  expect(new Int32Array(shared.control)[Control.lock]).toBe(0);
}

function count(batch: EventBatch, kind: number): number {
  return batch.kind.subarray(0, batch.length).filter((id) => id === kind).length;
}

describe('StressRound', () => {
  test.each(['paged', 'flat'] as const)('has a log in the order of memory: 3 threads, %s', async (memory) => {
    const all = round(memory, 3, 20_000);
    const end = await new StressRound(all.options).run();
    expect(end.threads.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(end.operations).toBe(60_000);
    expect(count(all.seen, KINDS.call.id)).toBe(60_000);
    expect(count(all.seen, KINDS.return.id)).toBe(60_000);
    expectLogIsMemory(all, end);
  });

  test('stops when it is asked to, in time', async () => {
    const all = round('paged', 2, 1e9);
    const end = await new StressRound({ ...all.options, ms: 300 }).run();
    expect(end.threads.map(({ kind }) => kind)).toEqual(['stopped', 'stopped']);
    expectLogIsMemory(all, end);
  });

  test('loses nothing of a thread that is killed in the middle, and the others go on', async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const all = round('paged', 3, 1e9, { pfnStart: 4096, pfnEnd: 4096 + 512 });
      const kills = [{ thread: 1, ms: 150 + 7 * attempt }];
      const end = await new StressRound({ ...all.options, ms: 350, kills }).run();
      expect(end.threads[1]!.kind).toBe('killed');
      // A kernel hangs, too, where a CPU dies with p2m_update_lock.
      for (const thread of [0, 2]) expect(['stopped', 'stuck']).toContain(end.threads[thread]!.kind);
      expect(count(all.seen, KINDS.call.id) - count(all.seen, KINDS.return.id)).toBeLessThanOrEqual(3);
      expectLogIsMemory(all, end);
    }
  });

  test('tells of a thread that fails, and why', async () => {
    const all = round('paged', 2, 1000, { failAfter: 100 });
    const end = await new StressRound(all.options).run();
    expect(end.threads.map(({ kind }) => kind)).toEqual(['failed', 'failed']);
    expect(end.threads[0]).toMatchObject({ what: 'as it was told to', operations: 100 });
    expectLogIsMemory(all, end);
  });

  test('holds its threads up behind a slow disk, and loses no event', async () => {
    let slow = 0;
    const all = round('paged', 2, 30_000, {
      append: () => (slow++ < 5 ? setTimeout(100) : undefined),
    });
    const end = await new StressRound(all.options).run();
    expect(end.operations).toBe(60_000);
    expectLogIsMemory(all, end);
  });

  test('ends with what the log took where the disk is full', async () => {
    const all = round('paged', 2, 1e9, {
      append: () => {
        if (all.seen.length > 100_000) throw new Error('ENOSPC: no space left on device');
      },
    });
    const end = await new StressRound(all.options).run();
    expect(String(end.logFailure)).toContain('ENOSPC');
    expect(end.threads.map(({ kind }) => kind)).toEqual(['stopped', 'stopped']);
    expect(end.events).toBeGreaterThan(0);
    expect(end.events).toBeLessThan(all.seen.length);
  });
});
