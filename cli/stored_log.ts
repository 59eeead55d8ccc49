import { closeSync, openSync, readSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { eventFormatOf, readBatchLog, usageError, type StoredLog } from '../events/index.js';
import { isLogFolder, openSegmentedLog } from '../node/index.js';
import { openLog } from '../replay/index.js';
import { isFolder, readPieces } from './input.js';
import type { LogOptions } from './log_options.js';
import { replayFolder, replayPieces } from './replayed_log.js';

export { addLogOptions, type LogOptions } from './log_options.js';

/** Enough to tell a binary log by. */
const MAGIC_BYTES = 256;

/**
 * The log that questions are asked of: an event log, plain or gzip, in a file, a folder of segments or stdin (`-`); or what
 * the replay of a recording makes of it, a kernel's log or the folder of one. Notes on stderr say that it was replayed.
 *
 * A binary log that is a file or folder is read at any place as it is asked (what is gzip is unzipped in memory); others are
 * held in memory.
 * @throws {P2mError} it cannot be read, or the options do not fit it
 */
export async function openStoredLog(path: string, options: LogOptions = {}): Promise<StoredLog> {
  if (path !== '-' && isFolder(path)) {
    if (!isLogFolder(path)) return replayFolder(path, options);
    return notReplayed(path, options, openSegmentedLog);
  }
  if (path !== '-' && isBinaryLog(path)) return notReplayed(path, options, openSegmentedLog);
  const { format, pieces } = await openLog(readPieces(path), path === '-' ? 'stdin' : path);
  if (format !== 'jsonl' && format !== 'p2mlog') return replayPieces(path, pieces, options);
  return notReplayed(path, options, (name) => readBatchLog(pieces, name === '-' ? 'stdin' : name));
}

function notReplayed<T>(path: string, { init, initPt, kernel, step }: LogOptions, open: (path: string) => T): T {
  const given = Object.entries({ init, 'init-pt': initPt, kernel, step }).find(([, value]) => value !== undefined);
  if (given === undefined) return open(path);
  throw usageError('an event log is asked as it is, not replayed', {
    got: `--${given[0]} ${given[1]}`,
    expected: `a recording; ${path} is none`,
  });
}

/** Whether the path is that of a binary log, a file, gzip or not, or a folder of segments. */
export function isStoredAsIs(path: string): boolean {
  return isFolder(path) ? isLogFolder(path) : isBinaryLog(path);
}

/** Whether the file, gzip or not, begins as a binary log does; whoever reads it says why where it cannot be read. */
function isBinaryLog(path: string): boolean {
  const beginning = new Uint8Array(MAGIC_BYTES);
  try {
    const fd = openSync(path, 'r');
    try {
      return eventFormatOf(unzippedBeginning(beginning.subarray(0, readSync(fd, beginning)))) === 'p2mlog';
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function unzippedBeginning(bytes: Uint8Array): Uint8Array {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // There is more of it than we have read: what can be unzipped so far is enough.
  return isGzip ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes;
}
