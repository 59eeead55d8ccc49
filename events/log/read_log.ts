import { EventBatch } from '../batch.js';
import { inputError } from '../errors.js';
import type { EntryCodec } from '../word.js';
import type { EventReader } from './contract.js';
import type { EventsHeader } from './events_header.js';
import { eventFormatOf, eventReader, SNIFF_BYTES, type EventFormat } from './formats.js';

/** Events of a log that follow each other. */
export interface LogBatch {
  /** Number of row 0 in the log. */
  readonly seq: number;
  /** The reader's no more: keep it as long as you like. */
  readonly batch: EventBatch;
}

/** A log that was opened: what it says of itself, and its events, once, in order. */
export interface OpenedEventLog extends AsyncIterable<LogBatch> {
  readonly format: EventFormat;
  readonly header: EventsHeader;
  /** The one that the words of all batches belong to. */
  readonly codec: EntryCodec;
  /** Whether its writer has closed it; known once its last event was read. */
  readonly closed: boolean;
  /**
   * Where the iterator threw because the log ends too early: bytes behind its last whole block or line, which may be
   * none. Undefined where it did not, or is damaged.
   */
  readonly tornBytes: number | undefined;
}

/**
 * Opens an event log of either format, told by its beginning, and reads it as far as its header.
 *
 * Memory is bounded by a piece of the file and what it holds, whatever the length of the log. Who leaves early leaves the
 * pieces too.
 *
 * @param pieces the bytes, cut anywhere, not zipped
 * @param file   what complaints call the log
 * @throws {P2mError} here and from the iterator, with exit code 3, file and line or byte: no log of events, a damaged one,
 *   one that is cut. What stands before a fault is handed on before the fault is told.
 */
export async function readLog(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
): Promise<OpenedEventLog> {
  const source = piecesOf(pieces);
  const { format, beginning } = await sniff(source, file);
  const reading = new Reading(format, file, source, beginning);
  await reading.readHeader();
  const { header, codec } = reading;
  return {
    format,
    header: header!,
    codec: codec!,
    get closed() {
      return reading.closed;
    },
    get tornBytes() {
      return reading.tornBytes;
    },
    [Symbol.asyncIterator]: () => reading.batches(),
  };
}

async function* piecesOf(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* pieces;
}

/** A reader that is pushed, made one that is pulled. */
class Reading {
  readonly #reader: EventReader;
  readonly #source: AsyncGenerator<Uint8Array, void, undefined>;
  /** Read, and not handed on. */
  readonly #waiting: LogBatch[] = [];
  #next: Uint8Array | undefined;
  #ended = false;
  #fault: { readonly error: unknown } | undefined;
  header: EventsHeader | undefined;
  codec: EntryCodec | undefined;
  closed = false;
  tornBytes: number | undefined;

  constructor(
    format: EventFormat,
    file: string,
    source: AsyncGenerator<Uint8Array, void, undefined>,
    beginning: Uint8Array,
  ) {
    this.#source = source;
    this.#next = beginning;
    const handler = {
      onHeader: (header: EventsHeader, codec: EntryCodec) => {
        this.header = header;
        this.codec = codec;
      },
      onEvents: (batch: EventBatch, seq: number) => this.#waiting.push({ seq, batch: copyOf(batch) }),
    };
    this.#reader = eventReader(format, handler, file);
  }

  async readHeader(): Promise<void> {
    while (this.header === undefined && !this.#isOver()) await this.#readOn();
    if (this.header === undefined && this.#fault !== undefined) throw this.#fault.error;
  }

  async *batches(): AsyncGenerator<LogBatch, void, undefined> {
    try {
      for (;;) {
        yield* this.#waiting.splice(0);
        if (this.#isOver()) break;
        await this.#readOn();
      }
      if (this.#fault !== undefined) throw this.#fault.error;
    } finally {
      await this.#source.return();
    }
  }

  #isOver(): boolean {
    return this.#ended || this.#fault !== undefined;
  }

  #end(): void {
    try {
      this.closed = this.#reader.end();
      this.#ended = true;
    } catch (error) {
      this.tornBytes = this.#reader.pending;
      throw error;
    }
  }

  async #readOn(): Promise<void> {
    try {
      const piece = this.#next ?? (await nextOf(this.#source));
      this.#next = undefined;
      if (piece === undefined) this.#end();
      else this.#reader.push(piece);
    } catch (error) {
      this.#fault = { error };
    }
  }
}

async function sniff(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  file: string,
): Promise<{ format: EventFormat; beginning: Uint8Array }> {
  let beginning = new Uint8Array(0);
  while (beginning.length < SNIFF_BYTES) {
    const piece = await nextOf(source);
    if (piece === undefined) break;
    const longer = new Uint8Array(beginning.length + piece.length);
    longer.set(beginning);
    longer.set(piece, beginning.length);
    beginning = longer;
  }
  const format = eventFormatOf(beginning);
  if (format !== undefined) return { format, beginning };
  await source.return();
  const got =
    beginning.length === 0 ? 'an empty file' : JSON.stringify(new TextDecoder().decode(beginning.subarray(0, 32)));
  throw inputError('no log of events', { file, byte: 0, got, expected: 'a .p2mlog or .jsonl of ours, not zipped' });
}

async function nextOf(source: AsyncGenerator<Uint8Array, void, undefined>): Promise<Uint8Array | undefined> {
  const next = await source.next();
  return next.done === true ? undefined : next.value;
}

function copyOf(batch: EventBatch): EventBatch {
  const copy = new EventBatch(0);
  const { length, payloadLength } = batch;
  copy.kind = batch.kind.slice(0, length);
  copy.cpu = batch.cpu.slice(0, length);
  copy.op = batch.op.slice(0, length);
  copy.a = batch.a.slice(0, length);
  copy.b = batch.b.slice(0, length);
  copy.c = batch.c.slice(0, length);
  copy.d = batch.d.slice(0, length);
  copy.e = batch.e.slice(0, length);
  copy.length = length;
  copy.payload = batch.payload.slice(0, payloadLength);
  copy.payloadLength = payloadLength;
  return copy;
}
