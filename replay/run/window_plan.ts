import type { LogCall } from './log_call.js';

/** How the calls of a window run: in which order, which of them in pieces, and what is assumed of them. */
export class WindowPlan {
  readonly schedule: LogCall[];
  /** Whether the order is another than that of the entries. */
  readonly isReordered: boolean;
  readonly #piecewise: readonly boolean[];
  readonly #assumed: readonly (number | undefined)[];

  /** The plan as it is now. */
  constructor(schedule: readonly LogCall[], isReordered: boolean) {
    this.schedule = [...schedule];
    this.isReordered = isReordered;
    this.#piecewise = schedule.map((call) => call.piecewise);
    this.#assumed = schedule.map((call) => call.assumed);
  }

  /** Each call at once, in the order of the entries. */
  static ofEntries(schedule: readonly LogCall[]): WindowPlan {
    const calls = [...new Set(schedule)].sort((a, b) => a.line - b.line);
    for (const call of calls) {
      call.piecewise = false;
      call.assumed = undefined;
    }
    return new WindowPlan(calls, false);
  }

  /** Puts the calls back as they were when the plan was made. */
  restore(): void {
    for (const [i, call] of this.schedule.entries()) {
      call.piecewise = this.#piecewise[i]!;
      call.assumed = this.#assumed[i];
    }
  }
}
