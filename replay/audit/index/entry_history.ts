import type { StoredLog } from '../../../events/index.js';
import { LogIndex } from './log_index.js';
import type { IndexedStretch } from './posting_cache.js';

/** Neighbouring pfns whose entries got their values from one event; `seq` -1: from none. */
export interface SetRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly seq: number;
}

/**
 * Who set what, by pfn. An event sets the entry of a pfn where a look-up of it answers something else after the event than
 * before; a store of the value that is there already sets nothing, a leaf that is replaced by one that holds the same
 * neither.
 *
 * A moment is a number of events: asked at moment n, those before event n count. Default is the end of the log. Pfns that lie
 * above all that the list can have are set by no event.
 *
 * @throws {P2mError} from each: as `LogIndex.coverTo`
 */
export class EntryHistory {
  readonly #log: StoredLog;
  readonly #index: LogIndex;

  /** @param index of the same log; where there is none, one is built in memory */
  constructor(log: StoredLog, index: LogIndex = new LogIndex(log, undefined)) {
    this.#log = log;
    this.#index = index;
  }

  /** The event that gave the entry of `pfn` the value it has at `moment`; -1: none did, it is as in the empty memory. */
  setBy(pfn: number, moment = this.#log.events): number {
    const index = this.#index;
    index.coverTo(moment);
    for (let i = index.stretchCount - 1; i >= 0; i--) {
      const { seqStart, postings } = index.stretch(i);
      const last = postings.lastBefore(pfn, moment - seqStart);
      if (last >= 0) return seqStart + last;
    }
    return -1;
  }

  /** All events before `moment` that changed what a look-up of `pfn` answers, oldest first. */
  eventsOf(pfn: number, moment = this.#log.events): number[] {
    const index = this.#index;
    index.coverTo(moment);
    const seqs: number[] = [];
    for (let i = 0; i < index.stretchCount; i++) {
      const { seqStart, postings } = index.stretch(i);
      if (seqStart >= moment) break;
      postings.eventsOf(pfn, moment - seqStart, seqStart, seqs);
    }
    return seqs;
  }

  /** [pfnStart, pfnEnd) as runs of pfns set by one event before `moment`, ascending, each as long as may be. */
  runs(pfnStart: number, pfnEnd: number, moment = this.#log.events): SetRun[] {
    const index = this.#index;
    index.coverTo(moment);
    let open: SetRun[] = pfnStart < pfnEnd ? [{ pfnStart, pfnEnd, seq: -1 }] : [];
    for (let i = index.stretchCount - 1; i >= 0 && open.some(({ seq }) => seq < 0); i--) {
      const stretch = index.stretch(i);
      open = joined(open.flatMap((run) => (run.seq >= 0 ? [run] : split(run, stretch, moment))));
    }
    return joined(open);
  }
}

/** A run that no newer event has set, by the events of a stretch. */
function split(run: SetRun, { seqStart, postings }: IndexedStretch, moment: number): SetRun[] {
  const runs: SetRun[] = [];
  for (let pfn = run.pfnStart; pfn < run.pfnEnd;) {
    const end = Math.min(run.pfnEnd, postings.nextAfter(pfn));
    const last = postings.lastBefore(pfn, moment - seqStart);
    runs.push({ pfnStart: pfn, pfnEnd: end, seq: last < 0 ? -1 : seqStart + last });
    pfn = end;
  }
  return runs;
}

function joined(runs: readonly SetRun[]): SetRun[] {
  const all: SetRun[] = [];
  for (const run of runs) {
    const last = all.at(-1);
    if (last?.seq === run.seq) all[all.length - 1] = { ...last, pfnEnd: run.pfnEnd };
    else all.push(run);
  }
  return all;
}
