import { SegmentedLog, type StoredLog } from '../events/index.js';
import { IndexFolder, indexFolderOf } from '../node/index_folder.js';
import { openIndex, Timeline, type LogFacts, type LogIndex } from '../replay/index.js';
import { log as programLog } from './program_log.js';

/** A log of fewer events is played sooner than an index of it is written. */
const EVENTS_MIN = 1 << 18;

/**
 * The index of a log that was opened from `path`: beside it, where that is a binary log, and built on as questions need it;
 * else in memory.
 */
export function indexOf(log: StoredLog, path: string): LogIndex {
  const store = log instanceof SegmentedLog ? new IndexFolder(indexFolderOf(path)) : undefined;
  return openIndex(log, store, undefined, (file, why) => programLog.debug({ file, why }, 'index'));
}

/** What an index beside the log knows of its blocks, as far as one is there: nothing is built. */
export function keptFactsOf(log: StoredLog, path: string): LogFacts | undefined {
  if (log.events < EVENTS_MIN || !(log instanceof SegmentedLog)) return undefined;
  const index = indexOf(log, path);
  return index.events === 0 ? undefined : index.facts();
}

/** The whole index, of a log that is long enough to gain from one. */
export function builtIndexOf(log: StoredLog, path: string, moment = log.events): LogIndex | undefined {
  if (log.events < EVENTS_MIN || !(log instanceof SegmentedLog)) return undefined;
  const index = indexOf(log, path);
  index.coverTo(moment);
  return index;
}

/** A timeline of the log, which goes to `moment` by its index, where that is soon built or there already. */
export function timelineTo(log: StoredLog, path: string, moment: number): Timeline {
  const timeline = new Timeline(log, 'paged', builtIndexOf(log, path, moment));
  timeline.goTo(moment);
  return timeline;
}
