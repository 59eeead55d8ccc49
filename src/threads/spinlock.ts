import { assert, P2mError } from '../../events/index.js';

/**
 * The engine's lock between threads: it makes the change of memory and its record one act, so that the order of the log is the
 * order of memory. Not to be confused with p2m_update_lock, which belongs to the model.
 *
 *     word 0  owner    thread + 1; 0 free
 *     word 1  waiting  threads that sleep, or are about to
 *
 * A thread tries, and between tries leaves the lock's cache line alone for twice as long each time: the lock is held for some
 * tens of ns, and whoever holds it should not have to fight for the line. Then it sleeps. A sleeper looks again by itself every
 * so often, so nobody hangs on a wake-up that was lost with its thread, and gives up in the end.
 */
export const SPINLOCK_WORDS = 2;

const OWNER = 0;
const WAITING = 1;
/** Tries before a thread sleeps. */
const TRIES = 64;
/** Turns of the loop between two tries: at first, and at most (some microseconds). */
const PAUSE_MIN = 16;
const PAUSE_MAX = 2048;
/** A sleeper looks again after so long, and gives up after so many times: half a minute. */
const SLEEP_MS = 5;
const SLEEPS_MAX = 6000;

/** One thread's handle of the lock. */
export class Spinlock {
  readonly #words: Int32Array;
  readonly #me: number;
  /** What pausing counts, so that the compiler cannot leave it out. */
  #turns = 0;

  /**
   * @param words  SPINLOCK_WORDS words of shared memory, 0 at first
   * @param thread number of this thread, from 0: no two that live at once have the same
   */
  constructor(words: Int32Array, thread: number) {
    assert(words.length === SPINLOCK_WORDS && thread >= 0, 'a spinlock has two words, a thread a number');
    this.#words = words;
    this.#me = thread + 1;
  }

  /** Takes the lock. Not re-entrant. @throws P2mError `stuck` when another thread keeps it for half a minute */
  acquire(): void {
    if (Atomics.compareExchange(this.#words, OWNER, 0, this.#me) !== 0) this.#contend();
  }

  /** Gives it back. */
  release(): void {
    const words = this.#words;
    const owner = Atomics.exchange(words, OWNER, 0);
    if (owner !== this.#me) assert(false, `thread ${this.#me - 1} gives back a lock that thread ${owner - 1} holds`);
    if (words[WAITING]! > 0) Atomics.notify(words, OWNER, 1);
  }

  #contend(): void {
    const words = this.#words;
    let pause = PAUSE_MIN;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      for (let turn = 0; turn < pause; turn++) this.#turns = (this.#turns + turn) | 0;
      if (pause < PAUSE_MAX) pause *= 2;
      if (Atomics.compareExchange(words, OWNER, 0, this.#me) === 0) return;
    }
    this.#sleep();
  }

  #sleep(): void {
    const words = this.#words;
    assert(Atomics.load(words, OWNER) !== this.#me, 'a thread takes a lock that it holds');
    Atomics.add(words, WAITING, 1);
    let owner = Atomics.compareExchange(words, OWNER, 0, this.#me);
    for (let sleeps = 0; owner !== 0 && sleeps < SLEEPS_MAX; sleeps++) {
      Atomics.wait(words, OWNER, owner, SLEEP_MS);
      owner = Atomics.compareExchange(words, OWNER, 0, this.#me);
    }
    Atomics.sub(words, WAITING, 1);
    if (owner !== 0) throw stuck(owner - 1);
  }
}

/** The thread that holds the lock; -1: nobody. */
export function ownerOf(words: Int32Array): number {
  return Atomics.load(words, OWNER) - 1;
}

/**
 * Takes the lock away from a thread that has died with it, for whoever asks: `thread` holds it then, and looks at what the dead
 * one was in the middle of. False: the dead one did not hold it.
 */
export function inherit(words: Int32Array, dead: number, thread: number): boolean {
  return Atomics.compareExchange(words, OWNER, dead + 1, thread + 1) === dead + 1;
}

function stuck(owner: number): P2mError {
  return new P2mError('stuck', 'the engine has been locked for half a minute', {
    got: `thread ${owner} holds its lock`,
    hint: 'the thread was stopped in the middle; whoever started it has not recovered its lock',
  });
}
