import { KINDS, kindName, type EventBatch, type StoredLog } from '../../events/index.js';
import type { PfnConcern } from './pfn_concern.js';

/** By kind: whether it changes memory. */
const MUTATES = Uint8Array.from({ length: 256 }, (_, id) => {
  const name = kindName(id);
  return name !== undefined && KINDS[name].mutates ? 1 : 0;
});

/** The last event before `seq` that changes memory and concerns the pfns; -1 where there is none. */
export function previousOf(log: StoredLog, seq: number, concern: PfnConcern): number {
  if (seq === 0) return -1;
  for (let block = log.blockOf(seq - 1); block >= 0; block--) {
    const batch = log.read(block);
    const start = log.seqOf(block);
    for (let i = Math.min(seq - start, batch.length) - 1; i >= 0; i--) if (changes(batch, i, concern)) return start + i;
  }
  return -1;
}

/** The first event after `seq` that does; -1 where there is none. */
export function nextOf(log: StoredLog, seq: number, concern: PfnConcern): number {
  for (let block = log.blockOf(seq); block < log.blocks; block++) {
    const batch = log.read(block);
    const start = log.seqOf(block);
    for (let i = Math.max(0, seq + 1 - start); i < batch.length; i++) if (changes(batch, i, concern)) return start + i;
  }
  return -1;
}

function changes(batch: EventBatch, i: number, concern: PfnConcern): boolean {
  return MUTATES[batch.kind[i]!] === 1 && concern.has(batch, i);
}
