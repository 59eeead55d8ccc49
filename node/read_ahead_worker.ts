import { parentPort, workerData } from 'node:worker_threads';
import { LogReader } from '../events/index.js';
import { logStorage } from './log_storage.js';
import type { ReadAheadTask, ReadPiece } from './read_ahead_task.js';

// The thread of `readAhead`: fills each piece of memory that it is sent with what comes next in the log, checks it, and sends it back.
const { path, chain } = workerData as ReadAheadTask;
const reader = new LogReader({ onHeader: () => undefined, onEvents: () => undefined }, path, {
  chain,
  checksOnly: true,
});
const read = readerOf(path);
let isRight = true;

parentPort!.on('message', (memory: ArrayBuffer) => {
  try {
    const piece = new Uint8Array(memory);
    const bytes = read(piece);
    check(piece.subarray(0, bytes));
    const told: ReadPiece = { memory, bytes, checkedTo: reader.read, failed: '' };
    parentPort!.postMessage(told, [memory]);
  } catch (error) {
    const told: ReadPiece = { bytes: 0, checkedTo: 0, failed: (error as Error).message };
    parentPort!.postMessage(told);
  }
});

/** Checks what comes next, up to the first fault. */
function check(piece: Uint8Array): void {
  if (!isRight) return;
  try {
    reader.push(piece);
  } catch {
    isRight = false;
  }
}

/** Reads what comes next in the segments of a log; says how many bytes there were, 0 at the end. */
function readerOf(log: string): (into: Uint8Array) => number {
  const storage = logStorage(log);
  const names = storage.list();
  let file = names.length === 0 ? undefined : storage.open(names.shift()!);
  let at = 0;
  return (into) => {
    while (file !== undefined) {
      const bytes = file.read(into, at);
      at += bytes;
      if (bytes > 0) return bytes;
      file.close();
      const next = names.shift();
      file = next === undefined ? undefined : storage.open(next);
      at = 0;
    }
    return 0;
  };
}
