import { describe, expect, it } from 'vitest';
import { crashRun, faultAt, SHORT_RUN, type FaultPlan, type RunPlan } from './crash_run.js';
import type { LogStorage, SegmentFile } from '../../../events/index.js';
import { seeded, type Fault } from './faulty_disk.js';

const FAULTS = ['power', 'kill', 'ENOSPC', 'EIO', 'EINTR'] as const;

/** Runs with the fault at every operation of a process; what went wrong, and how many runs there were. */
async function atEveryOperation(
  fault: Fault,
  before: readonly FaultPlan[] = [],
  seeds = 1,
  plan: RunPlan = SHORT_RUN,
): Promise<{ wrongs: string[]; runs: number; taken: number }> {
  const wrongs: string[] = [];
  let runs = 0;
  let taken = 0;
  for (let index = 0, isHit = true; isHit; index++) {
    for (let seed = 1; seed <= seeds; seed++, runs++) {
      const result = await crashRun(plan, [...before, faultAt(index, fault)], seeded(seed * 1000 + index));
      isHit = result.faults > before.length;
      taken += result.taken;
      const isTold = fault === 'power' || fault === 'kill' || result.complaints.length > 0;
      if (isHit && !isTold) wrongs.push(`${fault} at ${index}: nobody was told`);
      wrongs.push(...result.wrongs.map((what) => `${fault} at ${index}, seed ${seed}: ${what}`));
    }
  }
  return { wrongs, runs, taken };
}

describe('a log on a disk that fails at one operation', () => {
  it.each(FAULTS)('loses nothing to %s, at any of them', async (fault) => {
    const { wrongs, runs } = await atEveryOperation(fault, [], fault === 'power' ? 2 : 1);
    expect(wrongs).toEqual([]);
    expect(runs).toBeGreaterThan(100);
  });

  it.each(FAULTS)('loses nothing to %s after a crash, at any of them', async (fault) => {
    const { wrongs, runs } = await atEveryOperation(fault, [faultAt(60, 'power')]);
    expect(wrongs).toEqual([]);
    expect(runs).toBeGreaterThan(50);
  });
});

describe('a log that is not synced with each append', () => {
  const run: RunPlan = { ...SHORT_RUN, appends: 22 };
  const plans = [
    ['every 5 ms', { ...run, sync: { everyMs: 5 } }],
    ['never', { ...run, sync: 'never' }],
    ['never, in one file', { ...run, sync: 'never', oneFile: true }],
    ['every 5 ms, in one file', { ...run, sync: { everyMs: 5 }, oneFile: true }],
    ['with each, in one file', { ...run, oneFile: true }],
  ] as const satisfies readonly (readonly [string, RunPlan])[];

  it.each(plans)('but %s: has after any fault what that promises, and what it has is true', async (_, plan) => {
    const wrongs: string[] = [];
    let taken = 0;
    for (const fault of FAULTS) {
      const result = await atEveryOperation(fault, [], fault === 'power' ? 2 : 1, plan);
      wrongs.push(...result.wrongs);
      taken += result.taken;
      if (fault !== 'power') expect(result.taken).toBe(0);
      expect(result.runs).toBeGreaterThan(25);
    }
    expect(wrongs).toEqual([]);
    // The power takes what was acknowledged and not promised, else these runs would prove nothing.
    if ('sync' in plan) expect(taken).toBeGreaterThan(100);
    else expect(taken).toBe(0);
  });

  it('loses nothing that was promised to faults after a crash', async () => {
    for (const [, plan] of plans) {
      expect((await atEveryOperation('power', [faultAt(25, 'power')], 1, plan)).wrongs).toEqual([]);
    }
  });
});

/** A store that is given another storage than the disk: what is wrong after the power went at each 7th operation. */
async function mutant(
  wrap: (disk: LogStorage) => LogStorage,
  lies = false,
  plan: RunPlan = SHORT_RUN,
): Promise<string> {
  const wrongs: string[] = [];
  for (let index = 3; index < 100; index += 7) {
    wrongs.push(...(await crashRun(plan, [faultAt(index, 'power')], seeded(index), { lies, wrap })).wrongs);
  }
  return wrongs.join('\n');
}

function withFiles(disk: LogStorage, change: (file: SegmentFile) => Partial<SegmentFile>): LogStorage {
  const changed = (file: SegmentFile): SegmentFile => ({ ...file, ...change(file) });
  return {
    pathOf: (name) => disk.pathOf(name),
    list: () => disk.list(),
    nameOf: (segment) => disk.nameOf(segment),
    open: (name) => changed(disk.open(name)),
    create: (name) => changed(disk.create(name)),
    remove: (name) => disk.remove(name),
    syncFolder: () => disk.syncFolder(),
    keep: (name, at, bytes) => disk.keep(name, at, bytes),
  };
}

describe('these runs catch', () => {
  it('nothing where nothing is changed', async () => {
    expect(await mutant((disk) => withFiles(disk, () => ({})))).toBe('');
  });

  it('a disk that lies', async () => {
    expect(await mutant((disk) => disk, true)).toMatch(/were acknowledged/);
  });

  it('a writer that acknowledges before it syncs', async () => {
    expect(await mutant((disk) => withFiles(disk, () => ({ sync: () => undefined })))).toMatch(/were acknowledged/);
  });

  it('a writer that never syncs its folder', async () => {
    const forgetful = (disk: LogStorage): LogStorage => ({
      ...withFiles(disk, () => ({})),
      syncFolder: () => undefined,
    });
    expect(await mutant(forgetful)).toMatch(/is gone|were acknowledged/);
  });

  it('a recovery that cuts in the middle', async () => {
    const greedy = (file: SegmentFile): Partial<SegmentFile> => ({
      truncate: (size) => file.truncate(Math.max(0, size - 600)),
    });
    expect(await mutant((disk) => withFiles(disk, greedy))).not.toBe('');
  });

  it('a writer that never syncs, where it promises to do so now and then', async () => {
    const lazy = (disk: LogStorage): LogStorage => withFiles(disk, () => ({ sync: () => undefined }));
    for (const sync of ['never', { everyMs: 5 }] as const) {
      expect(await mutant(lazy, false, { ...SHORT_RUN, sync })).toMatch(/were acknowledged/);
    }
  });
});
