import { TraceEvent } from '../trace/trace_line.js';
import type { LogCall } from './log_call.js';

/** Which line of a log wrote each pfn last. */
export class LastWriters {
  /** 0 for nobody. */
  readonly #lines: Float64Array;
  #beyond = 0;

  /** @param pfns pfns of the list that dumps tell of */
  constructor(pfns: number) {
    this.#lines = new Float64Array(pfns);
  }

  /** The call, in the order in which it took effect, is not taken back any more. */
  note(call: LogCall): void {
    const { pfn, line } = call;
    if (call.stores > 0) {
      if (pfn < this.#lines.length) this.#lines[pfn] = line;
      else this.#beyond += call.stores;
    } else if (call.event === TraceEvent.set_phys_range_identity) this.#lines.fill(line, pfn, call.count);
  }

  /** Stores past the pfns of the dumps. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Line of the call that wrote the entry of `pfn` last; 0 for nobody. */
  lineOf(pfn: number): number {
    return this.#lines[pfn] ?? 0;
  }
}
