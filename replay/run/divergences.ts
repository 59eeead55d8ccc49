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
  /** Line of the call that wrote the entry last, where that is asked for and there is one. */
  readonly writtenAt?: number;
}

/** The contradictions of one log, in the order of its lines; those of a comparison stand where it was made. */
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
    this.#insert(found, now, this.#counts.divergences.length);
  }

  /** As `add`, of a line before some that were told already: it stands where its line does. */
  addEarlier(found: Found, now: number): void {
    const { divergences } = this.#counts;
    let at = divergences.length;
    while (at > this.#before && divergences[at - 1]!.line > found.line) at--;
    this.#insert(found, now, at);
  }

  #insert(found: Found, now: number, at: number): void {
    const { divergences } = this.#counts;
    this.#counts.divergenceCount++;
    this.#firstLine = Math.min(this.#firstLine, now);
    const divergence: Divergence = { file: this.#file, ...found, pfn: `0x${found.pfn.toString(16)}` };
    if (at < DIVERGENCES_MAX) divergences.splice(at, 0, divergence);
    if (divergences.length > DIVERGENCES_MAX) divergences.pop();
  }
}
