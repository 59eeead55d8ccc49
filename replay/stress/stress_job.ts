import { Chaos } from './chaos.js';
import { OperationStream } from './operation_stream.js';
import type { StressLayout } from './stress_layout.js';
import { StressThread, type StressTask, type ThreadEnd } from './stress_thread.js';
import type { Workload } from './workload.js';

/** All that a thread of a stress round is told: a message, for structured clone keeps what is shared one. */
export interface StressJob {
  readonly task: StressTask;
  readonly workload: Workload;
  readonly layout: StressLayout;
  /** Of the round: the same for all threads. */
  readonly seed: number;
  /** The frontier's word (`OperationStreamOptions`). */
  readonly tickets: Int32Array;
  /** Percent of the rows that a pause follows; 0 none. */
  readonly chaos: number;
}

/** Runs a thread's part of a round to its end, in the thread that asks. */
export function runStressJob({ task, workload, layout, seed, tickets, chaos }: StressJob): ThreadEnd {
  const { shared, thread } = task;
  const threads = shared.rings.length;
  const stream = new OperationStream({ workload, layout, thread, threads, seed, tickets });
  const pauses = chaos > 0 ? new Chaos(chaos, Math.imul(seed, 0x9e3779b1) + thread) : undefined;
  return new StressThread(task, stream, pauses).run();
}
