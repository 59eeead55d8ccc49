import type { StoredLog } from '../../../events/index.js';
import { lookUp } from '../../../src/index.js';
import { Timeline } from '../timeline.js';
import type { LogIndex } from './log_index.js';

/** Neighbouring pfns whose entries got their values from one event; `seq` -1: from none. */
export interface SetRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly seq: number;
}

/**
 * Who set what, by pfn. An event sets the entry of a pfn where a look-up of it answers something else after the event than
 * before; a store of the value that is there already sets nothing.
 */
export class EntryHistory {
  readonly #log: StoredLog;

  /** @param index where there is none, the answers are found by going through the log */
  constructor(log: StoredLog, _index?: LogIndex) {
    this.#log = log;
  }

  /** The event that gave the entry of `pfn` the value it has at `moment`, default the end of the log; -1: none did. */
  setBy(pfn: number, moment = this.#log.events): number {
    return this.eventsOf(pfn, moment).at(-1) ?? -1;
  }

  /** All events before `moment` that changed what a look-up of `pfn` answers, oldest first. */
  eventsOf(pfn: number, moment = this.#log.events): number[] {
    const timeline = new Timeline(this.#log);
    const seqs: number[] = [];
    let before = lookUp(timeline.memory, pfn);
    for (let seq = 0; seq < moment; seq++) {
      timeline.goTo(seq + 1);
      const now = lookUp(timeline.memory, pfn);
      if (now !== before) seqs.push(seq);
      before = now;
    }
    return seqs;
  }

  /** [pfnStart, pfnEnd) as runs of pfns set by one event before `moment`. */
  runs(pfnStart: number, pfnEnd: number, moment = this.#log.events): SetRun[] {
    const runs: SetRun[] = [];
    for (let pfn = pfnStart; pfn < pfnEnd; pfn++) {
      const seq = this.setBy(pfn, moment);
      const last = runs.at(-1);
      if (last?.seq === seq) runs[runs.length - 1] = { ...last, pfnEnd: pfn + 1 };
      else runs.push({ pfnStart: pfn, pfnEnd: pfn + 1, seq });
    }
    return runs;
  }
}
