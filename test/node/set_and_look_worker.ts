/** A thread that sets and looks up pfns of a window at random, by seed: what `StressRound` needs a worker for. */
import { parentPort } from 'node:worker_threads';
import { mfnWord, Operation } from '../../events/index.js';
import { Random } from '../../replay/explore/random.js';
import { StressThread, type StressTask, type ThreadOperations } from '../../replay/stress/stress_thread.js';

/** What it is told. */
export interface SetAndLookJob {
  readonly task: StressTask;
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly seed: number;
  /** Ends with an error after so many operations. */
  readonly failAfter?: number;
}

class SetAndLook implements ThreadOperations {
  operation: number = Operation.set_phys_to_machine;
  pfn = 0;
  value = 0;
  readonly count = 0;
  readonly slotPfn = new Int32Array(0);
  readonly slotMfn = new Int32Array(0);
  readonly #job: SetAndLookJob;
  readonly #random: Random;
  #n = 0;

  constructor(job: SetAndLookJob) {
    this.#job = job;
    this.#random = new Random(job.seed);
  }

  next(): boolean {
    const { task, pfnStart, pfnEnd, failAfter } = this.#job;
    if (this.#n++ === failAfter) throw new Error('as it was told to');
    this.pfn = pfnStart + this.#random.below(pfnEnd - pfnStart);
    this.operation = this.#random.below(2) === 0 ? Operation.__pfn_to_mfn : Operation.set_phys_to_machine;
    this.value = mfnWord(100_000 + this.#n * task.shared.rings.length + task.thread);
    return true;
  }
}

parentPort?.on('message', (job: SetAndLookJob) => {
  parentPort?.postMessage(new StressThread(job.task, new SetAndLook(job)).run());
});
