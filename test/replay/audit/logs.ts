import { BatchLog, EntryCodec, pushEvent, EventBatch, type P2mEvent } from '../../../events/index.js';

type WithoutPlace<T> = T extends unknown ? Omit<T, 'seq'> : never;
/** An event without its place, which is where it stands in the list. */
export type Told = WithoutPlace<P2mEvent>;

/** A log of the events, `perBlock` in a block. */
export function logOfEvents(events: readonly Told[], perBlock = 4096): BatchLog {
  const codec = new EntryCodec(64);
  const batches: EventBatch[] = [];
  events.forEach((event, seq) => {
    if (seq % perBlock === 0) batches.push(new EventBatch());
    pushEvent(batches.at(-1)!, { ...event, seq }, codec);
  });
  return new BatchLog('told.jsonl', { geometry: 'tiny', kernel: '7.0', entryBits: 64 }, codec, batches);
}
