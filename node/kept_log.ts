import { join } from 'node:path';
import { Mutex } from 'async-mutex';
import {
  inputError,
  LogStore,
  type P2mError,
  SegmentedLog,
  usageError,
  type CutTail,
  type EntryCodec,
  type EventBatch,
  type EventsHeader,
  type LogStorage,
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
  /** Where its bytes go, for another place than files at the path, a disk that fails among them; the lock lies by the path. */
  readonly storage?: LogStorage;
}

/** A log that is being written. */
interface Opened {
  readonly lock: LockFile;
  readonly timer: NodeJS.Timeout | undefined;
  store: LogStore;
}

/**
 * A log of a live engine in its place on disk: a folder of segments, or one file where the name ends in `.p2mlog` and no folder
 * is there. It is begun with the first append, or goes on where it ended. One writer at a time: a lock file beside it, or in
 * the folder, says who.
 *
 * Where the disk has failed to bring to disk what was written, the log is opened anew with the next call, as after a crash:
 * what was taken is there, and is written again.
 */
export class KeptLog {
  readonly path: string;
  readonly #header: EventsHeader;
  readonly #codec: EntryCodec;
  readonly #options: KeptLogOptions;
  /** The timer's sync and the engine's appends come one at a time. */
  readonly #mutex = new Mutex();
  #opened: Opened | undefined;
  /** Events that it has taken: no disk that works lacks them. */
  #taken = 0;
  #isEnded = false;
  /** The disk lacks events that were taken. */
  #loss: P2mError | undefined;

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
      this.#checkOpen();
      this.#opened ??= await this.#open(seq);
      await this.#mend(this.#opened);
      await this.#opened.store.append(batch, seq);
      this.#taken = seq + batch.length;
    });
  }

  /** Brings all to disk, marks the log as closed, and gives the lock back. May be repeated where it fails. */
  close(): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      if (this.#isEnded) return;
      this.#opened ??= await this.#open(0);
      const { lock, timer } = this.#opened;
      await this.#mend(this.#opened);
      await this.#opened.store.close();
      clearInterval(timer);
      lock.release();
      this.#isEnded = true;
    });
  }

  /** Gives file and lock back as a crash of the process does: what it has taken is in the log, which is not marked as closed. */
  abandon(): Promise<void> {
    return this.#mutex.runExclusive(() => {
      if (this.#isEnded) return;
      this.#isEnded = true;
      if (this.#opened === undefined) return;
      const { store, lock, timer } = this.#opened;
      clearInterval(timer);
      try {
        store.abandon();
      } finally {
        lock.release();
      }
    });
  }

  /**
   * Opens a log that is there, at once, to go on behind its `events` events; `lock` is taken already, and this gives it back.
   * @throws {P2mError} as `append` does
   */
  goOn(events: number, lock: LockFile): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      this.#opened = await this.#open(events, lock);
      this.#taken = events;
    });
  }

  #checkOpen(): void {
    if (this.#isEnded) throw usageError('the log is closed', { file: this.path });
  }

  /** @param seq number of the first event to come: an engine that begins anew cannot go on with the events of another */
  async #open(seq: number, held?: LockFile): Promise<Opened> {
    const { sync = 'batch' } = this.#options;
    const storage = this.#storage(true);
    const lock = held ?? LockFile.take(lockOf(this.path));
    try {
      const store = await this.#openStore(storage);
      if (store.events !== seq) {
        await store.close();
        throw inputError('the log has events already', {
          file: this.path,
          got: `${store.events} events`,
          expected: `${seq}: each engine has a log of its own`,
          hint: 'resumeEngine goes on with a log that is there',
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

  /** Opens the log anew where a sync of it has failed. */
  async #mend(opened: Opened): Promise<void> {
    if (this.#loss !== undefined) throw this.#loss;
    if (!opened.store.isBroken) return;
    opened.store.abandon();
    const store = await this.#openStore(this.#storage(false));
    opened.store = store;
    if (store.events >= this.#taken) return;
    opened.store.abandon();
    this.#loss = inputError('the disk has lost events that the log had taken', {
      file: this.path,
      got: `${store.events} events`,
      expected: `${this.#taken}`,
    });
    throw this.#loss;
  }

  #openStore(storage: LogStorage): Promise<LogStore> {
    const { sync = 'batch', segmentBytes, onCut } = this.#options;
    return LogStore.open(storage, this.#header, this.#codec, {
      sync: typeof sync === 'object' ? 'never' : sync,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(onCut === undefined ? {} : { onCut }),
    });
  }

  #storage(begin: boolean): LogStorage {
    if (this.#options.storage !== undefined) return this.#options.storage;
    const isFile = this.path.endsWith('.p2mlog') && !(logStorage(this.path) instanceof FolderStorage);
    return isFile ? new FileStorage(this.path) : new FolderStorage(this.path, begin);
  }

  /** The timer's sync: what it throws, the next call mends or throws. */
  #syncLate(): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      if (this.#opened === undefined || this.#isEnded) return;
      try {
        await this.#mend(this.#opened);
        await this.#opened.store.sync();
      } catch {
        // A sync that failed has broken the store; a write that failed is tried again. The next call meets what is left of it.
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
