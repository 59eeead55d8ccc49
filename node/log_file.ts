import { closeSync, createReadStream, fdatasync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { inputError, type LogFile } from '../events/index.js';

const datasync = promisify(fdatasync);
/** Files are read in pieces of this size. */
const PIECE_BYTES = 1 << 18;

/**
 * A file that a log is written to.
 *
 * `write` is a plain system call into the page cache, which takes less time than a turn of the event loop and its thread
 * pool; `sync`, which waits for the disk, is asynchronous.
 */
export class NodeLogFile implements LogFile {
  readonly path: string;
  readonly #fd: number;
  #bytes = 0;

  /** Creates the file, or empties one that is there. @throws {P2mError} code `bad-input`: it cannot be written */
  constructor(path: string) {
    this.path = path;
    this.#fd = this.#trying(() => openSync(path, 'w'));
  }

  /** @throws {P2mError} as `LogFile.write`: the same bytes may come again, and stand once in the file */
  write(bytes: Uint8Array): void {
    // At a place of its own: what a call that failed half-way has written is written over.
    for (let at = 0; at < bytes.length;) {
      at += this.#trying(() => writeSync(this.#fd, bytes, at, bytes.length - at, this.#bytes + at));
    }
    this.#bytes += bytes.length;
  }

  async sync(): Promise<void> {
    try {
      await datasync(this.#fd);
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
  }

  close(): void {
    this.#trying(() => closeSync(this.#fd));
  }

  #trying<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw cannotWrite(this.path, error);
    }
  }
}

function cannotWrite(file: string, error: unknown): Error {
  return inputError('cannot write', { file, got: (error as Error).message });
}

/** The bytes of a file, piece by piece, as they are. @throws {P2mError} from the iterator: it cannot be read */
export async function* readFilePieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) yield piece as Buffer;
  } catch (error) {
    throw inputError('cannot read', { file: path, got: (error as Error).message });
  }
}
