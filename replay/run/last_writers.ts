import { TraceEvent } from '../trace/trace_line.js';
import type { LogCall } from './log_call.js';

const SHIFT = 9;
const PFNS = 1 << SHIFT;
/** Pfns above are no part of any list; nobody asks who wrote them. */
const PFN_END = 2 ** 31;

/** Which line of a log wrote each pfn last. */
export class LastWriters {
  /** By pfn, in pieces that appear when something is written there; 0 for nobody. */
  readonly #pieces: (Float64Array | undefined)[] = [];
  readonly #dumpedPfns: number;
  #beyond = 0;

  /** @param dumpedPfns pfns of the list that dumps tell of */
  constructor(dumpedPfns: number) {
    this.#dumpedPfns = dumpedPfns;
  }

  /** The call, in the order in which it took effect, is not taken back any more. */
  note(call: LogCall): void {
    const { pfn, line } = call;
    if (call.stores > 0) {
      this.#write(pfn, line);
      if (pfn >= this.#dumpedPfns) this.#beyond += call.stores;
    } else if (call.event === TraceEvent.set_phys_range_identity) {
      for (let p = pfn; p < Math.min(call.count, this.#dumpedPfns); p++) this.#write(p, line);
    }
  }

  /** Stores past the pfns of the dumps. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Line of the call that wrote the entry of `pfn` last; 0 for nobody. */
  lineOf(pfn: number): number {
    return pfn < PFN_END ? (this.#pieces[pfn >>> SHIFT]?.[pfn & (PFNS - 1)] ?? 0) : 0;
  }

  #write(pfn: number, line: number): void {
    if (pfn >= PFN_END) return;
    let piece = this.#pieces[pfn >>> SHIFT];
    if (piece === undefined) this.#pieces[pfn >>> SHIFT] = piece = new Float64Array(PFNS);
    piece[pfn & (PFNS - 1)] = line;
  }
}
