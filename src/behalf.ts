import { Clock, COMM_COLUMNS, Operation } from '../events/index.js';
import type { ModelPort } from './model_port.js';

/** On whose behalf an operation runs, and when and where it began: what the log says of it in `task` and `origin`. */
export interface Behalf {
  readonly pid: number;
  /** Name of the task in the columns of `commOf`; all 0 where nobody knows whose it is. */
  readonly comm: readonly number[];
  /** What `time` counts (`Clock`); `Clock.none` where nobody knows when it began. */
  readonly clock: number;
  /** Below 2^53. */
  readonly time: number;
  /** The kernel function around it (`Operation`), which is no operation of the log, and the line of that; 0 for none. */
  readonly around: number;
  readonly aroundLine: number;
}

const NO_COMM: readonly number[] = new Array<number>(COMM_COLUMNS).fill(0);

/** Of an operation of which nothing is known. */
export const NOBODY: Behalf = {
  pid: 0,
  comm: NO_COMM,
  clock: Clock.none,
  time: 0,
  around: Operation.none,
  aroundLine: 0,
};

/**
 * The task that the log has for each CPU: an operation belongs to the last one told of there. Events can be taken back, and
 * with a `task` what stands before it is the last again: that is not remembered, but told anew.
 */
export class ToldTasks {
  readonly #pids: Int32Array;
  /** Undefined where it is not known what the log says. */
  readonly #comms: (readonly number[] | undefined)[];

  /** Of a log that has not told of any task. */
  constructor(cpus: number) {
    this.#pids = new Int32Array(cpus);
    this.#comms = Array.from({ length: cpus }, () => NO_COMM);
  }

  /** The log is told, through the port of its CPU, on whose behalf the operation is that begins next. */
  say(port: ModelPort, { pid, comm, clock, time, around, aroundLine }: Behalf): void {
    const { cpu } = port;
    const told = this.#comms[cpu];
    if (told === undefined || this.#pids[cpu] !== pid || !isSame(told, comm)) {
      this.#pids[cpu] = pid;
      this.#comms[cpu] = comm;
      port.task(pid, comm);
    }
    if (clock !== Clock.none || around !== Operation.none) port.origin(clock, time, around, aroundLine);
  }

  /** A `task` of the CPU was taken back. */
  forget(cpu: number): void {
    this.#comms[cpu] = undefined;
  }
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]);
}
