import { describe, expect, it } from 'vitest';
import { EntryCodec, LogStore, P2mError, SegmentedLog, verifyLog } from '../../../events/index.js';
import { eventsOf, RUN_HEADER, truth, wrongEvents } from './crash_run.js';
import { FaultyDisk } from './faulty_disk.js';

const EVENTS = 12;
const LINES = truth(EVENTS);

/** The files of a log of a few segments, closed. */
async function smallLog(): Promise<Map<string, Uint8Array>> {
  const disk = new FaultyDisk();
  const codec = new EntryCodec(64);
  const store = await LogStore.open(disk, RUN_HEADER, codec, { segmentBytes: 300 });
  for (let seq = 0; seq < EVENTS; seq += 4) await store.append(eventsOf(codec, seq, seq + 4), seq);
  await store.close();
  return new Map(
    disk.list().map((name) => {
      const file = disk.open(name);
      const bytes = new Uint8Array(file.size());
      file.read(bytes, 0);
      return [name, bytes];
    }),
  );
}

async function diskOf(files: ReadonlyMap<string, Uint8Array>): Promise<FaultyDisk> {
  const disk = new FaultyDisk();
  for (const [name, bytes] of files) {
    const file = disk.create(name);
    file.write(bytes, 0);
    await file.sync();
  }
  disk.syncFolder();
  return disk;
}

/** What is wrong with how a damaged log is read: it must give a beginning of the truth, and say where the rest is not. */
function wrongReading(disk: FaultyDisk): string[] {
  const findings = [...verifyLog(disk)];
  const wrongs = findings.length === 0 ? ['verify finds nothing'] : [];
  try {
    const log = new SegmentedLog('log', disk);
    wrongs.push(...wrongEvents(log, LINES));
    if (log.events < EVENTS && log.end.kind === 'closed') wrongs.push(`only ${log.events} events, and it says nothing`);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    if (error.complaint.file === undefined) wrongs.push(`no place: ${error.message}`);
  }
  return wrongs;
}

/** What is wrong with a log that is opened for appending after it was damaged: refused, or a beginning of the truth. */
async function wrongRecovery(disk: FaultyDisk): Promise<string[]> {
  const codec = new EntryCodec(64);
  try {
    const store = await LogStore.open(disk, RUN_HEADER, codec, { segmentBytes: 300 });
    const start = store.events;
    if (start > EVENTS) return [`${start} events`];
    await store.append(eventsOf(codec, start, EVENTS + 1), start);
    await store.close();
  } catch (error) {
    if (error instanceof P2mError) return [];
    throw error;
  }
  try {
    return wrongEvents(new SegmentedLog('log', disk), truth(EVENTS + 1));
  } catch (error) {
    // Damage before the last segment, which recovery does not read.
    if (error instanceof P2mError) return [];
    throw error;
  }
}

describe('a small log', () => {
  it('is never silently wrong, whichever byte of it is another', async () => {
    const files = await smallLog();
    expect(files.size).toBeGreaterThan(2);
    const wrongs: string[] = [];
    for (const [name, bytes] of files) {
      for (let at = 0; at < bytes.length; at++) {
        const flipped = bytes.slice();
        flipped[at]! ^= 1 << (at % 8);
        const damaged = new Map(files).set(name, flipped);
        const what = [...wrongReading(await diskOf(damaged)), ...(await wrongRecovery(await diskOf(damaged)))];
        wrongs.push(...what.map((text) => `${name} byte ${at}: ${text}`));
      }
    }
    expect(wrongs).toEqual([]);
  });

  it('is never silently wrong, wherever it is cut', async () => {
    const files = await smallLog();
    const wrongs: string[] = [];
    for (const [name, bytes] of files) {
      for (let size = 0; size < bytes.length; size++) {
        const damaged = new Map(files).set(name, bytes.slice(0, size));
        const read = wrongReading(await diskOf(damaged)).filter((what) => what !== 'verify finds nothing');
        wrongs.push(
          ...[...read, ...(await wrongRecovery(await diskOf(damaged)))].map((t) => `${name} cut at ${size}: ${t}`),
        );
      }
    }
    expect(wrongs).toEqual([]);
  });
});
