import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  EntryCodec,
  EventBatch,
  INVALID,
  KINDS,
  LogReader,
  LogWriter,
  mfnWord,
  P2mError,
  payloadColumn,
  viewEvent,
  type EventsHeader,
  type P2mEvent,
} from '../../../events/index.js';

/** What a small log says before its events. */
export const HEADER: EventsHeader = { geometry: 'tiny', kernel: '7.0', entryBits: 64 };

/** The log as one piece, its events appended in batches of `size`. */
export function write(
  header: EventsHeader,
  batch: EventBatch,
  codec: EntryCodec,
  size = batch.length,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const writer = new LogWriter((bytes) => parts.push(bytes.slice()), header, codec);
  for (let start = 0; start < batch.length; start += size) {
    const part = new EventBatch();
    for (let i = start; i < Math.min(batch.length, start + size); i++) {
      part.copyRow(batch, i, payloadColumn(batch.kind[i]!));
    }
    writer.append(part);
  }
  writer.close();
  return new Uint8Array(Buffer.concat(parts));
}

/** What a reader made of a file: what it handed on, that written again, and what it said in the end. */
export interface ReadBack {
  readonly header: EventsHeader | undefined;
  readonly events: P2mEvent[];
  readonly again: Uint8Array;
  /** First byte in the file of each event's record. */
  readonly bytes: (number | undefined)[];
  /** First line of the complaint; empty where there was none. */
  readonly error: string;
  readonly byte: number | undefined;
  readonly closed: boolean;
}

/** Reads the file in chunks of `size` bytes. Errors that are no complaint about the input are thrown. */
export function read(file: Uint8Array, size = file.length): ReadBack {
  const events: P2mEvent[] = [];
  const bytes: (number | undefined)[] = [];
  const parts: Uint8Array[] = [];
  let header: EventsHeader | undefined;
  let codec = new EntryCodec(64);
  let writer: LogWriter | undefined;
  const reader = new LogReader(
    {
      onHeader(facts, itsCodec) {
        header = facts;
        codec = itsCodec;
        writer = new LogWriter((part) => parts.push(part.slice()), facts, itsCodec);
      },
      onEvents(batch, seq) {
        for (let i = 0; i < batch.length; i++) {
          events.push(viewEvent(batch, i, codec, seq + i));
          bytes.push(reader.placeOf(i).byte);
        }
        writer!.append(batch);
      },
    },
    'run.p2mlog',
    { chain: true },
  );
  let error = '';
  let byte: number | undefined;
  let closed = false;
  try {
    for (let at = 0; at < file.length; at += size) reader.push(file.subarray(at, at + size));
    closed = reader.end();
    writer!.close();
  } catch (thrown) {
    if (!(thrown instanceof P2mError) || thrown.code !== 'bad-input') throw thrown;
    error = thrown.message.split('\n')[0]!;
    byte = thrown.complaint.byte;
  }
  return { header, events, again: Buffer.concat(parts), bytes, error, byte, closed };
}

/** Computes all checksums of the file anew, as far as its lengths lead: what a forger would do. */
export function reseal(file: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(file);
  const view = new DataView(bytes.buffer);
  const seal = (at: number, bodyEnd: number, bodyCrcAt: number): void => {
    if (bodyEnd <= bytes.length && bodyEnd > at + 72) {
      view.setUint32(at + bodyCrcAt, crc32(bytes.subarray(at + 72, bodyEnd)), true);
    }
  };
  const sealHeader = (at: number): void => view.setUint32(at + 68, crc32(bytes.subarray(at, at + 68)), true);
  let at = 72 + view.getUint32(12, true);
  seal(0, at, 64);
  sealHeader(0);
  let chain = createHash('sha256').update(bytes.subarray(0, at)).digest();
  while (at + 72 <= bytes.length) {
    const word = (index: number): number => view.getUint32(at + index * 4, true);
    const end = at + 72 + word(1) * 32 + word(4) * 8 + word(5) * 4;
    seal(at, end, 32);
    // As docs/log-format.md says it: the chain before stands in the place of the block's own.
    bytes.set(chain, at + 36);
    const [head, body] = [bytes.subarray(at, at + 68), bytes.subarray(at + 72, end)];
    chain = createHash('sha256').update(head).update(body).digest();
    bytes.set(chain, at + 36);
    sealHeader(at);
    at = end;
  }
  return bytes;
}

/** A few events of a tiny list: words with a handle, a fault, a payload, a PTE, a pfn of more than 32 bits. */
export function smallLog(): { batch: EventBatch; codec: EntryCodec } {
  const batch = new EventBatch();
  const codec = new EntryCodec(64);
  const wide = (lo: number): number => codec.fromRaw(0x123, lo);
  // The codec knows values that no event has, and knew them in another order.
  [wide(9), wide(2), wide(1)].forEach(() => undefined);
  batch.push(KINDS.boot.id, 0, 1, 4, batch.pushPayload([3, mfnWord(1000), 1, 1, wide(1), 0]));
  batch.push(KINDS.set_entry.id, 1, 2, 5, 31, INVALID, wide(2));
  batch.push(KINDS.set_pte.id, 1, 2, 5, 9, (3 << 2) | 1, (31 << 2) | 3);
  batch.push(KINDS.look_up.id, 0, 3, 5, 2 ** 20 - 1, 0x3fff_ffff);
  batch.push(KINDS.set_entry.id, 1, 2, 5, 31, wide(2), wide(1));
  return { batch, codec };
}
