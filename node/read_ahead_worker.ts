import { parentPort, workerData } from 'node:worker_threads';
import { LogReader } from '../events/index.js';
import { logStorage } from './log_storage.js';
import { PIECES, PIECE_BYTES, type ReadAheadTask, type ReadPiece } from './read_ahead_task.js';

// The thread of `readAhead`: reads a log piece by piece, as far ahead as there is room, and checks what it has read.
const { path, chain, pieces, done } = workerData as ReadAheadTask;
const tell = (piece: ReadPiece): void => parentPort!.postMessage(piece);
let checkedTo = 0;
try {
  const check = checker();
  let n = 0;
  const storage = logStorage(path);
  for (const name of storage.list()) {
    const file = storage.open(name);
    try {
      for (let at = 0; ; n++) {
        waitForRoom(n);
        const piece = new Uint8Array(pieces, (n % PIECES) * PIECE_BYTES, PIECE_BYTES);
        const bytes = file.read(piece, at);
        if (bytes === 0) break;
        at += bytes;
        check(piece.subarray(0, bytes));
        tell({ bytes, checkedTo, failed: '' });
      }
    } finally {
      file.close();
    }
  }
  tell({ bytes: 0, checkedTo, failed: '' });
} catch (error) {
  tell({ bytes: 0, checkedTo, failed: (error as Error).message });
}

/** Waits until the memory of piece `n` is free. */
function waitForRoom(n: number): void {
  for (let free = Atomics.load(done, 0); n - free >= PIECES; free = Atomics.load(done, 0)) Atomics.wait(done, 0, free);
}

/** Checks the pieces one after the other, up to the first fault. */
function checker(): (piece: Uint8Array) => void {
  const reader = new LogReader({ onHeader: () => undefined, onEvents: () => undefined }, path, {
    chain,
    checksOnly: true,
  });
  let isRight = true;
  return (piece) => {
    if (!isRight) return;
    try {
      reader.push(piece);
    } catch {
      isRight = false;
    }
    checkedTo = reader.read;
  };
}
