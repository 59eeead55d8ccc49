import { BatchLog, EventBatch, payloadColumn, type EntryCodec, type EventsHeader } from '../../../events/index.js';
import { keepSchedule, type Scenario, type Schedule } from '../../../replay/index.js';

/** The log of a schedule of a scenario, in memory. */
export function scheduleLog(scenario: Scenario, schedule: Schedule): BatchLog {
  const batches: EventBatch[] = [];
  let head: { header: EventsHeader; codec: EntryCodec } | undefined;
  keepSchedule(scenario, schedule, 'test', (header, codec) => {
    head = { header, codec };
    return (batch) => {
      const copy = new EventBatch();
      for (let i = 0; i < batch.length; i++) copy.copyRow(batch, i, payloadColumn(batch.kind[i]!));
      batches.push(copy);
    };
  });
  const { header, codec } = head!;
  return new BatchLog('race.p2mlog', header, codec, batches);
}
