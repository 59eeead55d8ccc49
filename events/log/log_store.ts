import type { EventBatch } from '../batch.js';
import { assert, inputError, P2mError } from '../errors.js';
import type { EntryCodec } from '../word.js';
import { BlockEncoder } from './block_encoder.js';
import type { EventsHeader } from './events_header.js';
import { END_MAGIC, NEXT_MAGIC } from './layout.js';
import type { LogStorage, SegmentFile } from './log_storage.js';
import { recoverLog, type CutTail, type OpenEnd } from './recovery.js';
import { segmentHeader, type SegmentStart } from './segment_header.js';

/**
 * When events are on disk, so that they outlive a crash of the machine.
 *
 * - `batch`: when the `append` that brought them returns.
 * - `everyMs`: when an `append` returns that comes so many ms after the last sync by `now`, or `sync` does.
 * - `never`: when `sync` or `close` returns, or their segment is full. A crash of the process alone loses nothing all the same.
 */
export type SyncPolicy = 'batch' | 'never' | { readonly everyMs: number; readonly now: () => number };

/** How a log is written. */
export interface LogStoreOptions {
  /** Default `batch`. */
  readonly sync?: SyncPolicy;
  /** A segment of so many bytes or more is full; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Told what a writer that was killed has left, and was cut. */
  readonly onCut?: (cut: CutTail) => void;
}

const SEGMENT_BYTES = 1 << 26;

/**
 * The one writer of a log that outlives crashes: begins it, or goes on with one that is there.
 *
 * Whoever opens it sees to it that nobody else does (`xen-p2m/node` takes a lock file). One call at a time.
 */
export class LogStore {
  readonly #storage: LogStorage;
  readonly #header: EventsHeader;
  readonly #codec: EntryCodec;
  readonly #policy: SyncPolicy;
  readonly #segmentBytes: number;
  #file: SegmentFile | undefined;
  #encoder: BlockEncoder;
  /** Number of the segment in hand. */
  #segment: number;
  /** Bytes of the segment, those that the file has yet to take among them. */
  #bytes: number;
  /** Bytes of the segment that are on disk. */
  #durable: number;
  /** What the file has not taken, in order. */
  readonly #unwritten: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  /** Its last block says that the next segment follows, which is not there yet. */
  #full: boolean;
  #syncedAt: number;
  /** Why nothing more can be appended. */
  #broken: P2mError | undefined;
  #closed = false;

  private constructor(
    storage: LogStorage,
    header: EventsHeader,
    codec: EntryCodec,
    end: OpenEnd,
    { sync = 'batch', segmentBytes = SEGMENT_BYTES }: LogStoreOptions,
  ) {
    this.#storage = storage;
    this.#header = header;
    this.#codec = codec;
    this.#policy = sync;
    this.#segmentBytes = segmentBytes;
    this.#file = end.file;
    this.#segment = end.segment;
    this.#encoder = new BlockEncoder(codec, end);
    this.#bytes = end.bytes;
    this.#durable = end.bytes;
    this.#full = end.full;
    this.#syncedAt = typeof sync === 'object' ? sync.now() : 0;
  }

  /**
   * Opens a log for appending: begins it where there is none; else goes on behind its last whole block. What a crash tore is
   * cut back, kept beside the log, and told to `onCut`.
   *
   * @param codec the one that the words of all events to come belong to
   * @throws {P2mError} the log is of another domain (its facts are not `header`), or damaged: nothing was changed
   */
  static async open(
    storage: LogStorage,
    header: EventsHeader,
    codec: EntryCodec,
    options: LogStoreOptions = {},
  ): Promise<LogStore> {
    assert(header.entryBits === codec.bits, `the log is for entries of ${header.entryBits} bits, the codec is not`);
    const end = await recoverLog(storage, header, codec, options.onCut);
    const store = new LogStore(storage, header, codec, end, options);
    if (end.file === undefined) await store.#beginSegment({ segment: end.segment, seq: end.seq, chain: end.chain });
    return store;
  }

  /** Events appended: the number of the next one. */
  get events(): number {
    return this.#encoder.seq + this.#encoder.events;
  }

  /** The chain behind the last event: `verify` with it tells later whether anything before it has changed. */
  get head(): Uint8Array {
    return this.#encoder.chain;
  }

  /**
   * Appends the events of the batch that were not taken before. Row 0 is event `seq` of the log. Keeps nothing of the batch.
   * @throws {P2mError} what the storage throws: ask again, with the same events or more; the format cannot hold an event, or
   *   a sync failed: the log must be opened anew
   */
  async append(batch: EventBatch, seq: number): Promise<void> {
    assert(!this.#closed, 'the log is closed');
    assert(seq <= this.events, `events from ${this.events} to ${seq} are missing`);
    if (this.#broken !== undefined) throw this.#broken;
    this.#writeOut();
    if (this.#full || this.#bytes >= this.#segmentBytes) await this.#nextSegment();
    this.#encode(batch, this.events - seq);
    await this.#syncBy(this.#policy);
  }

  /** Brings everything that was appended to disk. @throws as `append` */
  async sync(): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    this.#writeOut();
    await this.#sync();
  }

  /** Whether it takes nothing more, and has to be opened anew. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** Gives the file back as a crash of the process would: what it has not taken is lost, and the log is not marked as closed. */
  abandon(): void {
    this.#closed = true;
    this.#unwritten.length = 0;
    this.#file?.close();
    this.#file = undefined;
  }

  /**
   * Marks the log as closed, on disk; it may be opened again. May be repeated where it fails.
   * @throws what the storage throws; where nothing can be appended any more, why, and the file is given back all the same
   */
  async close(): Promise<void> {
    if (this.#broken === undefined && !this.#closed) {
      // The mark says that all before it is on disk.
      await this.sync();
      if (this.#full) await this.#nextSegment();
      this.#put(this.#encoder.take(this.#durable, END_MAGIC));
      this.#closed = true;
    }
    if (this.#broken === undefined) await this.sync();
    this.#file?.close();
    this.#file = undefined;
    // Asked again after a sync failed: what was appended, or the mark, may not be on disk.
    if (this.#broken !== undefined) throw this.#broken;
  }

  #encode(batch: EventBatch, start: number): void {
    const encoder = this.#encoder;
    try {
      for (let i = start; i < batch.length;) {
        i = encoder.add(batch, i);
        if (encoder.isFull) this.#put(encoder.take(this.#durable));
      }
    } catch (error) {
      if (error instanceof P2mError && error.code === 'capacity') this.#broken = error;
      throw error;
    }
    if (encoder.events > 0) this.#put(encoder.take(this.#durable));
  }

  /** Writes bytes behind those before; where the file does not take them, they wait. */
  #put(bytes: Uint8Array): void {
    const at = this.#bytes;
    this.#bytes += bytes.length;
    try {
      this.#file!.write(bytes, at);
    } catch (error) {
      this.#unwritten.push({ at, bytes: bytes.slice() });
      throw error;
    }
  }

  #writeOut(): void {
    for (let next = this.#unwritten[0]; next !== undefined; next = this.#unwritten[0]) {
      this.#file!.write(next.bytes, next.at);
      this.#unwritten.shift();
    }
  }

  async #syncBy(policy: SyncPolicy): Promise<void> {
    if (policy === 'never') return;
    if (policy !== 'batch') {
      const now = policy.now();
      if (now - this.#syncedAt < policy.everyMs) return;
      this.#syncedAt = now;
    }
    await this.#sync();
  }

  async #sync(): Promise<void> {
    const bytes = this.#bytes;
    if (bytes === this.#durable) return;
    try {
      await this.#file!.sync();
    } catch (error) {
      // After a sync that failed the next one may say that all is well, for the system has forgotten what it could not write.
      this.#broken = inputError('the log could not be brought to disk', {
        file: this.#storage.pathOf(this.#storage.nameOf(this.#segment)!),
        got: (error as Error).message,
        expected: 'that it is opened anew: what was acknowledged is there',
      });
      throw this.#broken;
    }
    this.#durable = bytes;
  }

  /** Ends the segment in hand, and begins the next; one step after the other, each of which may be repeated. */
  async #nextSegment(): Promise<void> {
    const next = this.#segment + 1;
    if (this.#storage.nameOf(next) === undefined) return;
    if (!this.#full) {
      await this.#sync();
      const mark = this.#encoder.take(this.#durable, NEXT_MAGIC);
      this.#full = true;
      this.#put(mark);
    }
    if (this.#file !== undefined) {
      await this.#sync();
      this.#file.close();
      this.#file = undefined;
    }
    await this.#beginSegment({ segment: next, seq: this.#encoder.seq, chain: this.#encoder.chain });
  }

  async #beginSegment(start: SegmentStart): Promise<void> {
    const { bytes, chain } = segmentHeader(this.#header, start);
    const file = this.#storage.create(this.#storage.nameOf(start.segment)!);
    try {
      file.write(bytes, 0);
      // Blocks may stay unsynced for long: none of them is found behind a header that a power cut has torn.
      await file.sync();
      await this.#storage.syncFolder();
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file = file;
    this.#segment = start.segment;
    this.#encoder = new BlockEncoder(this.#codec, { seq: start.seq, chain, wide: [] });
    this.#bytes = bytes.length;
    this.#durable = 0;
    this.#full = false;
  }
}
