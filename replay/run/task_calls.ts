import { PROBES_END, type TraceLine } from '../trace/trace_line.js';
import type { CallBehalfs } from './call_behalf.js';
import { LINE_MAX, LogCall, Mode } from './log_call.js';
import { isEnclosedStep, isGrant, isInnerStep, mayContain, mayInterrupt, sameAs } from './probed_function.js';

/** The open calls of a task nest this deep at most; deeper is a log that has lost returns. */
const DEPTH_MAX = 64;
const FUNCTIONS = PROBES_END / 2;

/** A task of the log: its open calls, outermost first, and its last line. */
export interface Task {
  readonly calls: LogCall[];
  lastLine: number;
}

/**
 * Pairs the entry and return lines of each task: by pid, and for the idle tasks, which share pid 0, by CPU.
 *
 * A function without any return line in the log has no return probe: a call of it ends where its task does something that
 * is no step of it. A call of a function with a return probe that ends so has lost its return. Which of the two it is may
 * show only later: until a function's first return is seen, a call of it that seems to have ended is `dormant`, and its
 * return, should it come after an interrupt, still finds it.
 */
export class TaskCalls {
  readonly #onEnd: (call: LogCall, task: Task) => void;
  readonly #behalfs: CallBehalfs | undefined;
  readonly #tasks = new Map<number, Task>();
  /** The task of the line before, which most lines are of. */
  #lastKey = Number.NaN;
  #lastTask: Task = { calls: [], lastLine: 0 };
  readonly #free: LogCall[] = [];
  readonly #returnSeen = new Uint8Array(PROBES_END);
  /** By function: calls that ended without a return line, and the first line at which one was missed. */
  readonly #unreturned = new Float64Array(PROBES_END);
  readonly #missedLine = new Float64Array(PROBES_END).fill(Infinity);
  /** By function: calls that are open and not dormant. */
  readonly #open = new Int32Array(PROBES_END);
  #openTotal = 0;
  #overlaps = 0;
  /** Overlaps with calls of functions of which no return was seen yet, by the set of those functions. */
  readonly #doubtfulOverlaps = new Map<number, number>();
  #orphans = 0;
  #orphanLine = Infinity;

  /**
   * @param onEnd   told of each call that has ended, as it leaves its task; the record may be freed then, or later
   * @param behalfs says whose calls are; undefined where nobody asks
   */
  constructor(onEnd: (call: LogCall, task: Task) => void, behalfs?: CallBehalfs) {
    this.#onEnd = onEnd;
    this.#behalfs = behalfs;
  }

  /** The task of the line. */
  of(line: TraceLine): Task {
    const key = line.pid === 0 ? -1 - line.cpu : line.pid;
    if (key === this.#lastKey) return this.#lastTask;
    let task = this.#tasks.get(key);
    if (task === undefined) this.#tasks.set(key, (task = { calls: [], lastLine: 0 }));
    this.#lastKey = key;
    this.#lastTask = task;
    return task;
  }

  /** The log is known to have return lines of the function, before the first is read. */
  expectReturns(event: number): void {
    this.#returnSeen[event] = 1;
  }

  /** Whether a return line of the function was seen, or is known to come. */
  hasReturns(event: number): boolean {
    return this.#returnSeen[event] === 1;
  }

  /** The first line before which an entry or a return is missing; Infinity where none is known to be. */
  get lossLine(): number {
    let line = this.#orphanLine;
    for (let event = 0; event < PROBES_END; event += 2) {
      if (this.hasReturns(event)) line = Math.min(line, this.#missedLine[event]!);
    }
    return line;
  }

  /** Returns without an entry, and entries that have lost their return. */
  get lost(): number {
    let lost = this.#orphans;
    for (let event = 0; event < PROBES_END; event += 2) if (this.hasReturns(event)) lost += this.#unreturned[event]!;
    return lost;
  }

  /** Outermost calls that began while a call of another task was open. */
  get overlaps(): number {
    let overlaps = this.#overlaps;
    for (const [functions, count] of this.#doubtfulOverlaps) {
      let real = false;
      for (let f = 0; f < FUNCTIONS; f++) real ||= (functions & (1 << f)) !== 0 && this.hasReturns(2 * f);
      if (real) overlaps += count;
    }
    return overlaps;
  }

  /** Calls of a function without a return probe. */
  unchecked(event: number): number {
    return this.hasReturns(event) ? 0 : this.#unreturned[event]!;
  }

  /** Before the entry of `event`: ends the calls of the task that cannot be going on around it. */
  settle(task: Task, event: number, line: number): void {
    const { calls } = task;
    if (calls.length >= DEPTH_MAX) while (calls.length > 0) this.#abandon(task, line);
    for (let top = calls.at(-1); top !== undefined; top = calls.at(-1)) {
      if (top.dormant ? mayInterrupt(event) : this.#goesOn(calls, top, event)) return;
      if (!top.dormant && mayInterrupt(event) && !this.hasReturns(top.event)) {
        top.dormant = true;
        this.#shut(top.event);
        return;
      }
      this.#abandon(task, line);
    }
  }

  /** Whether no call of the task is known to be open. */
  isOutermost(task: Task): boolean {
    return task.calls.length === 0 || task.calls.every((call) => call.dormant);
  }

  /** Opens a call. */
  open(task: Task, line: TraceLine): LogCall {
    const { event } = line;
    if (this.#openTotal > 0 && this.isOutermost(task)) this.#countOverlap();
    const call = this.#free.pop() ?? new LogCall();
    call.begin(event, line.line, line.cpu, line.pid, line.task);
    if (this.#behalfs !== undefined) call.behalf = this.#behalfs.of(line, task.calls);
    task.calls.push(call);
    this.#open[event]!++;
    this.#openTotal++;
    return call;
  }

  /** The innermost open call of the function, whose return line has come: those inside have ended. Undefined: none is open. */
  returned(task: Task, event: number, line: number): LogCall | undefined {
    this.#returnSeen[event] = 1;
    if (!task.calls.some((call) => call.event === event)) {
      this.#orphans++;
      this.#orphanLine = Math.min(this.#orphanLine, line);
      return undefined;
    }
    for (;;) {
      const call = task.calls.at(-1)!;
      if (call.event === event) {
        call.endLine = line;
        return call;
      }
      this.#abandon(task, line);
    }
  }

  /** Closes the innermost open call. */
  close(task: Task): void {
    const call = task.calls.pop()!;
    if (!call.dormant) this.#shut(call.event);
    this.#onEnd(call, task);
  }

  /** Takes back the record of a call that nobody looks at any more, with its parts. */
  free(call: LogCall): void {
    for (let part = call.parts.pop(); part !== undefined; part = call.parts.pop()) this.#free.push(part);
    this.#free.push(call);
  }

  /** The log has ended: no more returns come. */
  end(): void {
    for (const task of this.#tasks.values()) while (task.calls.length > 0) this.#abandon(task, LINE_MAX);
  }

  #abandon(task: Task, line: number): void {
    const call = task.calls.at(-1)!;
    const { event } = call;
    this.#unreturned[event]!++;
    this.#missedLine[event] = Math.min(this.#missedLine[event]!, lastSeen(call, task) + 1);
    call.endLine = line;
    this.close(task);
  }

  #shut(event: number): void {
    this.#open[event]!--;
    this.#openTotal--;
  }

  #countOverlap(): void {
    let functions = 0;
    for (let event = 0; event < PROBES_END; event += 2) {
      if (this.#open[event] === 0) continue;
      if (this.#returnSeen[event] === 1) {
        this.#overlaps++;
        return;
      }
      functions |= 1 << (event >>> 1);
    }
    if (functions !== 0) this.#doubtfulOverlaps.set(functions, (this.#doubtfulOverlaps.get(functions) ?? 0) + 1);
  }

  /** Whether `top`, the innermost open call, can be going on where its task enters `event`. */
  #goesOn(calls: readonly LogCall[], top: LogCall, event: number): boolean {
    const returns = this.hasReturns(top.event);
    if (top.mode === Mode.encloses) {
      if (!returns) return isEnclosedStep(top.event, event) && top.stepsLeft > 0;
      return top.event !== event || isGrant(event);
    }
    if (returns && mayInterrupt(event)) return true;
    if (isInnerStep(top.event)) return returns && isInnerStep(event) && top.event !== event;
    if (isInnerStep(event)) return mayContain(top.event, event) || (returns && top.event !== event);
    if (!mayContain(top.event, event)) return false;
    return returns || operationOf(calls)!.nextModelCall(sameAs(event)) > 0;
  }
}

/**
 * The last line that shows the call going on: what its task did after that may have been after a return that is missing,
 * though it looks like an interrupt of the call, or a part of it.
 */
function lastSeen(call: LogCall, task: Task): number {
  if (call.mode === Mode.encloses) return task.lastLine;
  const part = call.parts.findLast(({ modelIndex }) => modelIndex > 0);
  if (part === undefined) return call.line;
  return part.recorded === undefined ? part.line : part.endLine;
}

/** The call of the innermost operation that the model runs, of whose inner calls an entry here may be one. */
export function operationOf(calls: readonly LogCall[]): LogCall | undefined {
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i]!;
    if (call.dormant) return undefined;
    if (call.mode === Mode.ran) return call;
    if (call.mode === Mode.encloses) return undefined;
  }
  return undefined;
}
