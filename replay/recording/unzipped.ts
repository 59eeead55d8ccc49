import { Buffer } from 'node:buffer';
import { createGunzip } from 'node:zlib';
import { gzipCut, gzipDamaged, isGzip } from './gunzip.js';

/**
 * A file unzipped while it is read. zlib inflates on a thread of its own, but only as far as it has been given room and
 * compressed data: so the next piece is handed to it as soon as it has done the last, whether or not the consumer has
 * taken what came out. What waits for the consumer is bounded, and outlives an error, which a stream's own buffer does
 * not.
 */

/** What zlib gives at once at most, in bytes: a turn of the event loop each, so not too small. */
const INFLATED_BYTES = 524_288;
/** With so many of them waiting for the consumer nothing more is inflated. */
const WAITING_MAX = 8;

/**
 * Compressed bytes handed to zlib at once. What it has inflated of a damaged piece it keeps to itself, so a piece is a
 * quarter of what was read before; with larger ones it would not be busier.
 */
const PIECE_BYTES_MIN = 1024;
const PIECE_BYTES_MAX = 32_768;

/**
 * The bytes of a file: unzipped where it begins as gzip does, as they are where not. Memory is bounded, whatever the
 * file's size. Files that were zipped apart and put together are one file; zeros behind the end are padding.
 *
 * @param chunks the file, cut anywhere; who leaves early leaves these too
 * @throws {P2mError} the gzip is cut or damaged, with the byte of the zipped file at which that shows, when all that was
 *   inflated before has been yielded
 */
export async function* unzipped(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = new Chunks(chunks);
  try {
    const beginning = await source.beginning();
    const pieces = isGzip(beginning) ? inflated(beginning, source, file) : plain(beginning, source);
    yield* pieces;
  } finally {
    source.close();
  }
}

async function* plain(beginning: Uint8Array, source: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  for (let bytes: Uint8Array | undefined = beginning; bytes !== undefined; bytes = await source.next()) {
    if (bytes.length > 0) yield bytes;
  }
}

async function* inflated(
  beginning: Uint8Array,
  source: Chunks,
  file: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = new Inflater(beginning, source, file);
  try {
    for (let bytes = await inflater.next(); bytes !== undefined; bytes = await inflater.next()) yield bytes;
  } finally {
    inflater.close();
  }
}

/** The chunks of a file. */
class Chunks {
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  async next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    const next = await this.#chunks.next();
    if (next.done !== true) return next.value;
    this.#ended = true;
    return undefined;
  }

  /** As many chunks as it takes to tell what they are. */
  async beginning(): Promise<Uint8Array> {
    let bytes: Uint8Array = new Uint8Array(0);
    while (bytes.length < 2) {
      const more = await this.next();
      if (more === undefined) break;
      bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    }
    return bytes;
  }

  /** No more is wanted. A source that waits for its input ends when that comes: nobody waits for it here. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    void Promise.resolve(this.#chunks.return?.()).catch(() => undefined);
  }
}

/** zlib at work on a file. */
class Inflater {
  readonly #file: string;
  readonly #zlib = createGunzip({ chunkSize: INFLATED_BYTES });
  readonly #waiting: Uint8Array[] = [];
  /** Bytes of the file that zlib was given. */
  #fed = 0;
  #ended = false;
  #error: Error | undefined;
  #wakeConsumer: () => void = () => undefined;
  #wakeFeeder: () => void = () => undefined;

  constructor(beginning: Uint8Array, source: Chunks, file: string) {
    this.#file = file;
    this.#zlib.on('data', (bytes: Uint8Array) => {
      this.#waiting.push(bytes);
      this.#wakeConsumer();
    });
    this.#zlib.on('error', (error) => this.#end(this.#explain(error)));
    this.#feed(beginning, source).then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** The next bytes, or `undefined` at the end; throws what went wrong when all is taken. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((wake) => (this.#wakeConsumer = wake));
    }
    const bytes = this.#waiting.shift();
    if (bytes === undefined && this.#error !== undefined) throw this.#error;
    this.#wakeFeeder();
    return bytes;
  }

  close(): void {
    this.#end(undefined);
    this.#zlib.destroy();
  }

  async #feed(beginning: Uint8Array, source: Chunks): Promise<void> {
    for (let chunk: Uint8Array | undefined = beginning; chunk !== undefined; chunk = await source.next()) {
      for (let at = 0; at < chunk.length;) {
        const size = Math.min(PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, this.#fed >>> 2));
        const piece = chunk.subarray(at, at + size);
        await this.#inflate(piece);
        if (this.#hasStopped()) return this.#untilTold();
        at += piece.length;
      }
    }
    const zlib = this.#zlib;
    if (!zlib.readableEnded) await new Promise<void>((done) => zlib.once('end', () => done()).end());
  }

  /** Has zlib take the piece. What it leaves stands behind the end. */
  async #inflate(piece: Uint8Array): Promise<void> {
    while (this.#waiting.length >= WAITING_MAX && !this.#ended) {
      await new Promise<void>((wake) => (this.#wakeFeeder = wake));
    }
    const zlib = this.#zlib;
    const before = this.#fed;
    this.#fed += piece.length;
    if (zlib.bytesWritten === before && !this.#ended) {
      await new Promise<void>((done) => zlib.write(piece, () => done()));
    }
    if (this.#hasStopped()) return;
    const taken = Math.max(0, zlib.bytesWritten - before);
    const behind = piece.subarray(taken).findIndex((byte) => byte !== 0);
    if (behind >= 0) throw gzipDamaged(this.#file, before + taken + behind, 'bytes behind the end');
  }

  #hasStopped(): boolean {
    return this.#ended || this.#zlib.errored !== null;
  }

  /** zlib tells its error a turn later than it has stopped for it. */
  async #untilTold(): Promise<void> {
    while (!this.#ended) await new Promise<void>((wake) => (this.#wakeFeeder = wake));
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error.code === 'Z_BUF_ERROR') return gzipCut(this.#file, this.#fed);
    if (error.code === 'Z_DATA_ERROR') return gzipDamaged(this.#file, this.#zlib.bytesWritten, error.message);
    return error;
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wakeConsumer();
    this.#wakeFeeder();
  }
}
