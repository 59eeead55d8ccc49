import { EntryCodec } from '../word.js';
import { NO_CHAIN } from './chain.js';
import type { LogStorage } from './log_storage.js';
import { recoverLog, type CutTail } from './recovery.js';
import { openSegment } from './segment_scan.js';

/**
 * Cuts back what a crash has left half-written at the end of a log, and nothing else: what is cut is kept beside the log.
 * Nobody may write the log meanwhile.
 *
 * @returns what was cut; empty where there was nothing to cut
 * @throws {P2mError} code `bad-input`: the log is damaged elsewhere, or is none: nothing was changed
 */
export async function repairLog(storage: LogStorage): Promise<CutTail[]> {
  const cuts: CutTail[] = [];
  const [first = ''] = storage.list();
  const file = storage.open(first);
  let facts;
  try {
    ({ facts } = openSegment(file, storage.pathOf(first), { segment: 0, seq: 0, chain: NO_CHAIN }));
  } finally {
    file.close();
  }
  const end = await recoverLog(storage, facts, new EntryCodec(facts.entryBits), (cut) => cuts.push(cut));
  end.file?.close();
  return cuts;
}
