import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { EventBatch, mfnWord } from '../events/index.js';
import { joinDomain, RingMerge, Spinlock, type SharedDomain } from '../src/index.js';

/** What a contestant and its threads say to each other. */
export const Signal = {
  /** Rises by one: odd, work; even, stop. A thread that was too slow to see one of them sees the next. */
  go: 0,
  /** Threads that work. */
  working: 1,
  /** Acts so far: sets, or lock pairs; wraps. */
  acts: 2,
  /** Rises when a thread is done with what `go` asked for. */
  done: 3,
} as const;

/** Words that a contestant shares with its threads. */
export const SIGNAL_WORDS = 4;

/** What a second thread is to do. */
export type SecondThread =
  | {
      readonly role: 'setter';
      readonly signals: Int32Array;
      readonly shared: SharedDomain;
      readonly pfns: number;
      readonly setsPerSecond: number;
    }
  | {
      readonly role: 'locker';
      readonly signals: Int32Array;
      readonly lock: Int32Array;
      /** Written by whoever has the lock, plainly. */
      readonly guarded: Int32Array;
      readonly thread: number;
      readonly pairs: number;
    };

/** Starts a thread of this process, `racer.js` once more, and waits until it is there. It ends with the process. */
export async function startThread(data: SecondThread): Promise<void> {
  const worker = new Worker(process.argv[1]!, { workerData: data });
  await once(worker, 'message');
}

/** What `racer.js` does as a worker thread: works when it is told, until the process ends. */
export function runSecondThread(): void {
  const data = workerData as SecondThread;
  const work = data.role === 'setter' ? setter(data) : locker(data);
  const { signals } = data;
  parentPort!.postMessage('ready');
  for (let seen = 0; ;) {
    const go = Atomics.load(signals, Signal.go);
    if (go === seen || go % 2 === 0) {
      Atomics.wait(signals, Signal.go, go);
      continue;
    }
    seen = go;
    Atomics.add(signals, Signal.working, 1);
    Atomics.notify(signals, Signal.working);
    work(() => Atomics.load(signals, Signal.go) === go);
    Atomics.sub(signals, Signal.working, 1);
    Atomics.add(signals, Signal.done, 1);
    Atomics.notify(signals, Signal.done);
  }
}

const BURST = 256;
/** Odd, so that it reaches every pfn below a power of two, in an order that is not theirs. */
const STRIDE = 40_503;

/** `set_phys_to_machine` at a steady rate as CPU 1, each event under the engine's lock; what it records it takes out itself. */
function setter({
  shared,
  signals,
  pfns,
  setsPerSecond,
}: SecondThread & { role: 'setter' }): (isOn: () => boolean) => void {
  const { domain } = joinDomain(shared, 1);
  const merge = new RingMerge(
    new Int32Array(shared.control),
    shared.rings.map((rows) => new Int32Array(rows)),
  );
  const events = new EventBatch(8 * BURST);
  const { setPhysToMachine } = domain.machines;
  const cpu = domain.cpus[1]!;
  let sets = 0;
  return (isOn) => {
    const began = performance.now();
    for (let done = 0; isOn(); done += BURST) {
      for (let i = 0; i < BURST; i++, sets++) {
        const pfn = Math.imul(sets, STRIDE) & (pfns - 1);
        domain.begin('set_phys_to_machine', setPhysToMachine, pfn, mfnWord(sets & 0xfff_ffff), 0, 1);
        cpu.run();
        domain.close('set_phys_to_machine', 1, cpu);
      }
      while (merge.drain(events, 8 * BURST) > 0) events.clear();
      Atomics.add(signals, Signal.acts, BURST);
      while (isOn() && (performance.now() - began) * setsPerSecond < done * 1e3);
    }
  };
}

/** Takes the engine's lock and gives it back, again and again. */
function locker({ lock, guarded, thread, pairs }: SecondThread & { role: 'locker' }): () => void {
  const spinlock = new Spinlock(lock, thread);
  return () => {
    for (let i = 0; i < pairs; i++) {
      spinlock.acquire();
      guarded[0] = guarded[0]! + 1;
      spinlock.release();
    }
  };
}
