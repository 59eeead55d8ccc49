import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { LogStore, verifyLog } from '../../events/index.js';
import { FolderStorage, indexFolderOf, IndexFolder, openSegmentedLog } from '../../node/index.js';
import { EntryHistory, openIndex, Timeline } from '../../replay/index.js';
import type { LogContestant } from './contestant.js';

/** Bytes that a crash tears off: less than a block. */
const TORN_BYTES = 1000;

/** Our own log, format 1: a folder of segments, its chain included. */
export const p2mlog: LogContestant = {
  async open(folder, { header, codec }, sync) {
    mkdirSync(logOf(folder), { recursive: true });
    const store = await LogStore.open(new FolderStorage(logOf(folder)), header, codec, {
      sync: sync ? 'batch' : 'never',
    });
    return {
      append: (batch, seq) => store.append(batch, seq),
      flush: () => {
        // An `append` that is done has handed everything on.
      },
      close: () => store.close(),
    };
  },

  scan(folder, seen) {
    const log = openSegmentedLog(logOf(folder));
    for (let block = 0; block < log.blocks; block++) seen.batch(log.read(block), log.seqOf(block));
    log.close();
  },

  verify(folder) {
    const findings = verifyLog(new FolderStorage(logOf(folder)));
    const { value, done } = findings.next();
    if (done !== true) throw value;
    return value.events;
  },

  ask(folder) {
    const log = openSegmentedLog(logOf(folder));
    const index = openIndex(log, new IndexFolder(indexFolderOf(logOf(folder))));
    index.coverTo();
    const history = new EntryHistory(log, index);
    const timeline = new Timeline(log, undefined, index);
    return {
      setBy: (pfn) => history.setBy(pfn),
      eventsOf: (pfn) => history.eventsOf(pfn),
      stateAt: (moment) => timeline.goTo(moment),
      close: () => log.close(),
    };
  },

  crash(folder, { header, codec }) {
    const path = logOf(folder);
    const segments = readdirSync(path).filter((name) => name.endsWith('.p2mlog'));
    const last = join(path, segments.sort().at(-1)!);
    truncateSync(last, statSync(last).size - TORN_BYTES);
    return async () => {
      const store = await LogStore.open(new FolderStorage(path), header, codec);
      return store.events;
    };
  },
};

function logOf(folder: string): string {
  return join(folder, 'log');
}
