import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { boundLookUp, shareDomain, SPINLOCK_WORDS } from '../../src/index.js';
import { CannotRun, type Setting, type Work } from '../contest.js';
import { Signal, SIGNAL_WORDS, startThread } from '../second_thread.js';
import { bootedDomain } from './domains.js';
import { boundSumEach, pfnSequence, warmLookUps } from './look_up.js';

const THREADS = 2;
const SETS_PER_SECOND = 1e6;
/** Of the rate that is asked for. */
const RATE_MIN = 0.9;
const PASSES = 32;
/** On a busy machine the other thread may have had no CPU: then a run does not count. */
const ATTEMPTS = 8;

/**
 * Look-ups at random in one thread, of a list that another may be setting at 1 M sets/s through its port, where it says so. Time is
 * that of the thread that looks up.
 */
export async function lookUpsBeside(others: 'quiet' | 'setting', { tiny }: Setting): Promise<Work> {
  const entries = 2 ** (tiny ? 12 : 20);
  const passes = tiny ? 1 : PASSES;
  const domain = bootedDomain({ nrPages: entries, memory: 'flat', cpus: THREADS });
  const look = boundLookUp(domain.memory);
  const pfns = pfnSequence(entries, entries);
  warmLookUps(look, entries);
  const signals = new Int32Array(new SharedArrayBuffer(4 * SIGNAL_WORDS));
  const shared = shareDomain(domain);
  await startThread({ role: 'setter', signals, shared, pfns: entries, setsPerSecond: SETS_PER_SECOND });
  return {
    prepare() {
      if (others === 'setting') begin(signals, 1);
    },
    run() {
      let perSecond = 0;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const [acts, clock, thread] = [signals[Signal.acts]!, performance.now(), threadNs()];
        let check = 0;
        // A function of its own, as in the other look-ups: what V8 makes of it does not hang on what stands around it.
        for (let pass = 0; pass < passes; pass++) check |= boundSumEach(look, pfns);
        const ns = Math.max(1, threadNs() - thread);
        const seconds = (performance.now() - clock) / 1e3;
        perSecond = ((Atomics.load(signals, Signal.acts) - acts) | 0) / seconds;
        if (others === 'quiet' || tiny || perSecond >= RATE_MIN * SETS_PER_SECOND) {
          return { count: pfns.length * passes, check: check === 0 ? 0 : 1, threadNs: ns };
        }
      }
      throw new CannotRun(`the other thread makes ${(perSecond / 1e6).toFixed(2)} M sets/s here, not 1`);
    },
    settle() {
      if (others === 'setting') end(signals, 1);
    },
  };
}

/** Two threads take the engine's lock and give it back, both as fast as they can. */
export async function lockPairs({ tiny }: Setting): Promise<Work> {
  const pairs = tiny ? 1000 : 1_000_000;
  const signals = new Int32Array(new SharedArrayBuffer(4 * SIGNAL_WORDS));
  const lock = new Int32Array(new SharedArrayBuffer(4 * SPINLOCK_WORDS));
  const guarded = new Int32Array(new SharedArrayBuffer(4));
  for (let thread = 0; thread < THREADS; thread++) {
    await startThread({ role: 'locker', signals, lock, guarded, thread, pairs });
  }
  let expected = 0;
  return {
    run() {
      const done = signals[Signal.done]!;
      begin(signals, 0);
      for (let now = done; now !== done + THREADS; now = Atomics.load(signals, Signal.done)) {
        Atomics.wait(signals, Signal.done, now);
      }
      expected += THREADS * pairs;
      if (guarded[0] !== expected) throw new Error(`two threads had the lock at once: ${guarded[0]}, want ${expected}`);
      return { count: THREADS * pairs, check: 0 };
    },
    settle() {
      end(signals, 0);
    },
  };
}

/** Tells the threads to begin, and waits until so many do. */
function begin(signals: Int32Array, threads: number): void {
  Atomics.add(signals, Signal.go, 1);
  Atomics.notify(signals, Signal.go);
  for (let working = Atomics.load(signals, Signal.working); working < threads;) {
    Atomics.wait(signals, Signal.working, working);
    working = Atomics.load(signals, Signal.working);
  }
}

/** Tells them to end, and waits until they have. */
function end(signals: Int32Array, threads: number): void {
  const done = Atomics.load(signals, Signal.done);
  Atomics.add(signals, Signal.go, 1);
  Atomics.notify(signals, Signal.go);
  if (threads > 0) Atomics.wait(signals, Signal.done, done);
}

/** Processor time of this thread; the clock where the system does not say. */
function threadNs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
  } catch {
    return performance.now() * 1e6;
  }
}
