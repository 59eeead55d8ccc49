import { closeSync, openSync, readSync } from 'node:fs';
import { eventFormatOf, type CheckedBytes } from '../events/index.js';
import { logStorage, readAhead } from '../node/index.js';
import { isFolder, readPieces } from './input.js';

/** What is smaller is read and checked before another thread has started. */
const AHEAD_BYTES = 1 << 23;
/** Enough to tell a binary log by. */
const MAGIC_BYTES = 256;

/**
 * The bytes of a log to replay, piece by piece; of a large binary one another thread reads and checks them ahead, the chain
 * too where that is asked for, and `checked` says how far it has come.
 *
 * @throws {P2mError} from the iterator, where the log cannot be read
 */
export function logPieces(path: string, chain: boolean, checked: CheckedBytes): AsyncIterable<Uint8Array> {
  return isLarge(path) ? readAhead(path, chain, checked) : readPieces(path);
}

/** Whether the path is that of a large binary log, in a file that is no gzip or in a folder; what cannot be read is not. */
function isLarge(path: string): boolean {
  if (path === '-') return false;
  try {
    const storage = logStorage(path);
    let bytes = 0;
    for (const name of storage.list()) {
      if (!isFolder(path) && !isPlainLog(path)) return false;
      const file = storage.open(name);
      bytes += file.size();
      file.close();
      if (bytes >= AHEAD_BYTES) return true;
    }
  } catch {
    // Whoever reads it says why.
  }
  return false;
}

function isPlainLog(path: string): boolean {
  const beginning = new Uint8Array(MAGIC_BYTES);
  const fd = openSync(path, 'r');
  try {
    return eventFormatOf(beginning.subarray(0, readSync(fd, beginning))) === 'p2mlog';
  } finally {
    closeSync(fd);
  }
}
