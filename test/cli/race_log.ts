import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runP2m, temporaryFolder } from './run_p2m.js';

let made: string | undefined;

/** The race of 2014 in a list of 48 pfns: event 98 of its 99 writes p2m_missing_pte. */
function raceEvents(): string {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'p2m-race-'));
  const file = join(folder, 'race.jsonl');
  const list = ['--kernel', '3.19-rc1', '--geometry', 'tiny', '--layout', 'nr 48; hole 16 48'];
  const threads = ['--thread', 'set 18 m:77', '--thread', 'set 19 m:78'];
  runP2m(['explore', ...list, ...threads, '--check', 'shared-pte-page-written', '-o', file]);
  made = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  return made;
}

/** Its log in a file, `change`d before. */
export function raceLog(change: (events: string) => string = (events) => events): string {
  const file = join(temporaryFolder(), 'race.jsonl');
  writeFileSync(file, change(raceEvents()));
  return file;
}

/** The first `count` of the events, as a whole log. */
export function firstEvents(count: number): (events: string) => string {
  return (events) => [...events.split('\n').slice(0, 1 + count), `{"end":true,"events":${count}}`, ''].join('\n');
}
