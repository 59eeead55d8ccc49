import type { Drawn } from './cpu_lanes.js';
import type { TraceText } from './trace_text.js';

interface Hold {
  readonly tid: number;
  readonly op: number;
  readonly fromNs: number;
}

/**
 * Who holds p2m_update_lock and who waits for it. A log says when it was taken, not since when somebody wanted it: a wait
 * is drawn where another held the lock since the operation's event before, and from that event on, so it is the most that
 * it can have been.
 */
export class LockSlices {
  readonly #text: TraceText;
  #hold: Hold | undefined;
  #last: { readonly op: number; readonly endNs: number } | undefined;

  constructor(text: TraceText) {
    this.#text = text;
  }

  /** It is taken, by an operation or by none. `tid` is the track of the operation's waits and holds. */
  lock(tid: number, by: Drawn | undefined, ns: number): void {
    const op = by?.operation.op ?? 0;
    if (this.#hold !== undefined) this.#draw(ns, { ended: false });
    else if (by !== undefined && this.#last !== undefined && this.#last.op !== op && this.#last.endNs > by.lastNs) {
      this.#text.slice('wait', 'lock', tid, by.lastNs, ns, { op, held_by: this.#last.op });
    }
    this.#hold = { tid, op, fromNs: ns };
  }

  /** It is given back. */
  unlock(ns: number): void {
    if (this.#hold !== undefined) this.#draw(ns, {});
  }

  /** The log ends. */
  end(ns: number): void {
    if (this.#hold !== undefined) this.#draw(ns, { ended: false });
  }

  #draw(ns: number, more: object): void {
    const { tid, op, fromNs } = this.#hold!;
    this.#text.slice('hold', 'lock', tid, fromNs, ns, { op, ...more });
    this.#last = { op, endNs: ns };
    this.#hold = undefined;
  }
}
