import { KINDS, type EventBatch } from '../../events/index.js';

const CALL = KINDS.call.id;
const SET_ENTRY = KINDS.set_entry.id;
const IDENTITY_RANGE = KINDS.identity_range.id;

/** Which line of a log wrote each pfn last. */
export class LastWriters {
  /** 0 for nobody. */
  readonly #lines: Float64Array;
  /** Line of the call whose events are in hand. */
  #origin = 0;
  #beyond = 0;

  /** @param pfns pfns of the list that dumps tell of */
  constructor(pfns: number) {
    this.#lines = new Float64Array(pfns);
  }

  /** Takes the events of the domain, in their order. */
  onEvents(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i];
      if (kind === CALL) this.#origin = batch.e[i]!;
      // What belongs to no operation was assumed, not written.
      else if (kind === SET_ENTRY && batch.op[i] !== 0) {
        const pfn = batch.a[i]!;
        if (pfn < this.#lines.length) this.#lines[pfn] = this.#origin;
        else this.#beyond++;
      } else if (kind === IDENTITY_RANGE) this.#lines.fill(this.#origin, batch.a[i], batch.b[i]);
    }
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
