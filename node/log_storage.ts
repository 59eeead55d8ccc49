import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { inputError, type LogStorage, type SegmentFile } from '../events/index.js';

const datasync = promisify(fdatasync);
/** Names of segments in a folder: their numbers, and `.gz` where they are packed. */
const SEGMENT = /^([0-9]{8})\.p2mlog(\.gz)?$/;
const DIGITS = 8;
const PIECE_BYTES = 1 << 18;

/** The name of segment `segment` in a folder. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(DIGITS, '0')}.p2mlog`;
}

/** Whether the path is a folder that holds a segment of a log. */
export function isLogFolder(path: string): boolean {
  try {
    return readdirSync(path).some((name) => SEGMENT.test(name));
  } catch {
    return false;
  }
}

/**
 * A folder of segments, `00000000.p2mlog` and so on; those that are closed may be packed (`.p2mlog.gz`). What was cut from
 * one is kept in `NAME.cut-BYTE`.
 */
export class FolderStorage implements LogStorage {
  readonly folder: string;

  /** @param begin makes the folder where it is not there @throws {P2mError} it cannot be made, or read */
  constructor(folder: string, begin = false) {
    this.folder = folder;
    if (begin) trying('cannot write', folder, () => mkdirSync(folder, { recursive: true }));
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  list(): string[] {
    const names = trying('cannot read', this.folder, () => readdirSync(this.folder)).filter((name) =>
      SEGMENT.test(name),
    );
    const whole = names.filter((name) => !name.endsWith('.gz'));
    // Who packs a segment was stopped between the two: both are the same.
    return [
      ...whole,
      ...names.filter((name) => !whole.includes(name.replace(/\.gz$/, '')) && name.endsWith('.gz')),
    ].sort();
  }

  nameOf(segment: number): string {
    return segmentName(segment);
  }

  open(name: string): SegmentFile {
    return openSegmentFile(this.pathOf(name));
  }

  create(name: string): SegmentFile {
    return new OpenFile(this.pathOf(name), 'w+');
  }

  remove(name: string): void {
    const path = this.pathOf(name);
    trying('cannot remove', path, () => unlinkSync(path));
  }

  syncFolder(): void {
    syncFolder(this.folder);
  }

  keep(name: string, at: number, bytes: Uint8Array): string {
    return keepBeside(this.pathOf(name), at, bytes);
  }
}

/** A log in one file. It has one segment, however long. */
export class FileStorage implements LogStorage {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  pathOf(): string {
    return this.path;
  }

  list(): string[] {
    return existsSync(this.path) ? [basename(this.path)] : [];
  }

  nameOf(segment: number): string | undefined {
    return segment === 0 ? basename(this.path) : undefined;
  }

  open(): SegmentFile {
    return openSegmentFile(this.path);
  }

  create(): SegmentFile {
    return new OpenFile(this.path, 'w+');
  }

  remove(): void {
    trying('cannot remove', this.path, () => unlinkSync(this.path));
  }

  syncFolder(): void {
    syncFolder(dirname(this.path));
  }

  keep(_name: string, at: number, bytes: Uint8Array): string {
    return keepBeside(this.path, at, bytes);
  }
}

/** The bytes of a folder's segments, one after the other, unpacked. @throws {P2mError} from the iterator */
export function* segmentPieces(folder: string): Generator<Uint8Array, void, undefined> {
  const storage = new FolderStorage(folder);
  for (const name of storage.list()) {
    const file = storage.open(name);
    try {
      for (let at = 0; ;) {
        const piece = new Uint8Array(PIECE_BYTES);
        const count = file.read(piece, at);
        if (count === 0) break;
        yield piece.subarray(0, count);
        at += count;
      }
    } finally {
      file.close();
    }
  }
}

/** The storage of the log at `path`: a folder of segments, or a file. */
export function logStorage(path: string): LogStorage {
  return isFolder(path) ? new FolderStorage(path) : new FileStorage(path);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function openSegmentFile(path: string): SegmentFile {
  const bytes = isGzip(path) ? trying('cannot read', path, () => gunzipSync(readFileSync(path))) : undefined;
  if (bytes !== undefined) return new PackedFile(path, bytes);
  // Whoever only reads may have no right to write.
  return new OpenFile(path, mayWrite(path) ? 'r+' : 'r');
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isGzip(path: string): boolean {
  const file = new OpenFile(path, 'r');
  try {
    const magic = new Uint8Array(2);
    return file.read(magic, 0) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    file.close();
  }
}

/** A file of the system. */
class OpenFile implements SegmentFile {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string, flags: 'r' | 'r+' | 'w+') {
    this.#path = path;
    this.#fd = trying(flags === 'w+' ? 'cannot write' : 'cannot read', path, () => openSync(path, flags));
  }

  size(): number {
    return trying('cannot read', this.#path, () => fstatSync(this.#fd).size);
  }

  read(into: Uint8Array, at: number): number {
    return trying('cannot read', this.#path, () => readSync(this.#fd, into, 0, into.length, at));
  }

  write(bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length;) {
      done += trying('cannot write', this.#path, () =>
        writeSync(this.#fd, bytes, done, bytes.length - done, at + done),
      );
    }
  }

  async sync(): Promise<void> {
    try {
      await datasync(this.#fd);
    } catch (error) {
      throw inputError('cannot write', { file: this.#path, got: (error as Error).message });
    }
  }

  truncate(size: number): void {
    trying('cannot write', this.#path, () => ftruncateSync(this.#fd, size));
  }

  close(): void {
    trying('cannot close', this.#path, () => closeSync(this.#fd));
  }
}

/** A packed segment, unzipped in memory. */
class PackedFile implements SegmentFile {
  readonly #path: string;
  readonly #bytes: Uint8Array;

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    this.#bytes = bytes;
  }

  size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, at: number): number {
    const bytes = this.#bytes.subarray(at, at + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(): never {
    throw this.#refused();
  }

  sync(): void {
    // It is not written.
  }

  truncate(): never {
    throw this.#refused();
  }

  close(): void {
    // Its memory goes with it.
  }

  #refused(): Error {
    return inputError('a packed log is only read', {
      file: this.#path,
      expected: 'the file unzipped',
      hint: `gunzip ${this.#path}`,
    });
  }
}

/** What was kept before stays: another name is taken. */
function keepBeside(path: string, at: number, bytes: Uint8Array): string {
  let kept = `${path}.cut-${at}`;
  for (let n = 2; existsSync(kept); n++) kept = `${path}.cut-${at}-${n}`;
  trying('cannot write', kept, () => writeFileSync(kept, bytes, { flag: 'wx', flush: true }));
  syncFolder(dirname(path));
  return kept;
}

function syncFolder(folder: string): void {
  const fd = trying('cannot read', folder, () => openSync(folder, 'r'));
  try {
    trying('cannot write', folder, () => fsyncSync(fd));
  } finally {
    closeSync(fd);
  }
}

function trying<T>(what: string, file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw inputError(what, { file, got: code === 'ENOENT' ? 'no such file' : message });
  }
}
