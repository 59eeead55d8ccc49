import {
  eventWriter,
  P2mError,
  type EntryCodec,
  type EventBatch,
  type EventFormat,
  type EventsHeader,
} from '../../../events/index.js';
import { EventReplay, type MemoryKind } from '../../../replay/index.js';
import type { Memory } from '../../../src/index.js';

/** The events as a log of the format. */
export function logOf(format: EventFormat, header: EventsHeader, batch: EventBatch, codec: EntryCodec): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = eventWriter(format, (bytes) => parts.push(bytes.slice()), header, codec);
  writer.append(batch);
  writer.close();
  return Buffer.concat(parts);
}

/** Plays the log in chunks of `size` bytes, and writes it again in the format `again`. */
export function replay(
  format: EventFormat,
  log: Uint8Array,
  memory: MemoryKind = 'paged',
  size = log.length,
  again: EventFormat = format,
): { replayed: EventReplay; written: Uint8Array } {
  const parts: Uint8Array[] = [];
  let writer: ReturnType<typeof eventWriter> | undefined;
  const replayed = new EventReplay(format, `run.${format}`, {
    memory,
    also: {
      onHeader: (header, codec) => (writer = eventWriter(again, (bytes) => parts.push(bytes.slice()), header, codec)),
      onEvents: (batch) => writer!.append(batch),
    },
  });
  for (let at = 0; at < log.length; at += size) replayed.push(log.subarray(at, at + size));
  replayed.end();
  writer!.close();
  return { replayed, written: Buffer.concat(parts) };
}

/** What playing the log complains of (its first line); empty where it does not. Other errors are thrown. */
export function complaintOf(format: EventFormat, log: Uint8Array, memory: MemoryKind = 'paged'): string {
  try {
    replay(format, log, memory);
    return '';
  } catch (error) {
    if (!(error instanceof P2mError) || error.exitCode !== 3) throw error;
    return error.message.split('\n')[0]!;
  }
}

/** Whether two memories of one kind hold the same, each beside its codec: handles count by their values. */
export function sameBesideCodecs(a: Memory, b: Memory): boolean {
  const isHandle = (word: number): boolean => word > 0 && word < 0x3fff_0000;
  const value = (m: Memory, word: number): string => {
    try {
      return m.codec.toHex(word);
    } catch {
      return `no handle: ${word}`; // a number that is no entry
    }
  };
  const same = (i: number): boolean => {
    const [x, y] = [a.words[i]!, b.words[i]!];
    return x === y || (isHandle(x) && isHandle(y) && value(a, x) === value(b, y));
  };
  return (
    a.words.length === b.words.length &&
    a.words.every((_, i) => same(i)) &&
    Buffer.compare(a.roles, b.roles) === 0 &&
    a.homes.every((home, page) => home === b.homes[page])
  );
}
