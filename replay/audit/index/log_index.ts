import type { StoredLog } from '../../../events/index.js';
import type { IndexStore } from './index_store.js';

/** What makes questions of a log quick: never needed for their answers. */
export interface LogIndex {
  readonly log: StoredLog;
}

/** The index of the log as far as `store` has it, built on to the end of the log. */
export function openIndex(
  log: StoredLog,
  _store?: IndexStore,
  _onProgress?: (events: number, of: number) => void,
): LogIndex {
  return { log };
}
