import { DIVERGENCES_MAX, type Counts, type Divergence } from './report.js';

/** A recorded value that is not what the model says, before it is counted. */
export interface Found {
  readonly line: number;
  readonly seq: number;
  readonly cpu: number;
  readonly task: string;
  readonly text: string;
  readonly operation: string;
  readonly pfn: number;
  readonly expected: string;
  readonly actual: string;
}

/** The contradictions of one log, in the order of its lines. */
export class Divergences {
  readonly #counts: Counts;
  readonly #file: string;
  /** Divergences of the logs before this one. */
  readonly #before: number;
  #firstLine = Infinity;

  constructor(counts: Counts, file: string) {
    this.#counts = counts;
    this.#file = file;
    this.#before = counts.divergences.length;
  }

  /** The line in hand at the first contradiction; Infinity while there is none. */
  get firstLine(): number {
    return this.#firstLine;
  }

  /** Counts a contradiction that shows at line `now` of the log, and keeps it where there is room. */
  add(found: Found, now: number): void {
    const { divergences } = this.#counts;
    this.#counts.divergenceCount++;
    this.#firstLine = Math.min(this.#firstLine, now);
    const divergence: Divergence = { file: this.#file, ...found, pfn: `0x${found.pfn.toString(16)}` };
    // One that was told only later stands where its line does.
    let at = divergences.length;
    while (at > this.#before && found.line > 0 && divergences[at - 1]!.line > found.line) at--;
    divergences.splice(at, 0, divergence);
    if (divergences.length > DIVERGENCES_MAX) divergences.pop();
  }
}
