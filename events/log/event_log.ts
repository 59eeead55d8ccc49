import { EventBatch } from '../batch.js';
import { assert } from '../errors.js';
import { payloadColumn } from '../view.js';
import type { EntryCodec } from '../word.js';
import type { EventWriter } from './contract.js';
import type { EventsHeader } from './events_header.js';
import { eventWriter, type EventFormat } from './formats.js';

/** Where the bytes of a log go. It is handed in: nothing here knows of files (`xen-p2m/node` has one that does). */
export interface LogFile {
  /**
   * Takes all of the bytes, behind those before. They are valid until it is done. Where it throws it counts as having
   * taken none: the same bytes come again.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /** What was written outlives a crash of the machine. */
  sync?(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** How a log is written. */
export interface EventLogOptions {
  /** Default `p2mlog`. */
  readonly format?: EventFormat;
  /** Asks for `sync` at the end of each `append`; default only at the end of the log. */
  readonly syncEach?: boolean;
}

/**
 * Writes the events of a live engine to a `LogFile`, batch by batch.
 *
 * An `append` that fails may be repeated, with more events behind: each event says its number, and what was taken already is
 * not taken twice. When `append` is done, all of them are in the file.
 *
 * One call at a time: whoever appends holds the engine's lock.
 */
export class EventLog {
  readonly #file: LogFile;
  readonly #writer: EventWriter;
  readonly #syncEach: boolean;
  /** Bytes that the writer has given out and the file has not taken. */
  readonly #unwritten: Uint8Array[] = [];
  #events = 0;
  #ended = false;
  /** Why the writer could not go on: what it has of that batch is not known. */
  #broken: { readonly why: unknown } | undefined;

  constructor(file: LogFile, header: EventsHeader, codec: EntryCodec, options: EventLogOptions = {}) {
    const { format = 'p2mlog', syncEach = false } = options;
    this.#file = file;
    this.#syncEach = syncEach;
    this.#writer = eventWriter(format, (bytes) => this.#unwritten.push(bytes.slice()), header, codec);
  }

  /** Events taken: the number of the next one. */
  get events(): number {
    return this.#events;
  }

  /**
   * Appends the events of the batch that were not taken before. Row 0 is event `seq` of the log. Keeps nothing of the batch.
   * @throws what the file throws: ask again; {P2mError} the format cannot hold an event: the log is of no more use
   */
  async append(batch: EventBatch, seq: number): Promise<void> {
    assert(!this.#ended, 'the log is closed');
    assert(seq <= this.#events, `events from ${this.#events} to ${seq} are missing`);
    if (this.#broken !== undefined) throw this.#broken.why;
    const taken = this.#events - seq;
    if (taken < batch.length) {
      try {
        this.#writer.append(taken === 0 ? batch : rowsFrom(batch, taken));
        this.#writer.flush();
      } catch (error) {
        this.#broken = { why: error };
        throw error;
      }
      this.#events = seq + batch.length;
    }
    await this.#write();
    if (this.#syncEach) await this.#file.sync?.();
  }

  /** Writes what is still held back, and the end of the log; then closes the file. May be repeated where it fails. */
  async close(): Promise<void> {
    if (!this.#ended && this.#broken === undefined) {
      this.#writer.close();
      this.#ended = true;
    }
    await this.#write();
    await this.#file.sync?.();
    await this.#file.close();
  }

  async #write(): Promise<void> {
    for (let bytes = this.#unwritten[0]; bytes !== undefined; bytes = this.#unwritten[0]) {
      await this.#file.write(bytes);
      this.#unwritten.shift();
    }
  }
}

/** Begins the log of a run once it is known what its head must say: what an engine is handed as its `log`. */
export function logTo(
  file: LogFile,
  options: EventLogOptions = {},
): (header: EventsHeader, codec: EntryCodec) => EventLog {
  return (header, codec) => new EventLog(file, header, codec, options);
}

function rowsFrom(batch: EventBatch, start: number): EventBatch {
  const rest = new EventBatch(batch.length - start);
  for (let i = start; i < batch.length; i++) rest.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  return rest;
}
