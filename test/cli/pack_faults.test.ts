import type * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { keptOutput, runVerb } from './in_process.js';
import { addPack } from '../../cli/pack.js';
import { EntryCodec, LogStore, SegmentedLog, verifyLog } from '../../events/index.js';
import { FolderStorage } from '../../node/log_storage.js';
import { eventsOf, RUN_HEADER } from '../events/log/crash_run.js';

vi.mock('../../cli/output.js', () => keptOutput);

/** What changes which names a folder has; a power cut keeps any of those that came since the folder was synced. */
type NameChange =
  { readonly put: string } | { readonly from: string; readonly to: string } | { readonly removed: string };

const disk = vi.hoisted(() => ({
  /** The call that fails, counted from 0; -1 none. */
  failAt: -1,
  calls: 0,
  /** Calls behind the one that failed fail too: nobody runs any more. */
  isDown: false,
  changes: [] as NameChange[],
  opened: new Map<number, string>(),
  /** Contents that a power cut leaves. */
  durable: new Set<string>(),
}));

vi.mock(import('node:fs'), async (original) => {
  const actual: typeof fs = await original();
  const isSegment = (path: string): boolean => path.includes('.p2mlog');
  const act = (): void => {
    if (disk.isDown || disk.calls++ === disk.failAt) {
      disk.isDown = true;
      throw Object.assign(new Error('down'), { code: 'EIO' });
    }
  };
  return {
    ...actual,
    openSync: (...asked: Parameters<typeof actual.openSync>) => {
      const fd = actual.openSync(...asked);
      disk.opened.set(fd, String(asked[0]));
      return fd;
    },
    writeFileSync: (...asked: Parameters<typeof actual.writeFileSync>) => {
      const name = String(asked[0]);
      if (name.endsWith('.new')) {
        act();
        disk.changes.push({ put: name });
        disk.durable.delete(name);
      }
      actual.writeFileSync(...asked);
    },
    fsyncSync: (fd: number) => {
      act();
      const name = disk.opened.get(fd)!;
      disk.durable.add(name);
      if (!isSegment(name)) disk.changes.length = 0;
      actual.fsyncSync(fd);
    },
    renameSync: (from: string, to: string) => {
      if (isSegment(to)) {
        act();
        disk.changes.push({ from, to });
        if (disk.durable.has(from)) disk.durable.add(to);
      }
      actual.renameSync(from, to);
    },
    unlinkSync: (path: string) => {
      if (isSegment(path)) {
        act();
        disk.changes.push({ removed: path });
      }
      actual.unlinkSync(path);
    },
  } as typeof fs;
});

const EVENTS = 60;
const root = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(root, { recursive: true }));

async function begun(name: string): Promise<string> {
  disk.failAt = -1;
  disk.isDown = false;
  const folder = join(root, name);
  const codec = new EntryCodec(64);
  const store = await LogStore.open(new FolderStorage(folder, true), RUN_HEADER, codec, { segmentBytes: 900 });
  for (let at = 0; at < EVENTS; at += 10) await store.append(eventsOf(codec, at, at + 10), at);
  await store.close();
  disk.changes.length = 0;
  return folder;
}

/** The folders that a power cut may leave of one: any of the names that were not synced, and garbage where contents were not. */
function left(folder: string, before: ReadonlyMap<string, Buffer>, changes: readonly NameChange[]): string[] {
  return Array.from({ length: 2 ** changes.length }, (_, kept) => {
    const names = new Map(before);
    changes.forEach((change, i) => {
      if (((kept >> i) & 1) === 0) return;
      if ('removed' in change) names.delete(basename(change.removed));
      if ('from' in change) {
        const isWhole = disk.durable.has(change.from);
        names.set(basename(change.to), isWhole ? readFileSync(change.to) : Buffer.from('garbage'));
        names.delete(basename(change.from));
      }
    });
    const copy = `${folder}-${kept}`;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const [name, bytes] of names) writeFileSync(join(copy, name), bytes);
    return copy;
  });
}

function segments(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder).filter((name) => /\.p2mlog(\.gz)?$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** What is wrong with a log that must be whole. */
function wrongWith(folder: string): string[] {
  const storage = new FolderStorage(folder);
  try {
    const log = new SegmentedLog(folder, storage);
    const wrongs = log.events === EVENTS ? [] : [`${basename(folder)}: ${log.events} events`];
    log.close();
    return [...wrongs, ...[...verifyLog(storage)].map(({ message }) => message)];
  } catch (error) {
    return [String(error)];
  }
}

async function pack(folder: string): Promise<boolean> {
  return runVerb(addPack, ['pack', folder]).then(
    ({ code }) => code === 0,
    () => false,
  );
}

describe('p2m pack on a disk that fails', () => {
  it('leaves a log that is whole, whichever call fails, and whatever the power cut keeps of the names', async () => {
    const wrongs: string[] = [];
    let failures = 0;
    for (let failAt = 0, isHit = true; isHit; failAt++) {
      const folder = await begun(`at-${failAt}`);
      const whole = segments(folder);
      disk.calls = 0;
      disk.failAt = failAt;
      isHit = !(await pack(folder));
      if (isHit) failures++;
      disk.failAt = -1;
      disk.isDown = false;
      const changes = disk.changes.splice(0);
      wrongs.push(...wrongWith(folder).map((what) => `killed at ${failAt}: ${what}`));
      for (const cut of left(folder, before(segments(folder), whole, changes), changes)) {
        wrongs.push(...wrongWith(cut).map((what) => `power at ${failAt}, ${basename(cut)}: ${what}`));
      }
      expect(await pack(folder)).toBe(true);
      wrongs.push(...wrongWith(folder).map((what) => `packed after ${failAt}: ${what}`));
    }
    expect(wrongs).toEqual([]);
    expect(failures).toBeGreaterThan(8);
  });
});

/** The names of now, with those changes taken back. */
function before(
  now: ReadonlyMap<string, Buffer>,
  begun: ReadonlyMap<string, Buffer>,
  changes: readonly NameChange[],
): Map<string, Buffer> {
  const names = new Map(now);
  for (const change of changes) {
    if ('removed' in change) names.set(basename(change.removed), begun.get(basename(change.removed))!);
    if ('from' in change) names.delete(basename(change.to));
  }
  return names;
}
