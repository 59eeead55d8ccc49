import { describe, expect, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  EventLog,
  eventReader,
  KINDS,
  logTo,
  mfnWord,
  P2mError,
  printLines,
  readLog,
  type EventFormat,
  type LogFile,
} from '../../../events/index.js';
import { HEADER } from './logs.js';

const FORMATS: readonly EventFormat[] = ['p2mlog', 'jsonl'];

/** A file in memory, that fails when it is told to. */
class Bytes implements LogFile {
  #bytes = new Uint8Array(0);
  fails = false;
  calls: string[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (this.fails) throw new Error('disk full');
    this.calls.push('write');
    this.#bytes = new Uint8Array(Buffer.concat([this.#bytes, bytes]));
  }

  sync(): void {
    this.calls.push('sync');
  }

  close(): void {
    this.calls.push('close');
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}

/** Events [start, end) of one run: stores of ever other values, some of them wide, and a payload now and then. */
function events(codec: EntryCodec, start: number, end: number): EventBatch {
  const batch = new EventBatch();
  for (let i = start; i < end; i++) {
    if (i % 10 === 7) batch.push(KINDS.load_entries.id, 0, 1, 64, batch.pushPayload([4, mfnWord(i), 1]));
    else {
      const wide = codec.fromRaw(0x1234, i);
      batch.push(KINDS.set_entry.id, 0, 1, 8, 3, i % 3 === 0 ? wide : mfnWord(i), mfnWord(i + 1));
    }
  }
  return batch;
}

async function closed(log: EventLog, file: Bytes): Promise<Uint8Array> {
  await log.close();
  return file.bytes;
}

async function whole(format: EventFormat, count: number): Promise<Uint8Array> {
  const [file, codec] = [new Bytes(), new EntryCodec(64)];
  const log = new EventLog(file, HEADER, codec, { format });
  await log.append(events(codec, 0, count), 0);
  return closed(log, file);
}

/** The events of a log as text. */
async function eventsOf(bytes: Uint8Array): Promise<string> {
  const opened = await readLog([bytes], 'run');
  let text = '';
  for await (const { batch, seq } of opened) text += printLines(batch, opened.codec, seq);
  return text;
}

describe.each(FORMATS)('EventLog as %s', (format) => {
  it('writes the same events in whatever batches they come', async () => {
    const [file, codec] = [new Bytes(), new EntryCodec(64)];
    const log = logTo(file, { format })(HEADER, codec);
    for (let at = 0; at < 5000; at += 700) await log.append(events(codec, at, Math.min(5000, at + 700)), at);
    expect(log.events).toBe(5000);
    expect(await eventsOf(await closed(log, file))).toEqual(await eventsOf(await whole(format, 5000)));
  });

  it('takes no event twice where an append is repeated with more behind', async () => {
    const [file, codec] = [new Bytes(), new EntryCodec(64)];
    const log = new EventLog(file, HEADER, codec, { format });
    await log.append(events(codec, 0, 10), 0);
    file.fails = true;
    await expect(log.append(events(codec, 10, 5000), 10)).rejects.toThrow('disk full');
    await expect(log.append(events(codec, 10, 5020), 10)).rejects.toThrow('disk full');
    file.fails = false;
    await log.append(events(codec, 10, 5030), 10);
    await log.append(events(codec, 10, 5030), 10);
    expect(await eventsOf(await closed(log, file))).toEqual(await eventsOf(await whole(format, 5030)));
  });

  it('may be closed again where that failed, and ends once', async () => {
    const [file, codec] = [new Bytes(), new EntryCodec(64)];
    const log = new EventLog(file, HEADER, codec, { format });
    await log.append(events(codec, 0, 10), 0);
    file.fails = true;
    await expect(log.close()).rejects.toThrow('disk full');
    expect(file.calls).not.toContain('close');
    file.fails = false;
    expect(Buffer.compare(await closed(log, file), await whole(format, 10))).toBe(0);
    await expect(log.append(events(codec, 10, 11), 10)).rejects.toThrow('the log is closed');
  });

  it('refuses a batch that comes too late: events would be missing', async () => {
    const codec = new EntryCodec(64);
    const log = new EventLog(new Bytes(), HEADER, codec, { format });
    await expect(log.append(events(codec, 1, 2), 1)).rejects.toThrow('events from 0 to 1 are missing');
  });
});

describe('EventLog', () => {
  it('asks for sync at its end, and after each append where told to', async () => {
    const codec = new EntryCodec(64);
    const [once, each] = [new Bytes(), new Bytes()];
    for (const [file, syncEach] of [[once, false] as const, [each, true] as const]) {
      const log = new EventLog(file, HEADER, codec, { format: 'jsonl', syncEach });
      for (let i = 0; i < 2; i++) await log.append(events(codec, i, i + 1), i);
      await log.close();
    }
    expect(once.calls).toEqual(['write', 'write', 'write', 'write', 'sync', 'close']);
    expect(each.calls).toEqual(['write', 'write', 'sync', 'write', 'sync', 'write', 'sync', 'close']);
  });

  it.each(FORMATS)('has every event of a finished append in the file, as %s', async (format) => {
    const [file, codec] = [new Bytes(), new EntryCodec(64)];
    const log = new EventLog(file, HEADER, codec, { format });
    await log.append(events(codec, 0, 3), 0);
    const reader = eventReader(
      format,
      { onHeader: () => undefined, onEvents: ({ length }) => (seen += length) },
      'run',
    );
    let seen = 0;
    reader.push(file.bytes);
    expect(seen).toBe(3);
  });

  it('is of no more use once the format could not hold an event', async () => {
    const codec = new EntryCodec(64);
    const log = new EventLog(new Bytes(), HEADER, codec, { format: 'jsonl' });
    const batch = new EventBatch();
    const runs = Array.from({ length: 3 * 2 ** 20 }, () => mfnWord(1));
    batch.push(KINDS.load_entries.id, 0, 1, 0, batch.pushPayload(runs));
    const first: unknown = await log.append(batch, 0).catch((error: unknown) => error);
    expect(first).toBeInstanceOf(P2mError);
    expect(await log.append(events(codec, 0, 1), 0).catch((error: unknown) => error)).toBe(first);
  });
});

describe('readLog', () => {
  async function read(bytes: Uint8Array, size: number): Promise<{ events: number; log: Uint8Array; error: unknown }> {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const file = new Bytes();
    const opened = await readLog(pieces, 'run');
    const again = new EventLog(file, opened.header, opened.codec, { format: opened.format });
    let error: unknown;
    const kept: { seq: number; batch: EventBatch }[] = [];
    try {
      for await (const batch of opened) kept.push(batch);
    } catch (thrown) {
      error = thrown;
    }
    // Only now: a batch that was handed on is the reader's no more.
    for (const { batch, seq } of kept) await again.append(batch, seq);
    return { events: again.events, log: await closed(again, file), error };
  }

  it.each(FORMATS)('hands on every event of a %s, in pieces of whatever size', async (format) => {
    const log = await whole(format, 5000);
    for (const size of [97, 4096, log.length]) {
      const { events, log: again, error } = await read(log, size);
      expect([events, error]).toEqual([5000, undefined]);
      expect(await eventsOf(again)).toEqual(await eventsOf(log));
    }
  });

  it.each(FORMATS)('hands on what stands before the cut of a %s, then tells of it', async (format) => {
    const log = await whole(format, 9000);
    const { events, error } = await read(log.subarray(0, log.length - 100), 1000);
    expect(events).toBeGreaterThan(4000);
    expect(error).toBeInstanceOf(P2mError);
    expect((error as P2mError).exitCode).toBe(3);
  });

  it('refuses what is no log of events', async () => {
    await expect(readLog([], 'run')).rejects.toThrow('run:byte 0: no log of events: got an empty file');
    await expect(readLog([Buffer.from('# tracer: nop\n')], 'run')).rejects.toThrow(/no log of events: got "# tracer/);
    const damaged = Buffer.from(await whole('p2mlog', 10));
    damaged[40]! ^= 1;
    await expect(readLog([damaged], 'run')).rejects.toThrow(P2mError);
  });

  it('leaves its pieces when its consumer leaves', async () => {
    const log = await whole('jsonl', 5000);
    let left = false;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        for (let at = 0; ; at = (at + 512) % log.length) {
          await Promise.resolve();
          yield log.subarray(at, at + 512);
        }
      } finally {
        left = true;
      }
    }
    for await (const { batch } of await readLog(pieces(), 'run')) if (batch.length > 0) break;
    expect(left).toBe(true);
  });
});
