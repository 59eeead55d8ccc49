import { describe, expect, it } from 'vitest';
import { crashRun, faultAt, SHORT_RUN, type FaultPlan } from './crash_run.js';
import type { LogStorage, SegmentFile } from '../../../events/index.js';
import { seeded, type Fault } from './faulty_disk.js';

const FAULTS = ['power', 'kill', 'ENOSPC', 'EIO', 'EINTR'] as const;

/** Runs with the fault at every operation of a process; what went wrong, and how many runs there were. */
async function atEveryOperation(
  fault: Fault,
  before: readonly FaultPlan[] = [],
  seeds = 1,
): Promise<{ wrongs: string[]; runs: number }> {
  const wrongs: string[] = [];
  let runs = 0;
  for (let index = 0, isHit = true; isHit; index++) {
    for (let seed = 1; seed <= seeds; seed++, runs++) {
      const result = await crashRun(SHORT_RUN, [...before, faultAt(index, fault)], seeded(seed * 1000 + index));
      isHit = result.faults > before.length;
      const isTold = fault === 'power' || fault === 'kill' || result.complaints.length > 0;
      if (isHit && !isTold) wrongs.push(`${fault} at ${index}: nobody was told`);
      wrongs.push(...result.wrongs.map((what) => `${fault} at ${index}, seed ${seed}: ${what}`));
    }
  }
  return { wrongs, runs };
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

/** A store that is given another storage than the disk: what is wrong after the power went at each 7th operation. */
async function mutant(wrap: (disk: LogStorage) => LogStorage, lies = false): Promise<string> {
  const wrongs: string[] = [];
  for (let index = 3; index < 100; index += 7) {
    wrongs.push(...(await crashRun(SHORT_RUN, [faultAt(index, 'power')], seeded(index), { lies, wrap })).wrongs);
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
});
