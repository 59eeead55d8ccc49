import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { raceLog, recordedLog, transcript } from './travelled_logs.js';

const HOLD = fileURLToPath(new URL('../../recordings/k61-512M-hold', import.meta.url));
const golden = (name: string): string => fileURLToPath(new URL(`transcripts/${name}.txt`, import.meta.url));

/** Every kind of move through a race, and what there is to ask in the middle of it. */
const RACE = [
  'break set_phys_to_machine',
  'c 2',
  'info ops',
  'checkpoint',
  'watch lock',
  'c',
  'l',
  'finish',
  'delete 2',
  's',
  'n',
  'p',
  'watch pte 0x80002',
  'watch 0x40003',
  'delete 1',
  'c',
  'info watch',
  'c',
  'bt',
  'list',
  'rc',
  'rc',
  'rs 3',
  'restart 1',
  'goto end',
  'x/4 0x40000',
  'x/2w 0x40002',
  'x/2w 0x80002',
  'print 0x40002',
  'print xen_p2m_size',
  'print lock',
  'map',
  'map 0x40003',
  'info log',
];

/** Questions about what a recorded guest did: tasks, times, lines of the trace. */
const HOLD_LINES = [
  'info log',
  'goto end',
  'when',
  'bt',
  'p',
  'p',
  'watch 0x4ffb3',
  'rc',
  'rc',
  'when',
  'c 2',
  'goto @139.300000',
  'goto 1.5s',
  'when',
  'map 0x4ffb3',
  'break set_foreign_p2m_mapping',
  'rc',
];

describe('TravelSession', () => {
  it('goes through the race of 3.19-rc1 as it always has', async () => {
    await expect(`${transcript(raceLog(), RACE).join('\n')}\n`).toMatchFileSnapshot(golden('race'));
  });

  it('goes through a recording as it always has', async () => {
    const log = await recordedLog(HOLD);
    await expect(`${transcript(log, HOLD_LINES).join('\n')}\n`).toMatchFileSnapshot(golden('hold'));
  });
});
