import { describe, expect, it } from 'vitest';
import {
  chainText,
  EntryCodec,
  EventBatch,
  KINDS,
  LogStore,
  mfnWord,
  printLines,
  SegmentedLog,
  verifyLog,
  type CutTail,
  type LogStoreOptions,
  type LogSummary,
} from '../../../events/index.js';
import { HEADER } from './logs.js';
import { MemoryStorage } from './memory_storage.js';

/** Events [start, end) of one run, some with wide values and payloads. */
function events(codec: EntryCodec, start: number, end: number): EventBatch {
  const batch = new EventBatch();
  for (let i = start; i < end; i++) {
    if (i % 10 === 7) batch.push(KINDS.load_entries.id, 0, 1, 64, batch.pushPayload([4, codec.fromRaw(7, i), 0]));
    else
      batch.push(KINDS.set_entry.id, 0, 1, 8, 3, i % 3 === 0 ? codec.fromRaw(0x1234, i % 30) : mfnWord(i), mfnWord(i));
  }
  return batch;
}

/** The text of events [0, count). */
function textOf(count: number): string {
  const codec = new EntryCodec(64);
  return printLines(events(codec, 0, count), codec);
}

/** What a reader finds. */
function read(storage: MemoryStorage): { text: string; log: SegmentedLog } {
  const log = new SegmentedLog('log', storage);
  let text = '';
  for (let block = 0; block < log.blocks; block++) text += printLines(log.read(block), log.codec, log.seqOf(block));
  return { text, log };
}

function verified(storage: MemoryStorage, head?: string): LogSummary & { messages: string[] } {
  const messages: string[] = [];
  const verification = verifyLog(storage, head);
  for (;;) {
    const next = verification.next();
    if (next.done === true) return { ...next.value, messages };
    messages.push(next.value.message);
  }
}

async function open(
  storage: MemoryStorage,
  options?: LogStoreOptions,
): Promise<{ store: LogStore; codec: EntryCodec }> {
  const codec = new EntryCodec(64);
  // Handles mean something only beside their codec: each writer has another.
  codec.fromRaw(0x99, storage.files.size + storage.calls.length);
  return { store: await LogStore.open(storage, HEADER, codec, options), codec };
}

/** A log of `count` events in segments of about `segmentBytes`, ten events an append. */
async function written(count: number, segmentBytes = 2000): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const { store, codec } = await open(storage, { segmentBytes });
  for (let at = 0; at < count; at += 10) await store.append(events(codec, at, Math.min(at + 10, count)), at);
  return storage;
}

describe('LogStore', () => {
  it('writes segments that a reader finds whole, at any moment', async () => {
    const storage = new MemoryStorage();
    const { store, codec } = await open(storage, { segmentBytes: 2000 });
    const reader = new SegmentedLog('log', storage);
    for (let at = 0; at < 300; at += 10) {
      await store.append(events(codec, at, at + 10), at);
      expect(reader.refresh()).toBe(true);
      expect(reader.events).toBe(at + 10);
      expect(reader.end.kind).toBe('open');
    }
    await store.close();
    expect(reader.refresh()).toBe(false);
    expect(reader.end.kind).toBe('closed');
    expect(storage.files.size).toBeGreaterThan(4);
    expect(read(storage).text).toBe(textOf(300));
    expect(verified(storage)).toMatchObject({ events: 300, findings: 0, end: 'closed', segments: storage.files.size });
  });

  it('goes on where another writer has stopped, closed or killed', async () => {
    const storage = new MemoryStorage();
    for (let at = 0; at < 200; at += 20) {
      const { store, codec } = await open(storage, { segmentBytes: 1500 });
      expect(store.events).toBe(at);
      await store.append(events(codec, at, at + 20), at);
      if (at % 40 === 0) await store.close();
    }
    expect(read(storage).text).toBe(textOf(200));
    expect(verified(storage)).toMatchObject({ events: 200, findings: 0, end: 'open' });
  });

  it('has each block on disk when an append returns, and knows it of those before', async () => {
    const storage = await written(30);
    expect(storage.calls.slice(-4)).toEqual(['write', 'sync', 'write', 'sync']);
    const lazy = new MemoryStorage();
    const { store, codec } = await open(lazy, { sync: 'never' });
    const begun = lazy.calls.length;
    await store.append(events(codec, 0, 10), 0);
    expect(lazy.calls.slice(begun)).not.toContain('sync');
    await store.close();
    expect(lazy.calls.slice(-3)).toEqual(['sync', 'write', 'sync']);
  });

  it('syncs every so many ms, by the clock that it is handed', async () => {
    let now = 0;
    const storage = new MemoryStorage();
    const { store, codec } = await open(storage, { sync: { everyMs: 100, now: () => now } });
    const syncs: number[] = [];
    for (let i = 0; i < 25; i++) {
      now = i * 10;
      await store.append(events(codec, i, i + 1), i);
      syncs.push(storage.calls.filter((call) => call === 'sync').length);
    }
    expect([syncs[9], syncs[10], syncs[19], syncs[20], syncs[24]]).toEqual([1, 2, 2, 3, 3]);
  });

  it('takes events once where a write fails and the append is repeated', async () => {
    for (let failing = 0; failing < 60; failing++) {
      const storage = new MemoryStorage();
      let calls = 0;
      storage.fail = (call) => {
        if (call !== 'sync' && calls++ === failing) throw new Error('disk full');
      };
      const again = async <T>(act: () => Promise<T>): Promise<T> => {
        try {
          return await act();
        } catch (error) {
          expect(String(error)).toContain('disk full');
          return act();
        }
      };
      const { store, codec } = await again(() => open(storage, { segmentBytes: 1500 }));
      for (let at = 0; at < 150; at += 15) await again(() => store.append(events(codec, at, at + 15), at));
      await again(() => store.close());
      expect(read(storage).text).toBe(textOf(150));
      expect(verified(storage)).toMatchObject({ findings: 0, end: 'closed' });
    }
  });

  it('takes nothing more once a sync has failed', async () => {
    const storage = new MemoryStorage();
    const { store, codec } = await open(storage);
    await store.append(events(codec, 0, 10), 0);
    storage.fail = (call) => {
      if (call === 'sync') throw new Error('EIO');
    };
    await expect(store.append(events(codec, 10, 20), 10)).rejects.toThrow('could not be brought to disk');
    storage.fail = () => undefined;
    await expect(store.append(events(codec, 10, 20), 10)).rejects.toThrow('could not be brought to disk');
    await expect(store.close()).rejects.toThrow('could not be brought to disk');
    const { store: next } = await open(storage);
    expect(next.events).toBeGreaterThanOrEqual(10);
  });

  it('cuts back what a crash tore, at any byte, keeps it, and loses no whole block', async () => {
    const whole = await written(60, 1200);
    const name = whole.list().at(-1)!;
    const bytes = whole.files.get(name)!;
    const { log } = read(whole);
    for (let length = 0; length < bytes.length; length++) {
      const storage = whole.copy();
      storage.files.set(name, bytes.slice(0, length));
      const cuts: CutTail[] = [];
      const { store, codec } = await open(storage, { segmentBytes: 1200, onCut: (cut) => cuts.push(cut) });
      const blocks = [...Array(log.blocks + 1).keys()].map((block) => log.seqOf(block));
      expect(blocks).toContain(store.events);
      const { events: had } = store;
      await store.append(events(codec, had, 70), had);
      expect(read(storage).text).toBe(textOf(70));
      expect(verified(storage)).toMatchObject({ events: 70, findings: 0 });
      expect(storage.kept.reduce((sum, { bytes: kept }) => sum + kept.length, 0)).toBe(
        cuts.reduce((sum, cut) => sum + cut.bytes, 0),
      );
    }
  });

  it('refuses a log in which something is damaged that was on disk before what follows', async () => {
    const whole = await written(60, 100_000);
    const name = whole.list()[0]!;
    const { log } = read(whole);
    const lastBlock = whole.files.get(name)!.length - 72 - 10 * 32;
    for (let at = 0; at < lastBlock - 300; at += 7) {
      const storage = whole.copy();
      storage.files.get(name)![at]! ^= 0x10;
      const before = storage.files.get(name)!.slice();
      const summary = verified(storage);
      expect([at, summary.end]).toEqual([at, 'damaged']);
      // A writer reads no bodies but those of the end; whoever reads them sees it.
      const opened = await open(storage).catch((error: unknown) => String(error));
      if (typeof opened === 'string') expect(storage.files.get(name)).toEqual(before);
      expect(() => read(storage)).toThrow(/log\/0\.p2mlog:byte \d+/);
    }
    expect(log.events).toBe(60);
  });

  it('refuses a log of another domain, and one that lacks a segment', async () => {
    const storage = await written(100, 1000);
    await expect(LogStore.open(storage, { ...HEADER, kernel: '6.1' }, new EntryCodec(64))).rejects.toThrow(
      'a log of another domain',
    );
    const lacks = storage.copy();
    lacks.files.delete('1.p2mlog');
    expect(() => new SegmentedLog('log', lacks)).toThrow('a segment is missing');
    expect(verified(lacks).end).toBe('damaged');
  });
});

describe('verifyLog', () => {
  it('finds every chain of the log again, and says what stood before it', async () => {
    const storage = new MemoryStorage();
    const { store, codec } = await open(storage, { segmentBytes: 1500 });
    const heads: string[] = [];
    for (let at = 0; at < 100; at += 10) {
      await store.append(events(codec, at, at + 10), at);
      heads.push(chainText(store.head));
    }
    heads.forEach((head, i) => expect(verified(storage, head).sealed).toEqual({ events: (i + 1) * 10, findings: 0 }));
    expect(verified(storage, '00'.repeat(32)).sealed).toBeUndefined();
  });

  it('finds any byte that is flipped, and tells of all of several', async () => {
    const whole = await written(60, 1500);
    for (const [name, bytes] of whole.files) {
      for (let at = 0; at < bytes.length; at++) {
        const storage = whole.copy();
        storage.files.get(name)![at]! ^= 1 << (at % 8);
        expect(verified(storage).findings, `byte ${at} of ${name}`).toBeGreaterThan(0);
      }
    }
    const twice = whole.copy();
    for (const name of twice.list().slice(0, 2)) twice.files.get(name)![300]! ^= 1;
    expect(verified(twice).messages.length).toBeGreaterThanOrEqual(2);
    expect(verified(twice).end).toBe('damaged');
  });

  it('tells a torn end from damage', async () => {
    const whole = await written(60, 100_000);
    const bytes = whole.files.get('0.p2mlog')!;
    whole.files.set('0.p2mlog', bytes.slice(0, bytes.length - 5));
    expect(verified(whole)).toMatchObject({ end: 'torn', findings: 1, events: 50 });
  });

  it('sees a block that somebody has written anew with checksums that are right', async () => {
    const whole = await written(20, 100_000);
    const other = new MemoryStorage();
    const { store, codec } = await open(other, { segmentBytes: 100_000 });
    const forged = events(codec, 0, 10);
    forged.d[4] = mfnWord(4711);
    await store.append(forged, 0);
    const [bytes, theirs] = [whole.files.get('0.p2mlog')!, other.files.get('0.p2mlog')!];
    bytes.set(theirs);
    expect(verified(whole)).toMatchObject({
      end: 'damaged',
      messages: [expect.stringContaining('the chain is broken')],
    });
  });
});
