import type { TakenStep } from './snapshot.js';
import type { TouchedGranules } from './touched_granules.js';

/** Steps take at most so many bytes an event since the last snapshot: a store of its own takes 8. */
const BYTES_PER_EVENT = 12;

/** Takes steps while a log is played: one each time that enough events have happened, and are as many as the step has room for. */
export class StepTaker {
  readonly #touched: TouchedGranules;
  readonly #stepEvents: number;
  #taken: TakenStep[] = [];
  /** Bytes of those taken. */
  #bytes = 0;
  #start = 0;
  /** The moment from which on the next one may be taken. */
  #due = 0;

  /** @param stepEvents fewest events between two steps */
  constructor(touched: TouchedGranules, stepEvents: number) {
    this.#touched = touched;
    this.#stepEvents = stepEvents;
    this.#due = stepEvents;
  }

  /** Those since the last `clear`, oldest first. */
  get taken(): readonly TakenStep[] {
    return this.#taken;
  }

  /** The events before `moment` have happened: takes a step, where one is due. */
  go(moment: number): void {
    if (moment < this.#due) return;
    const changes = this.#touched.step();
    const bytes = this.#bytes + changes.byteLength;
    const room = (moment - this.#start) * BYTES_PER_EVENT;
    this.#due = moment + this.#stepEvents;
    if (bytes > room) {
      this.#due = Math.max(this.#due, this.#start + Math.ceil(bytes / BYTES_PER_EVENT));
      return;
    }
    this.#taken.push({ moment, changes });
    this.#bytes = bytes;
    this.#touched.clearStep();
  }

  /** A snapshot was taken at `moment`. */
  clear(moment: number): void {
    this.#taken = [];
    this.#bytes = 0;
    this.#start = moment;
    this.#due = moment + this.#stepEvents;
  }
}
