import { BatchLog, EventBatch, KINDS, mfnWord, payloadColumn } from '../../events/index.js';
import { EntryHistory, headerOf, LogIndex, Random, Timeline } from '../../replay/index.js';
import type { Work } from '../contest.js';
import { bootedDomain } from './domains.js';

const NR_PAGES = 2 ** 20;
const EVENTS = 10_000_000;
const PER_BLOCK = 4096;
const ASKED = 2 ** 18;
const MOMENTS = 16;
/** As beside a log. */
const SIZES = { snapshotBytesPerEvent: 16 };

/** What is asked of the index; `build` makes it, in events. */
export type Question = 'build' | 'set by' | 'events of' | 'state at';

/** Questions of a log of 10 M stores into 1 M pfns, none near the one before, that lies in memory. */
export function auditIndex(question: Question): Work {
  const log = scatteredStores();
  const random = new Random(1);
  let index = new LogIndex(log, undefined, undefined, undefined, SIZES);
  if (question === 'build') {
    return {
      prepare: () => (index = new LogIndex(log, undefined, undefined, undefined, SIZES)),
      run() {
        index.coverTo();
        return { count: log.events, check: index.snapshots.moments.length };
      },
    };
  }
  index.coverTo();
  const history = new EntryHistory(log, index);
  const timeline = new Timeline(log, 'paged', index);
  return {
    run() {
      let check = 0;
      const count = question === 'state at' ? MOMENTS : ASKED;
      for (let i = 0; i < count; i++) {
        if (question === 'set by') check += history.setBy(random.below(NR_PAGES));
        else if (question === 'events of') check += history.eventsOf(random.below(NR_PAGES)).length;
        else timeline.goTo(random.below(log.events));
      }
      return { count, check };
    },
  };
}

function scatteredStores(): BatchLog {
  const batches: EventBatch[] = [];
  const domain = bootedDomain({
    nrPages: NR_PAGES,
    onEvents: (batch) => {
      const copy = new EventBatch(batch.length);
      for (let i = 0; i < batch.length; i++) copy.copyRow(batch, i, payloadColumn(batch.kind[i]!));
      batches.push(copy);
    },
  });
  const { memory } = domain;
  const random = new Random(1);
  const now = Int32Array.from({ length: NR_PAGES }, (_, pfn) => memory.loadEntry(pfn));
  for (let events = 0; events < EVENTS; events += PER_BLOCK) {
    const batch = new EventBatch(PER_BLOCK);
    for (let i = 0; i < PER_BLOCK; i++) {
      const pfn = random.below(NR_PAGES);
      const word = mfnWord(random.below(2 ** 24));
      batch.push(KINDS.set_entry.id, 0, 0, pfn, memory.storePage(pfn), now[pfn], word);
      now[pfn] = word;
    }
    batches.push(batch);
  }
  return new BatchLog('bench.p2mlog', headerOf(domain), memory.codec, batches);
}
