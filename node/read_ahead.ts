import { Worker } from 'node:worker_threads';
import { inputError, type CheckedBytes } from '../events/index.js';
import { PIECES, PIECE_BYTES, type ReadAheadTask, type ReadPiece } from './read_ahead_task.js';

/**
 * The bytes of a binary log, a file or a folder of segments, piece by piece. Another thread reads them ahead, and checks
 * the checksums of what it has read, or the chain too. It judges nothing: where something is wrong it merely stops to
 * check, and whoever reads the pieces finds the fault and tells it.
 *
 * A piece is the memory of another once the next but one is asked for.
 *
 * @param checked is set to what was checked of the pieces that were yielded
 * @param module  that the thread runs; default the one beside this
 * @throws {P2mError} from the iterator, where the log cannot be read
 */
export async function* readAhead(
  path: string,
  chain: boolean,
  checked: CheckedBytes,
  module = new URL('./read_ahead_worker.js', import.meta.url),
): AsyncGenerator<Uint8Array, void, undefined> {
  const task: ReadAheadTask = {
    path,
    chain,
    pieces: new SharedArrayBuffer(PIECES * PIECE_BYTES),
    done: new Int32Array(new SharedArrayBuffer(4)),
  };
  const worker = new Worker(module, { workerData: task });
  const read: ReadPiece[] = [];
  let wake = (): void => undefined;
  const take = (piece: ReadPiece): void => {
    read.push(piece);
    wake();
  };
  const fail = (failed: string): void => take({ bytes: 0, checkedTo: 0, failed });
  worker.on('message', take);
  worker.on('error', (error: Error) => fail(error.message));
  worker.on('exit', () => fail('the thread that reads ahead has ended'));
  try {
    for (let n = 0; ; n++) {
      if (n >= 2) {
        Atomics.store(task.done, 0, n - 1);
        Atomics.notify(task.done, 0);
      }
      if (read.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const piece = read.shift()!;
      if (piece.failed !== '') throw inputError(`cannot read: ${piece.failed}`, { file: path });
      if (piece.bytes === 0) return;
      checked.to = piece.checkedTo;
      yield new Uint8Array(task.pieces, (n % PIECES) * PIECE_BYTES, piece.bytes);
    }
  } finally {
    await worker.terminate();
  }
}
