import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  KINDS,
  mfnWord,
  printLines,
  SegmentedLog,
  verifyLog,
  type EventsHeader,
} from '../../events/index.js';
import { keepLog, LockFile, lockOf, openSegmentedLog } from '../../node/index.js';
import { bootEngine } from '../../src/library.js';
import { FaultyDisk } from '../events/log/faulty_disk.js';

const HEADER: EventsHeader = { geometry: 'tiny', kernel: '7.0', entryBits: 64 };
const root = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(root, { recursive: true }));

function events(start: number, end: number): EventBatch {
  const batch = new EventBatch();
  for (let i = start; i < end; i++) batch.push(KINDS.set_entry.id, 0, 1, 8, 3, mfnWord(i), mfnWord(i + 1));
  return batch;
}

describe('keepLog', () => {
  it.each([
    ['a folder of segments', join(root, 'run'), 3],
    ['one file', join(root, 'run.p2mlog'), 1],
  ])('keeps a log in %s, that a reader follows while it grows', async (_, path, segments) => {
    const codec = new EntryCodec(64);
    const log = keepLog(path, { segmentBytes: 4000 })(HEADER, codec);
    await log.append(events(0, 100), 0);
    const reader = openSegmentedLog(path);
    expect(reader.events).toBe(100);
    for (let at = 100; at < 500; at += 100) await log.append(events(at, at + 100), at);
    expect(reader.refresh()).toBe(true);
    expect([reader.events, reader.end.kind]).toEqual([500, 'open']);
    await log.close();
    reader.refresh();
    expect(reader.end.kind).toBe('closed');
    expect(printLines(reader.read(reader.blockOf(450)), codec, reader.seqOf(reader.blockOf(450)))).toContain(
      '"seq":450',
    );
    expect(path.endsWith('.p2mlog') ? 1 : readdirSync(path).length).toBe(segments);
    reader.close();
  });

  it('lets one write at a time, and gives the lock back', async () => {
    const path = join(root, 'locked');
    const [first, second] = [1, 2].map(() => keepLog(path)(HEADER, new EntryCodec(64)));
    await first!.append(events(0, 1), 0);
    await expect(second!.append(events(0, 1), 0)).rejects.toThrow('the log is being written');
    await first!.close();
    await expect(second!.append(events(0, 1), 0)).rejects.toThrow('the log has events already: got 1 events');
    await second!.append(events(1, 2), 1);
    await second!.close();
  });

  it('brings events to disk after so many ms, with no append that follows', async () => {
    const path = join(root, 'late');
    const log = keepLog(path, { sync: { everyMs: 5 } })(HEADER, new EntryCodec(64));
    await log.append(events(0, 10), 0);
    await new Promise((done) => setTimeout(done, 60));
    await log.append(events(10, 11), 10);
    const reader = openSegmentedLog(path);
    expect(reader.events).toBe(11);
    reader.close();
    await log.close();
  });

  it('is what an engine keeps its events in', async () => {
    const path = join(root, 'engine');
    const engine = bootEngine({ nrPages: 64, geometry: 'tiny', log: keepLog(path) });
    await engine.execute({ operation: 'set_phys_to_machine', pfn: 9, value: 'm:77' });
    await engine.close();
    const reader = openSegmentedLog(path);
    expect([reader.events, reader.end.kind]).toEqual([engine.appended, 'closed']);
    reader.close();
  });
});

describe('a KeptLog whose disk fails', () => {
  it('is opened anew where a sync failed, and has what it took', async () => {
    for (const sync of ['batch', 'never', { everyMs: 2 }] as const) {
      let failing = 0;
      const disk = new FaultyDisk({ plan: (operation) => (operation === 'sync' && failing-- > 0 ? 'EIO' : undefined) });
      const codec = new EntryCodec(64);
      const path = join(root, `failing-${JSON.stringify(sync)}`);
      const log = keepLog(path, { storage: disk, sync, segmentBytes: 900 })(HEADER, codec);
      for (let at = 0; at < 300; at += 10) {
        failing = at % 3;
        for (let tries = 0; ; tries++) {
          expect(tries).toBeLessThan(10);
          const isTaken = await log.append(events(at, at + 10), at).then(
            () => true,
            () => false,
          );
          if (isTaken) break;
        }
        if (at % 100 === 0) await new Promise((done) => setTimeout(done, 6));
      }
      failing = 1;
      await log.close().catch(() => log.close());
      await log.close();
      const later = disk.afterPowerCut(() => 0);
      const reader = new SegmentedLog('log', later);
      expect([reader.events, reader.end.kind, ...verifyLog(later)]).toEqual([300, 'closed']);
      expect(disk.faults).toBeGreaterThan(5);
    }
  });

  it('refuses for good where the disk has lost what it had taken', async () => {
    let failing = false;
    const disk = new FaultyDisk({ plan: (operation) => (failing && operation === 'sync' ? 'EIO' : undefined) });
    const path = join(root, 'lost');
    const log = keepLog(path, { storage: disk })(HEADER, new EntryCodec(64));
    await log.append(events(0, 10), 0);
    failing = true;
    await expect(log.append(events(10, 11), 10)).rejects.toThrow('could not be brought to disk');
    failing = false;
    for (const name of disk.list()) disk.remove(name);
    for (let tries = 0; tries < 2; tries++) {
      await expect(log.append(events(10, 11), 10)).rejects.toThrow(
        /the disk has lost events that the log had taken: got 0 events, want 10/,
      );
    }
    await expect(log.close()).rejects.toThrow('the disk has lost');
    await log.abandon();
    LockFile.take(lockOf(path)).release();
  });

  it('gives its lock back when it is abandoned, and keeps what it took', async () => {
    let full = false;
    const disk = new FaultyDisk({ plan: (operation) => (full && operation === 'write' ? 'ENOSPC' : undefined) });
    const path = join(root, 'abandoned');
    const log = keepLog(path, { storage: disk })(HEADER, new EntryCodec(64));
    await log.append(events(0, 10), 0);
    full = true;
    await expect(log.append(events(10, 20), 10)).rejects.toThrow('ENOSPC');
    await expect(log.close()).rejects.toThrow('ENOSPC');
    await log.abandon();
    LockFile.take(lockOf(path)).release();
    expect(
      new SegmentedLog(
        'log',
        disk.afterPowerCut(() => 0),
      ).events,
    ).toBe(10);
    await expect(log.append(events(10, 20), 10)).rejects.toThrow('the log is closed');
  });
});
