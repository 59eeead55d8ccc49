import { KNOWN_EVENTS, PROBES_END, type TraceLine, type TraceNames } from '../trace/trace_line.js';
import { isUsed } from './probed_function.js';
import { add, type Counts } from './report.js';

/** Counts the event lines of a log: by event, by task, and those that have the time of the line before. */
export class LineCounts {
  readonly #counts: Counts;
  readonly #names: TraceNames;
  readonly #events: number[] = Array.from({ length: KNOWN_EVENTS }, () => 0);
  readonly #tasks: number[] = [];
  readonly #operations = new Float64Array(PROBES_END);
  #lastCpu = -1;
  readonly #lastTime = { timeHi: 0, timeLo: 0, timeFraction: 0, timeDigits: -1 };

  constructor(counts: Counts, names: TraceNames) {
    this.#counts = counts;
    this.#names = names;
  }

  /** An event line. */
  count(line: TraceLine): void {
    const { event, task, cpu } = line;
    this.#counts.events++;
    const last = this.#lastTime;
    if (cpu !== this.#lastCpu) {
      if (line.sameTime(last)) this.#counts.ties++;
      this.#lastCpu = cpu;
    }
    last.timeLo = line.timeLo;
    last.timeFraction = line.timeFraction;
    last.timeHi = line.timeHi;
    last.timeDigits = line.timeDigits;
    this.#events[event] = (this.#events[event] ?? 0) + 1;
    this.#tasks[task] = (this.#tasks[task] ?? 0) + 1;
  }

  /** An outermost call. */
  countOperation(event: number): void {
    this.#operations[event]!++;
  }

  /** Lines of the event so far. */
  of(event: number): number {
    return this.#events[event] ?? 0;
  }

  /** Adds what was counted by name to the report's counts. */
  tally(): void {
    const { unused, operations, tasks } = this.#counts;
    const { events: eventNames, tasks: taskNames } = this.#names;
    this.#events.forEach((count, event) => {
      const used = event < PROBES_END ? isUsed(event) : event < KNOWN_EVENTS;
      if (!used && count > 0) add(unused, eventNames.name(event) ?? '?', count);
    });
    this.#operations.forEach((count, event) => {
      if (count > 0) add(operations, eventNames.name(event) ?? '?', count);
    });
    this.#tasks.forEach((count, task) => add(tasks, taskNames.name(task) ?? '?', count));
  }
}
