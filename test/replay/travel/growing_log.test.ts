import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keepLog, openSegmentedLog } from '../../../node/index.js';
import { TravelSession } from '../../../replay/index.js';
import { allPieces } from '../../../replay/travel/pieces.js';
import { bootEngine } from '../../../src/library.js';

const folder = mkdtempSync(join(tmpdir(), 'p2m-travel-'));
afterAll(() => rmSync(folder, { recursive: true }));

const say = (to: TravelSession, line: string): readonly string[] => allPieces(to.execute(line)).lines;

/** A log that its writer has not closed, and what makes it longer by a set. */
async function growing(name: string) {
  const path = join(folder, name);
  const engine = bootEngine({ nrPages: 64, geometry: 'tiny', log: keepLog(path, { segmentBytes: 4000 }) });
  await engine.flush();
  const grow = async (pfn: number): Promise<void> => {
    await engine.execute({ operation: 'set_phys_to_machine', pfn, value: `m:${pfn + 500}` });
    await engine.flush();
  };
  return { path, engine, grow };
}

describe('TravelSession on a log that grows', () => {
  it.each(['c', 'n', 's'])('goes on with what has come where %s is said at the end', async (line) => {
    const { path, engine, grow } = await growing(`by-${line}`);
    const session = new TravelSession(openSegmentedLog(path));
    say(session, 'goto end');
    const before = session.prompt;
    expect(say(session, line)).toEqual(['end of the log, which its writer has not closed']);
    await grow(3);
    say(session, line);
    expect(session.prompt).not.toBe(before);
    for (let pfn = 4; pfn < 40; pfn++) await grow(pfn);
    await engine.close();
    say(session, 'c');
    say(session, 'c');
    const fresh = new TravelSession(openSegmentedLog(path));
    say(fresh, 'goto end');
    for (const asked of ['when', 'list', 'bt', 'm', 'info ops', 'x/8 0x20', 'p', 'when', 'rc', 'c', 'c']) {
      expect(say(session, asked)).toEqual(say(fresh, asked));
    }
  });

  it('says how many events have come where it is asked to look', async () => {
    const { path, engine, grow } = await growing('asked');
    const session = new TravelSession(openSegmentedLog(path));
    expect(say(session, 'reload')).toEqual(['nothing new']);
    const events = engine.appended;
    await grow(3);
    expect(say(session, 'reload')).toEqual([`${engine.appended - events} more, up to event ${engine.appended - 1}`]);
    expect(session.prompt).toBe('(p2m start) ');
    expect(say(session, `goto ${engine.appended - 1}`)).toHaveLength(1);
    await engine.close();
  });
});
