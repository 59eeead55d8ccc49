import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BatchLog, EventBatch, payloadColumn, type EntryCodec, type EventsHeader } from '../../../events/index.js';
import {
  explore,
  inlineScenario,
  replayRecording,
  ScenarioProgram,
  TravelSession,
  type Scenario,
} from '../../../replay/index.js';
import type { StoredLog } from '../../../events/index.js';
import { allPieces } from '../../../replay/travel/pieces.js';
import { scheduleLog } from '../audit/race_logs.js';

/** Two setters behind one shared PT page (known-defects.md B3). */
export function raceScenario(): Scenario {
  return inlineScenario({
    kernel: '3.19-rc1',
    layout: ['nr 786432; hole 262144 786432'],
    threads: ['set 0x40002 m:77', 'set 0x40003 m:78'],
    check: ['shared-pte-page-written'],
  });
}

/** The log of the race that the explorer finds there. */
export function raceLog(): BatchLog {
  const scenario = raceScenario();
  const { violations } = explore(new ScenarioProgram(scenario), { first: true });
  return scheduleLog(scenario, violations[0]!.schedule);
}

/** The log that the replay of a recording makes, `perBlock` events in a block. */
export async function recordedLog(folder: string, perBlock = 512): Promise<BatchLog> {
  const bytes = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined);
  const batches = [new EventBatch()];
  let head: { header: EventsHeader; codec: EntryCodec } | undefined;
  await replayRecording(
    {
      read: bytes,
      open: (name) => {
        const found = bytes(name);
        return found === undefined ? undefined : piecesOf(found);
      },
    },
    {
      memory: 'paged',
      keeper: (header, codec) => {
        head = { header, codec };
        return (batch) => {
          for (let i = 0; i < batch.length; i++) {
            if (batches.at(-1)!.length === perBlock) batches.push(new EventBatch());
            batches.at(-1)!.copyRow(batch, i, payloadColumn(batch.kind[i]!));
          }
        };
      },
    },
  );
  return new BatchLog(`${folder.split('/').at(-1)!}.p2mlog`, head!.header, head!.codec, batches);
}

/** What somebody would see who types the lines, as `p2m replay -x` prints it. */
export function transcript(log: StoredLog, lines: readonly string[]): string[] {
  const session = new TravelSession(log);
  return lines.flatMap((line) => [`${session.prompt}${line}`, ...allPieces(session.execute(line)).lines]);
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
