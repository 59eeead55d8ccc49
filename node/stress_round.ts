import { setImmediate, setTimeout } from 'node:timers/promises';
import { assert, EventBatch } from '../events/index.js';
import type { ThreadEnd } from '../replay/index.js';
import {
  Control,
  memoryOf,
  recover,
  RingMerge,
  Stop,
  ThreadWord,
  threadWords,
  type Recovered,
  type SharedDomain,
} from '../src/index.js';
import type { StressWorkers } from './stress_workers.js';

/** Most events that are drained at once. */
const DRAIN_MAX = 1 << 16;
/** Nothing is ready: whoever drains looks again after so long. */
const IDLE_MS = 1;
/** Threads that were asked to stop and do not are killed after so long. */
const PATIENCE_MS = 75_000;

/** Where a round's events go, in the order of memory. */
export interface RoundLog {
  /** Row 0 is event `seq`. The batch is valid until it is done. */
  append(batch: EventBatch, seq: number): void | Promise<void>;
}

/** What a round of real threads is made of. */
export interface StressRoundOptions {
  readonly shared: SharedDomain;
  /** What the worker of each thread is told, by its number: a message. */
  readonly jobs: readonly object[];
  readonly log: RoundLog;
  /** Number of the first event of the threads: those before are the boot's. */
  readonly seq: number;
  /** Threads are asked to stop after so long; without it they end by themselves. */
  readonly ms?: number;
  /** Threads that are killed in the middle of what they do, and when. */
  readonly kills?: readonly { readonly thread: number; readonly ms: number }[];
  readonly workers: StressWorkers;
}

/** How a thread ended that did not end by itself. */
export interface KilledEnd {
  readonly kind: 'killed' | 'failed';
  readonly operations: number;
  readonly what: string;
}

/** How a thread ended: by itself, or killed, or by an error that nobody expected. */
export type ThreadFate = (ThreadEnd | KilledEnd) & {
  /** What it left in the middle, where it did. */
  readonly recovered: Recovered;
};

/** How a round ended. */
export interface StressRoundEnd {
  readonly threads: readonly ThreadFate[];
  /** Events of the threads that the log took. */
  readonly events: number;
  /** Operations that ended. */
  readonly operations: number;
  readonly ms: number;
  /** Why the log takes no more, where it does not: events behind the last that it took are lost, and nobody was told of them. */
  readonly logFailure: unknown;
}

/** A round while it runs: threads of their own beside the one that drains their rings into the log. */
export class StressRound {
  readonly #options: StressRoundOptions;
  readonly #control: Int32Array;
  readonly #merge: RingMerge;
  readonly #fates: (ThreadFate | undefined)[] = [];
  #running = 0;
  /** Events that the log took. */
  #kept = 0;
  #logFailure: unknown;

  constructor(options: StressRoundOptions) {
    const { shared } = options;
    assert(options.jobs.length === shared.rings.length, 'a round has a job for each thread');
    this.#options = options;
    this.#control = new Int32Array(shared.control);
    this.#merge = new RingMerge(
      this.#control,
      shared.rings.map((ring) => new Int32Array(ring)),
    );
  }

  /** Operations that have ended so far. */
  get operations(): number {
    return this.#options.jobs.reduce((sum, _, thread) => sum + this.#operationsOf(thread), 0);
  }

  /** Events that the log has so far. */
  get events(): number {
    return this.#kept;
  }

  /** Asks the threads to stop: each ends the operation in hand. */
  stop(): void {
    this.#say(Stop.ask);
  }

  /** Runs the round. May be asked once. */
  async run(): Promise<StressRoundEnd> {
    const { jobs, ms, workers, kills = [] } = this.#options;
    const ended = new AbortController();
    const at = (delay: number, act: () => void): void => {
      setTimeout(delay, undefined, { signal: ended.signal }).then(act, () => undefined);
    };
    jobs.forEach((job, thread) => this.#start(job, thread));
    while (this.#running > 0 && Atomics.load(this.#control, Control.ready) < this.#running) await setTimeout(IDLE_MS);
    const started = performance.now();
    Atomics.store(this.#control, Control.go, 1);
    Atomics.notify(this.#control, Control.go);
    if (ms !== undefined) {
      at(ms, () => this.stop());
      at(ms + PATIENCE_MS, () => jobs.forEach((_, thread) => workers.kill(thread)));
    }
    for (const { thread, ms } of kills) at(ms, () => workers.kill(thread));
    await this.#drain();
    ended.abort();
    const threads = this.#fates.map((fate) => fate!);
    return {
      threads,
      events: this.events,
      operations: threads.reduce((sum, { operations }) => sum + operations, 0),
      ms: performance.now() - started,
      logFailure: this.#logFailure,
    };
  }

  #start(job: object, thread: number): void {
    const worker = this.#options.workers.take(thread);
    let failure: Error | undefined;
    const onError = (error: Error): unknown => (failure = error);
    const onEnd = (end: ThreadEnd): void => {
      worker.off('error', onError).off('exit', onExit);
      this.#ended(thread, end);
    };
    const onExit = (): void => {
      worker.off('message', onEnd);
      const what = failure?.message ?? 'killed';
      const kind = failure === undefined ? 'killed' : 'failed';
      this.#ended(thread, { kind, operations: this.#operationsOf(thread), what });
    };
    this.#running++;
    worker.once('message', onEnd).once('error', onError).once('exit', onExit).postMessage(job);
  }

  #ended(thread: number, end: ThreadEnd | KilledEnd): void {
    this.#fates[thread] = { ...end, recovered: this.#recover(thread) };
    this.#running--;
  }

  #recover(thread: number): Recovered {
    const { shared } = this.#options;
    const rows = new Int32Array(shared.rings[thread]!);
    return recover({ memory: memoryOf(shared), control: this.#control, rows, thread }, shared.rings.length);
  }

  async #drain(): Promise<void> {
    const batch = new EventBatch(DRAIN_MAX);
    for (;;) {
      // Asked before the rings are looked at: what a thread published before it ended is found.
      const isLast = this.#running === 0;
      const seq = this.#options.seq + this.#merge.events;
      if (this.#merge.drain(batch, DRAIN_MAX) > 0) {
        await this.#append(batch, seq);
        batch.clear();
        await setImmediate();
      } else if (isLast) {
        assert(
          this.#logFailure !== undefined || this.#merge.isDrained,
          'events of threads that have ended are missing',
        );
        return;
      } else await setTimeout(IDLE_MS);
    }
  }

  /** Where the log takes no more the threads end, and what they still do is taken out and thrown away. */
  async #append(batch: EventBatch, seq: number): Promise<void> {
    if (this.#logFailure !== undefined) return;
    try {
      await this.#options.log.append(batch, seq);
      this.#kept += batch.length;
    } catch (error) {
      this.#logFailure = error;
      this.#say(Stop.ask);
    }
  }

  #say(stop: number): void {
    Atomics.store(this.#control, Control.stop, stop);
    Atomics.notify(this.#control, Control.stop);
  }

  #operationsOf(thread: number): number {
    return Atomics.load(this.#control, threadWords(thread) + ThreadWord.done);
  }
}
