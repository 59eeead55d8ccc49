import { describe, expect, it } from 'vitest';
import { EVENT_FORMATS, eventWriter, type EventFormat, type EventWriter } from '../../../events/index.js';
import { recordingFiles, replay as replayRecording } from '../run/recordings.js';
import { replay } from './own_logs.js';

/** What the replay of a recording did, as a log. */
async function keptLog(name: string, format: EventFormat): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const writers: EventWriter[] = [];
  const report = await replayRecording(recordingFiles(name), {
    memory: 'flat',
    keeper: (header, codec) => {
      const writer = eventWriter(format, (bytes) => parts.push(bytes.slice()), header, codec);
      writers.push(writer);
      return (batch) => writer.append(batch);
    },
  });
  expect([report.verdict, writers.length]).toEqual(['ok', 1]);
  writers[0]!.close();
  return Buffer.concat(parts);
}

describe.each(['k61-512M-balloon', 'k61-512M-hold'])('the events of the replay of %s', (name) => {
  it('are played again from either format, into either memory, to one state, and written again to the same bytes', async () => {
    const states = new Set<string>();
    for (const format of EVENT_FORMATS) {
      const log = await keptLog(name, format);
      for (const memory of ['flat', 'paged'] as const) {
        const { replayed, written } = replay(format, log, memory, 60_000);
        states.add(JSON.stringify([replayed.player!.digest(), replayed.player!.kinds, replayed.player!.operations]));
        expect(Buffer.compare(written, log)).toBe(0);
      }
    }
    expect(states.size).toBe(1);
  });
});
