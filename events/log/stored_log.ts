import type { EventBatch } from '../batch.js';
import { P2mError, type Place } from '../errors.js';
import type { EntryCodec } from '../word.js';
import type { EventsHeader } from './events_header.js';
import { readLog } from './read_log.js';

/**
 * How a log ends.
 *
 * - `closed`: with its end; nothing follows.
 * - `open`: behind a whole block: its writer has not closed it, or was killed.
 * - `torn`: with bytes that are no whole block, from `place` on: what a writer leaves that was killed in the middle.
 */
export type LogEnd =
  | { readonly kind: 'closed' | 'open' }
  | {
      readonly kind: 'torn';
      readonly place: Place;
      readonly bytes: number;
      /** What is wrong there. */
      readonly why: string;
      /** Events before it: all that can be read. */
      readonly events: number;
    };

/**
 * A log that can be read at any place, a block of events at a time. Blocks have 1 to 4096 events, and follow each other
 * without gaps from event 0 on. Synchronous: whoever gave us the log has its bytes at hand, or blocks.
 */
export interface StoredLog {
  /** What messages call it. */
  readonly name: string;
  readonly header: EventsHeader;
  /** The one that the words of all batches belong to. */
  readonly codec: EntryCodec;
  /** Events that can be read. */
  readonly events: number;
  readonly blocks: number;
  readonly end: LogEnd;
  /** Number of the first event of block `block`; of `blocks` it is `events`. 0 <= block <= blocks. */
  seqOf(block: number): number;
  /** The block that holds event `seq`. 0 <= seq < events. */
  blockOf(seq: number): number;
  /**
   * The events of a block; row 0 is event `seqOf(block)`. Nobody may change the batch; it stays as it is for as
   * long as somebody holds it.
   * @throws {P2mError} code `bad-input`, with the place: the block is damaged
   */
  read(block: number): EventBatch;
  /** The chain behind a block, as 64 hexadecimal digits; a log that keeps no chain has none. */
  chainAt?(block: number): string;
  /** Looks what was appended since; whether there are more events now. */
  refresh(): boolean;
}

/** A log that is in memory as batches: one of JSON lines, or one that was made to be asked questions. */
export class BatchLog implements StoredLog {
  readonly name: string;
  readonly header: EventsHeader;
  readonly codec: EntryCodec;
  readonly events: number;
  readonly end: LogEnd;
  readonly #batches: readonly EventBatch[];
  /** Number of the first event of each batch, and behind them of all. */
  readonly #seqs: readonly number[];

  /** @param batches not empty, and nobody changes them any more */
  constructor(
    name: string,
    header: EventsHeader,
    codec: EntryCodec,
    batches: readonly EventBatch[],
    end: LogEnd = { kind: 'closed' },
  ) {
    this.name = name;
    this.header = header;
    this.codec = codec;
    this.end = end;
    this.#batches = batches;
    const seqs = [0];
    for (const { length } of batches) seqs.push(seqs.at(-1)! + length);
    this.#seqs = seqs;
    this.events = seqs.at(-1)!;
  }

  get blocks(): number {
    return this.#batches.length;
  }

  seqOf(block: number): number {
    return this.#seqs[block]!;
  }

  blockOf(seq: number): number {
    return lastAtMost(this.#seqs, this.blocks, seq);
  }

  read(block: number): EventBatch {
    return this.#batches[block]!;
  }

  refresh(): boolean {
    return false;
  }
}

/** The last index below `count` whose number is at most `value`; `numbers` go up, the first is at most `value`. */
export function lastAtMost(numbers: ArrayLike<number>, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * All of a log at once, in memory; of one that ends too early, what is there.
 * @throws {P2mError} as `readLog`: it is none, or damaged
 */
export async function readBatchLog(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): Promise<BatchLog> {
  const opened = await readLog(pieces, name);
  const batches: EventBatch[] = [];
  let events = 0;
  let end: LogEnd;
  try {
    for await (const { batch } of opened) {
      batches.push(batch);
      events += batch.length;
    }
    end = { kind: opened.closed ? 'closed' : 'open' };
  } catch (error) {
    if (opened.tornBytes === undefined || !(error instanceof P2mError)) throw error;
    end = endOfTorn(error, opened.tornBytes, events);
  }
  return new BatchLog(name, opened.header, opened.codec, batches, end);
}

/** Behind a whole block or line it is what a writer leaves that has not closed it. */
function endOfTorn({ complaint, message }: P2mError, bytes: number, events: number): LogEnd {
  return bytes === 0 ? { kind: 'open' } : { kind: 'torn', place: complaint, bytes, why: message, events };
}
