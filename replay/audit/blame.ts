import type { StoredLog } from '../../events/index.js';
import { entryRuns, type EntryRun } from '../../src/index.js';
import type { EntryHistory } from './index/entry_history.js';
import type { LogIndex } from './index/log_index.js';
import { loggedOperationOf, type LoggedOperation } from './logged_operation.js';
import { Timeline } from './timeline.js';

/** Pfns side by side whose entries were set by one event. */
export interface BlameRow {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  /** What look-ups answer at the moment that was asked about. */
  readonly now: readonly EntryRun[];
  /** Undefined where no event set them: so the list began. */
  readonly by: BlamedEvent | undefined;
}

/** The event that set them. */
export interface BlamedEvent {
  readonly seq: number;
  /** What look-ups answered before it. */
  readonly old: readonly EntryRun[];
  readonly operation: LoggedOperation | undefined;
}

/**
 * The events that set the entries of [pfnStart, pfnEnd) as they are at `moment`.
 * @param index of the log, for its snapshots
 * @throws {P2mError} as `Timeline`
 */
export function blame(
  log: StoredLog,
  history: EntryHistory,
  pfnStart: number,
  pfnEnd: number,
  moment: number,
  index?: LogIndex,
): BlameRow[] {
  const runs = history.runs(pfnStart, pfnEnd, moment);
  const facts = index?.facts();
  const timeline = new Timeline(log, 'paged', index);
  timeline.goTo(moment);
  const now = runs.map((run) => entryRuns(timeline.memory, run.pfnStart, run.pfnEnd));
  const old: EntryRun[][] = [];
  // From the latest event back to the first: the timeline passes each moment once.
  const backwards = runs.map((run, index) => ({ ...run, index })).sort((a, b) => b.seq - a.seq);
  for (const { seq, index, ...run } of backwards) {
    if (seq < 0) continue;
    timeline.goTo(seq);
    old[index] = entryRuns(timeline.memory, run.pfnStart, run.pfnEnd);
  }
  return runs.map(({ seq, ...run }, index) => ({
    pfnStart: run.pfnStart,
    pfnEnd: run.pfnEnd,
    now: now[index]!,
    by: seq < 0 ? undefined : { seq, old: old[index]!, operation: loggedOperationOf(log, seq, facts) },
  }));
}
