import { statSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const WIDTH = 30;
const EVERY_MS = 100;

/** A progress bar on stderr, where that is a terminal; elsewhere nothing. */
export class Progress {
  readonly #shown = process.stderr.isTTY;
  #last = 0;
  #drawn = false;

  /** The pieces of a file, told as they go by. */
  async *watch(pieces: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array, void, undefined> {
    if (!this.#shown) {
      yield* pieces;
      return;
    }
    const total = sizeOf(file);
    let bytes = 0;
    for await (const piece of pieces) {
      yield piece;
      bytes += piece.length;
      this.#draw(file, bytes, total);
    }
  }

  /** Wipes the bar. */
  end(): void {
    if (this.#drawn) process.stderr.write('\r\x1b[K');
    this.#drawn = false;
  }

  #draw(file: string, bytes: number, total: number): void {
    const now = performance.now();
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    this.#drawn = true;
    const done = total > 0 ? Math.min(1, bytes / total) : 0;
    const bar = total > 0 ? `[${'#'.repeat(Math.round(done * WIDTH)).padEnd(WIDTH)}] ${Math.round(done * 100)}%` : '';
    process.stderr.write(`\r\x1b[K${file} ${bar} ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  }
}

/** Bytes of a file; 0 where that cannot be told, as of a pipe. */
function sizeOf(file: string): number {
  try {
    return file === '-' ? 0 : statSync(file).size;
  } catch {
    return 0;
  }
}
