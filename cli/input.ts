import { createReadStream, readdirSync, readFileSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { inputError, type P2mError } from '../events/index.js';
import { isLogFolder, segmentPieces } from '../node/log_storage.js';

/** Large files are read in pieces of this size. */
const PIECE_BYTES = 1 << 18;

/** Bytes of a file, or of stdin for `-`, unzipped where they are gzip. @throws P2mError where they cannot be read. */
export function readInput(file: string): Uint8Array {
  const bytes = readBytes(file);
  if (bytes.length < 2 || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw inputError('damaged gzip', { file, got: (error as Error).message });
  }
}

/** Bytes as they are. */
export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw cannotRead(file, error as Error);
  }
}

function cannotRead(file: string, error: Error): P2mError {
  const { code } = error as NodeJS.ErrnoException;
  const what = code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a folder' : error.message;
  return inputError(`cannot read: ${what}`, { file });
}

/** A file, or stdin for `-`, or the segments of a log folder, piece by piece, as they are. @throws P2mError from the iterator, where it cannot be read. */
export async function* readPieces(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  if (isLogFolder(file)) return yield* segmentPieces(file);
  const options = { highWaterMark: PIECE_BYTES };
  const stream = file === '-' ? process.stdin : createReadStream(file, options);
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw cannotRead(file, error as Error);
  }
}

/** As `readInput`, as text. */
export function readText(file: string): string {
  return new TextDecoder().decode(readInput(file));
}

/** The file itself, or the files below a folder whose names match, in order of their names. @throws P2mError */
export function filesBelow(path: string, matches: (name: string) => boolean): string[] {
  if (path === '-' || !isFolder(path)) return [path];
  return entriesOf(path)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return filesBelow(child, matches);
      return matches(entry.name) ? [child] : [];
    });
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw inputError('cannot read the folder', { file: folder, got: (error as Error).message });
  }
}

/** Whether `path` is a folder; not where it cannot be told. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
