import type { EventBatch } from '../batch.js';
import type { Place } from '../errors.js';
import type { EntryCodec } from '../word.js';
import type { EventsHeader } from './events_header.js';

/** Who is told what an event log holds. What a handler throws comes out of the reader's `push` or `end`. */
export interface EventHandler {
  /** Once, before the first event. `codec` is the one that the words of all batches belong to; it may be added to. */
  onHeader(header: EventsHeader, codec: EntryCodec): void;
  /** Events, in order; row 0 is event `seq` of the log. The batch is valid during the call only. */
  onEvents(batch: EventBatch, seq: number): void;
}

/**
 * Reads an event log that is handed in as chunks, cut anywhere. What stands before a fault is handed to the handler before
 * the error is thrown; after an error the reader is of no use. Memory does not grow with the log, but for its wide values.
 */
export interface EventReader {
  /** Reads on. Keeps nothing of the chunk's memory. @throws {P2mError} what is wrong and where, exit code 3 */
  push(bytes: Uint8Array): void;
  /**
   * The log is over. Returns whether its writer has closed it; if not, it still writes, or was killed.
   * @throws {P2mError} where it is cut
   */
  end(): boolean;
  /** Bytes that were handed in and are no whole block or line yet. */
  readonly pending: number;
  /** Where row `row` of the batch in hand stands in the file; for a handler, during `onEvents`. */
  placeOf(row: number): Place;
}

/** Writes an event log. The same events give the same bytes, in whatever batches they come. */
export interface EventWriter {
  /** Appends all rows of the batch, whose words belong to the writer's codec. Keeps nothing of the batch. */
  append(batch: EventBatch): void;
  /** Writes what is held back. */
  flush(): void;
  /** Writes what is still held back, and the end of the log. */
  close(): void;
}

/** Takes the bytes of a log in order. They are valid during the call only: write them at once, or copy them. */
export type ByteSink = (bytes: Uint8Array) => void;
