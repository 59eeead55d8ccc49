import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { IndexStore } from '../replay/index.js';
import { isLogFolder } from './log_storage.js';

const SUFFIX = '.p2mindex';

/** The folder of the index of the log at `path`: `LOG.index` beside a file, `index` inside a folder of segments. */
export function indexFolderOf(path: string): string {
  return isLogFolder(path) ? join(path, 'index') : `${path}.index`;
}

/** Keeps an index in a folder, which is made with the first file. Files are renamed into place, so none is seen half. */
export class IndexFolder implements IndexStore {
  readonly name: string;

  /** @param folder need not be there */
  constructor(folder: string) {
    this.name = folder;
  }

  list(): string[] {
    return existsSync(this.name) ? readdirSync(this.name).filter((name) => name.endsWith(SUFFIX)) : [];
  }

  size(name: string): number {
    return statSync(join(this.name, name), { throwIfNoEntry: false })?.size ?? -1;
  }

  read(name: string, into: Uint8Array, at: number): number {
    let fd: number;
    try {
      fd = openSync(join(this.name, name), 'r');
    } catch {
      return 0;
    }
    try {
      let have = 0;
      while (have < into.length) {
        const count = readSync(fd, into, have, into.length - have, at + have);
        if (count === 0) break;
        have += count;
      }
      return have;
    } finally {
      closeSync(fd);
    }
  }

  write(name: string, parts: readonly Uint8Array[]): void {
    mkdirSync(this.name, { recursive: true });
    // Two processes may build the same index at once: each writes files of its own.
    const temporary = join(this.name, `${name}.${process.pid}.tmp`);
    const fd = openSync(temporary, 'w');
    try {
      for (const part of parts) for (let done = 0; done < part.length;) done += writeSync(fd, part, done);
      renameSync(temporary, join(this.name, name));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  remove(name: string): void {
    rmSync(join(this.name, name), { force: true });
  }
}
