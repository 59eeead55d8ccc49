import { expect, it, vi } from 'vitest';
import type * as blockHeader from '../../../events/log/block_header.js';
import type * as recovery from '../../../events/log/recovery.js';
import { crashRun, faultAt, SHORT_RUN } from './crash_run.js';
import { seeded } from './faulty_disk.js';

const mutant = vi.hoisted(() => ({ isOn: false, isRecovering: false, skipped: 0 }));

vi.mock(import('../../../events/log/recovery.js'), async (original) => {
  const actual: typeof recovery = await original();
  const recoverLog: typeof actual.recoverLog = async (...asked) => {
    mutant.isRecovering = mutant.isOn;
    try {
      return await actual.recoverLog(...asked);
    } finally {
      mutant.isRecovering = false;
    }
  };
  return { ...actual, recoverLog };
});

vi.mock(import('../../../events/log/block_header.js'), async (original) => {
  const actual: typeof blockHeader = await original();
  const checkBody: typeof actual.checkBody = (...asked) => {
    if (mutant.isRecovering) mutant.skipped++;
    else actual.checkBody(...asked);
  };
  return { ...actual, checkBody };
});

it('is caught by the runs with faults: a recovery that does not check the bodies of blocks', async () => {
  const caught = async (index: number): Promise<string> =>
    (await crashRun({ ...SHORT_RUN, sync: 'never' }, [faultAt(index, 'power')], seeded(index))).wrongs.join('\n');
  mutant.isOn = true;
  let index = 3;
  while (index < 60 && (await caught(index)) === '') index++;
  expect(await caught(index)).toMatch(/is damaged: got CRC-32/);
  expect(mutant.skipped).toBeGreaterThan(0);
  mutant.isOn = false;
  expect(await caught(index)).toBe('');
});
