import type { Timeline } from '../audit/timeline.js';
import { LogRows } from './log_rows.js';
import type { Pieces } from './pieces.js';
import type { Hit } from './stop.js';
import type { Stops } from './stops.js';

/** How a journey ended: at watches or breakpoints, where it was to go, or because somebody stopped it. */
export type Arrival =
  { readonly kind: 'hit'; readonly hits: readonly Hit[] } | { readonly kind: 'there' | 'interrupted' };

/**
 * Goes through a timeline, both ways, and stops at the first event that a watch or a breakpoint is hit by: forwards right
 * after it, backwards right before it. Only events that can hit one are looked at; all others are applied, or taken back,
 * a block at a time.
 */
export class Journey {
  readonly #timeline: Timeline;
  readonly #stops: Stops;
  readonly #rows: LogRows;

  constructor(timeline: Timeline, stops: Stops) {
    this.#timeline = timeline;
    this.#stops = stops;
    this.#rows = new LogRows(timeline.log);
  }

  /**
   * Towards `moment`, in pieces of at most a block. 0 <= moment <= log.events.
   * @throws {P2mError} as `Timeline.goTo` and `StoredLog.read`; the timeline stands where it got to
   */
  *to(moment: number): Pieces<Arrival> {
    const timeline = this.#timeline;
    try {
      while (timeline.at !== moment) {
        const hits = timeline.at < moment ? this.#forward(moment) : this.#back(moment);
        if (hits.length > 0) return { kind: 'hit', hits };
        if (timeline.at !== moment && (yield)) return { kind: 'interrupted' };
      }
      return { kind: 'there' };
    } finally {
      this.#stops.look();
    }
  }

  /** Without a stop: a moment of the log is there, no matter what lies between. @throws {P2mError} as `to` */
  jump(moment: number): void {
    try {
      this.#timeline.goTo(moment);
    } finally {
      this.#stops.look();
    }
  }

  /** To the first hit, the end of the block, or `moment`. */
  #forward(moment: number): readonly Hit[] {
    const rows = this.#rows;
    let row = rows.to(this.#timeline.at);
    const { batch, start } = rows;
    const end = Math.min(moment, rows.end) - start;
    for (;;) {
      row = this.#stops.firstIn(batch, row, end);
      if (row === end) break;
      this.#timeline.goTo(start + row + 1);
      const hits = this.#stops.hits(batch, row, start + row);
      if (hits.length > 0) return hits;
      row++;
    }
    this.#timeline.goTo(start + end);
    return [];
  }

  /** As `#forward`, to the beginning of the block. */
  #back(moment: number): readonly Hit[] {
    const rows = this.#rows;
    let row = rows.to(this.#timeline.at - 1) + 1;
    const { batch, start } = rows;
    const from = Math.max(moment, start) - start;
    for (;;) {
      row = this.#stops.lastIn(batch, from, row);
      if (row < 0) break;
      this.#timeline.goTo(start + row);
      const hits = this.#stops.hits(batch, row, start + row);
      if (hits.length > 0) return hits;
    }
    this.#timeline.goTo(start + from);
    return [];
  }
}
