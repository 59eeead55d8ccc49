import { PROBES_END, type TraceLine } from '../trace/trace_line.js';
import { Mode, OpenCall } from './open_call.js';
import { isGrant, isGrantStep, isInnerStep, mayInterrupt, sameAs } from './probed_function.js';

/** The open calls of a task nest this deep at most; deeper is a log that has lost returns. */
const DEPTH_MAX = 64;

/** A task of the log: its open calls, outermost first, and its last line. */
export interface Task {
  readonly calls: OpenCall[];
  lastLine: number;
}

/**
 * Pairs the entry and return lines of each task: by pid, and for the idle tasks, which share pid 0, by CPU.
 *
 * A function without any return line in the log has no return probe. A call of it ends where its task does something
 * that is no step of it. A call of a function with a return probe that ends so has lost its return.
 */
export class TaskCalls {
  readonly #hasReturns: (event: number) => boolean;
  readonly #tasks = new Map<number, Task>();
  readonly #spare: OpenCall[] = [];
  /** Calls that ended without a return line, by entry event. */
  readonly #unreturned = new Uint32Array(PROBES_END);
  #orphans = 0;
  #returnable = 0;
  #lossLine = Infinity;

  /** @param hasReturns whether the log has a return line of the function, by its entry event */
  constructor(hasReturns: (event: number) => boolean) {
    this.#hasReturns = hasReturns;
  }

  /** The task of the line. */
  of(line: TraceLine): Task {
    const key = line.pid === 0 ? -1 - line.cpu : line.pid;
    let task = this.#tasks.get(key);
    if (task === undefined) this.#tasks.set(key, (task = { calls: [], lastLine: 0 }));
    return task;
  }

  /** Open calls whose return is awaited. */
  get returnable(): number {
    return this.#returnable;
  }

  /** The first line before which an entry or a return is missing; Infinity where none is known to be. */
  get lossLine(): number {
    return this.#lossLine;
  }

  /** Returns without an entry, and entries that have lost their return. */
  get lost(): number {
    let lost = this.#orphans;
    for (let event = 0; event < PROBES_END; event += 2) if (this.#hasReturns(event)) lost += this.#unreturned[event]!;
    return lost;
  }

  /** Calls of a function without a return probe. */
  unchecked(event: number): number {
    return this.#hasReturns(event) ? 0 : this.#unreturned[event]!;
  }

  /** Before the entry of `event`: ends the calls of the task that cannot be going on around it. */
  settle(task: Task, event: number): void {
    const { calls } = task;
    if (calls.length >= DEPTH_MAX) while (calls.length > 0) this.#abandon(task);
    for (let top = calls.at(-1); top !== undefined; top = calls.at(-1)) {
      if (this.#goesOn(calls, top, event)) return;
      this.#abandon(task);
    }
  }

  /** Opens a call. */
  open(task: Task, event: number, line: number): OpenCall {
    const call = this.#spare.pop() ?? new OpenCall();
    call.begin(event, line);
    task.calls.push(call);
    if (this.#hasReturns(event)) this.#returnable++;
    return call;
  }

  /** The innermost open call of the function, whose return line has come: those inside have ended. Undefined: none is open. */
  returned(task: Task, event: number, line: number): OpenCall | undefined {
    if (!task.calls.some((call) => call.event === event)) {
      this.#orphans++;
      this.#lossLine = Math.min(this.#lossLine, line);
      return undefined;
    }
    for (;;) {
      const call = task.calls.at(-1)!;
      if (call.event === event) return call;
      this.#abandon(task);
    }
  }

  /** Closes the innermost open call, which may be reused from now on. */
  close(task: Task): void {
    const call = task.calls.pop()!;
    if (this.#hasReturns(call.event)) this.#returnable--;
    this.#spare.push(call);
  }

  /** The log has ended: no more returns come. */
  end(): void {
    for (const task of this.#tasks.values()) while (task.calls.length > 0) this.#abandon(task);
  }

  #abandon(task: Task): void {
    const { event } = task.calls.at(-1)!;
    this.#unreturned[event]!++;
    if (this.#hasReturns(event)) this.#lossLine = Math.min(this.#lossLine, task.lastLine + 1);
    this.close(task);
  }

  /** Whether `top`, the innermost open call, can be going on where its task enters `event`. */
  #goesOn(calls: readonly OpenCall[], top: OpenCall, event: number): boolean {
    const returns = this.#hasReturns(top.event);
    if (isInnerStep(event)) return top.mode !== Mode.unused || (returns && top.event !== event);
    if (top.mode === Mode.encloses) {
      if (!returns) return isGrantStep(event) && top.stores < top.slots;
      return top.event !== event || isGrant(event);
    }
    if (top.mode !== Mode.unused && operationOf(calls)!.nextInner(sameAs(event)) >= 0) return true;
    return returns && mayInterrupt(event);
  }
}

/** The call of the innermost operation that the model ran, of whose inner calls an entry here may be one. */
export function operationOf(calls: readonly OpenCall[]): OpenCall | undefined {
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i]!;
    if (call.mode === Mode.ran) return call;
    if (call.mode === Mode.encloses) return undefined;
  }
  return undefined;
}
