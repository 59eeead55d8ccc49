import { Worker } from 'node:worker_threads';

/** Workers of stress rounds, which live from round to round: to start one takes longer than many a round. */
export class StressWorkers {
  readonly #module: URL;
  readonly #workers = new Map<number, Worker>();

  /** @param module that the workers run; default the one beside this */
  constructor(module = new URL('./stress_worker.js', import.meta.url)) {
    this.#module = module;
  }

  /** The worker of a thread, which is in no round; a fresh one where the last has died. */
  take(thread: number): Worker {
    const found = this.#workers.get(thread);
    if (found !== undefined) return found;
    const worker = new Worker(this.#module);
    worker.once('exit', () => {
      if (this.#workers.get(thread) === worker) this.#workers.delete(thread);
    });
    // Who has it in a round is told, too; between rounds nobody else would be.
    worker.on('error', () => undefined);
    this.#workers.set(thread, worker);
    return worker;
  }

  /** Kills the worker of a thread, wherever it is; the next round has a fresh one. */
  kill(thread: number): void {
    void this.#workers.get(thread)?.terminate();
    this.#workers.delete(thread);
  }

  /** Ends them all. */
  async end(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()));
  }
}
