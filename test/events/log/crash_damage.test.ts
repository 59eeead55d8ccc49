import { describe, expect, it } from 'vitest';
import { EntryCodec, LogStore, P2mError, SegmentedLog, verifyLog } from '../../../events/index.js';
import { eventsOf, RUN_HEADER, truth, wrongEvents } from './crash_run.js';
import { MemoryStorage } from './memory_storage.js';

const EVENTS = 12;
const LINES = truth(EVENTS);

/** The files of a log of a few segments, closed. */
async function smallLog(): Promise<Map<string, Uint8Array>> {
  const disk = new MemoryStorage();
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

function storageOf(files: ReadonlyMap<string, Uint8Array>): MemoryStorage {
  const storage = new MemoryStorage();
  for (const [name, bytes] of files) storage.files.set(name, bytes.slice());
  return storage;
}

/** What is wrong with how a damaged log is read: it must give a beginning of the truth, and say where the rest is not. */
function wrongReading(disk: MemoryStorage): string[] {
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
async function wrongRecovery(disk: MemoryStorage): Promise<string[]> {
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

/** Two bits of each byte; all eight, in some 20 s, with P2M_ALL_BITS=1. */
function isTried(bit: number): boolean {
  return process.env.P2M_ALL_BITS === '1' || (bit - (bit >> 3)) % 8 === 0 || (bit - 3 - (bit >> 3)) % 8 === 0;
}

describe('a small log', () => {
  it('is never silently wrong, whichever byte of it has a flipped bit', async () => {
    const files = await smallLog();
    expect(files.size).toBeGreaterThan(2);
    const wrongs: string[] = [];
    for (const [name, bytes] of files) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        if (!isTried(bit)) continue;
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const damaged = new Map(files).set(name, flipped);
        const what = [...wrongReading(storageOf(damaged)), ...(await wrongRecovery(storageOf(damaged)))];
        wrongs.push(...what.map((text) => `${name} byte ${bit >> 3}, bit ${bit & 7}: ${text}`));
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
        const read = wrongReading(storageOf(damaged)).filter((what) => what !== 'verify finds nothing');
        wrongs.push(
          ...[...read, ...(await wrongRecovery(storageOf(damaged)))].map((t) => `${name} cut at ${size}: ${t}`),
        );
      }
    }
    expect(wrongs).toEqual([]);
  });
});
