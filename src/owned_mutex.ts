import { Mutex } from 'async-mutex';
import { assert, P2mError } from '../events/index.js';

/** More callers than this at once wait for nothing good. */
const QUEUE_MAX = 10_000;

/**
 * The engine's lock between asynchronous callers of one process: first come, first served, one owner, a bounded queue.
 * Not to be confused with the modelled p2m_update_lock, which is always taken outside of it.
 *
 * async-mutex does the queueing; what it does not say is who owns the lock, and it forgives a second release.
 */
export class OwnedMutex {
  readonly #mutex = new Mutex();
  readonly #queueMax: number;
  #owner: string | undefined;
  #waiting = 0;

  constructor(queueMax = QUEUE_MAX) {
    this.#queueMax = queueMax;
  }

  /** Who holds the lock; undefined when nobody does. */
  get owner(): string | undefined {
    return this.#owner;
  }

  /** Callers that wait for it. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param besides callers that wait for it in another way
   * @throws P2mError when no caller more may wait
   */
  checkRoom(besides = 0): void {
    const waiting = this.#waiting + besides;
    if (waiting < this.#queueMax) return;
    throw new P2mError('capacity', 'too many callers wait for the engine', {
      got: `${waiting} callers, ${this.#owner ?? 'nobody'} has the lock`,
      expected: `at most ${this.#queueMax}`,
    });
  }

  /**
   * Runs `work` with the lock held by `owner`, and gives it back however `work` ends. Not re-entrant: `work` that waits
   * for this mutex waits for ever.
   * @throws P2mError when the queue is full: nothing has run
   */
  async run<T>(owner: string, work: () => Promise<T>): Promise<T> {
    this.checkRoom();
    return this.runLast(owner, work);
  }

  /** As `run`, however many wait: what ends their waiting must not be refused. */
  async runLast<T>(owner: string, work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const release = await this.#mutex.acquire();
    this.#waiting--;
    assert(this.#owner === undefined, `${owner} got the lock that ${this.#owner ?? ''} holds`);
    this.#owner = owner;
    try {
      return await work();
    } finally {
      this.#owner = undefined;
      release();
    }
  }
}
