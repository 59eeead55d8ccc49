import { join } from 'node:path';
import { Mutex } from 'async-mutex';
import {
  inputError,
  LogStore,
  SegmentedLog,
  type CutTail,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
} from '../events/index.js';
import { LockFile } from './lock_file.js';
import { FileStorage, FolderStorage, logStorage } from './log_storage.js';

/** How a log is kept. */
export interface KeptLogOptions {
  /**
   * When events are on disk: `batch`, when the `append` that brought them is done (the default); `everyMs`, so many ms later
   * at most; `never`, when the log is closed or their segment is full. A crash of the process alone loses none in any case.
   */
  readonly sync?: 'batch' | 'never' | { readonly everyMs: number };
  /** A segment of so many bytes or more is full, and the next begins; default 64 MiB. */
  readonly segmentBytes?: number;
  /** Told what a writer that was killed has left half-written, and was cut. */
  readonly onCut?: (cut: CutTail) => void;
}

/**
 * A log of a live engine in its place on disk: a folder of segments, or one file where the name ends in `.p2mlog` and no folder
 * is there. It is begun with the first append, or goes on where it ended. One writer at a time: a lock file beside it, or in
 * the folder, says who.
 */
export class KeptLog {
  readonly path: string;
  readonly #header: EventsHeader;
  readonly #codec: EntryCodec;
  readonly #options: KeptLogOptions;
  /** The timer's sync and the engine's appends come one at a time. */
  readonly #mutex = new Mutex();
  #opened:
    { readonly store: LogStore; readonly lock: LockFile; readonly timer: NodeJS.Timeout | undefined } | undefined;
  #late: { readonly error: unknown } | undefined;

  constructor(path: string, header: EventsHeader, codec: EntryCodec, options: KeptLogOptions = {}) {
    this.path = path;
    this.#header = header;
    this.#codec = codec;
    this.#options = options;
  }

  /**
   * Appends the events of the batch that were not taken before; row 0 is event `seq` of the log.
   * @throws {P2mError} somebody else writes the log; it is of another domain, or damaged; the disk is full: ask again
   */
  append(batch: EventBatch, seq: number): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      this.#opened ??= await this.#open(seq);
      if (this.#late !== undefined) throw this.#late.error;
      await this.#opened.store.append(batch, seq);
    });
  }

  /** Brings all to disk, marks the log as closed, and gives the lock back. May be repeated where it fails. */
  close(): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      this.#opened ??= await this.#open(0);
      const { store, lock, timer } = this.#opened;
      clearInterval(timer);
      await store.close();
      lock.release();
    });
  }

  /** @param seq number of the first event to come: an engine that begins anew cannot go on with the events of another */
  async #open(seq: number) {
    const { sync = 'batch', ...rest } = this.#options;
    const isFile = this.path.endsWith('.p2mlog') && !(logStorage(this.path) instanceof FolderStorage);
    const storage = isFile ? new FileStorage(this.path) : new FolderStorage(this.path, true);
    const lock = LockFile.take(lockOf(this.path));
    try {
      const policy = typeof sync === 'object' ? 'never' : sync;
      const store = await LogStore.open(storage, this.#header, this.#codec, { ...rest, sync: policy });
      if (store.events !== seq) {
        await store.close();
        throw inputError('the log has events already', {
          file: this.path,
          got: `${store.events} events`,
          expected: `${seq}: each engine has a log of its own`,
        });
      }
      const timer =
        typeof sync === 'object' ? setInterval(() => void this.#syncLate(), sync.everyMs).unref() : undefined;
      return { store, lock, timer };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** The timer's sync: what it throws, the next append throws. */
  #syncLate(): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      try {
        await this.#opened?.store.sync();
      } catch (error) {
        this.#late = { error };
      }
    });
  }
}

/** What an engine is handed as its `log`: its events are kept at `path` (`KeptLog`). */
export function keepLog(
  path: string,
  options: KeptLogOptions = {},
): (header: EventsHeader, codec: EntryCodec) => KeptLog {
  return (header, codec) => new KeptLog(path, header, codec, options);
}

/** The lock of the log at `path`: in its folder, or beside its file. */
export function lockOf(path: string): string {
  return logStorage(path) instanceof FolderStorage ? join(path, 'lock') : `${path}.lock`;
}

/** The binary log at `path`, a file or a folder of segments, for questions. @throws {P2mError} as `SegmentedLog` */
export function openSegmentedLog(path: string): SegmentedLog {
  return new SegmentedLog(path, logStorage(path));
}
