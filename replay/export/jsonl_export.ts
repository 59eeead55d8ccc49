import { JsonlWriter, type ByteSink, type StoredLog } from '../../events/index.js';

/** Writes the log as the text of docs/events.md: a header, a line an event, an end. Gives the number of events. */
export function exportJsonl(log: StoredLog, sink: ByteSink): number {
  const writer = new JsonlWriter(sink, log.header, log.codec);
  for (let block = 0; block < log.blocks; block++) writer.append(log.read(block));
  writer.close();
  return log.events;
}
