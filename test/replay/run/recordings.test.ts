import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { recordingFiles, replay } from './recordings.js';

/** The large recordings stand beside the project; where they are absent their tests are skipped, and shown as such. */
const shared = fileURLToPath(new URL('../../../../shared/recordings', import.meta.url));

/** What a replay of each recording checks: [returns, look-ups, words, leaves]. */
const CHECKED: Readonly<Record<string, readonly [number, number, number, number]>> = {
  'k61-512M-caller': [0, 0, 1_048_576, 262_144],
  'k61-513M-xenmmu': [1536, 0, 0, 0],
  'k61-768M-tracecmd': [74_782, 33_748, 0, 0],
  'k61-1237M-pc-grant': [66_418, 33_002, 1_638_400, 262_144],
  'k612-513M-balloon': [82_048, 32_768, 2_097_152, 524_288],
  'k612-640M-mix': [114_304, 35_864, 1_048_576, 262_144],
};

const NOTHING_LOST = { events: 0, lines: 0, returns: 0 };

describe('replayRecording of the recordings that ship with the project', () => {
  it.each(['flat', 'paged'] as const)('finds nothing wrong in k61-512M-balloon on the %s memory', async (memory) => {
    const report = await replay(recordingFiles('k61-512M-balloon'), { memory });
    expect(report).toMatchObject({
      verdict: 'ok',
      exitCode: 0,
      kernel: '6.1',
      geometry: 'x86_64',
      memory,
      events: 8192 + 24_576,
      operations: { __set_phys_to_machine: 4096, set_phys_to_machine: 6144 },
      tasks: { 'xen-balloon': 32_768 },
      unused: {},
      checked: { returns: 16_384, lookups: 0, entries: 2 * 1_048_576, ptes: 2 * 262_144, frames: 0 },
      unchecked: { returns: 0, lookups: 0, entries: 0 },
      divergenceCount: 0,
      divergences: [],
      lost: NOTHING_LOST,
      overlaps: 0,
      ties: 0,
    });
    expect(report.steps.map(({ verdict, final }) => [verdict, final])).toEqual([
      ['ok', { dump: 'down', compared: 1_048_576, differences: 0, beyond: 0 }],
      ['ok', { dump: 'up', compared: 1_048_576, differences: 0, beyond: 0 }],
    ]);
    expect(report.final).toEqual(report.steps[1]!.final);
  });

  it.each(['flat', 'paged'] as const)('finds nothing wrong in k61-512M-hold on the %s memory', async (memory) => {
    const report = await replay(recordingFiles('k61-512M-hold'), { memory });
    expect(report).toMatchObject({
      verdict: 'ok',
      exitCode: 0,
      events: 628,
      operations: { xen_alloc_p2m_entry: 78, set_foreign_p2m_mapping: 1, clear_foreign_p2m_mapping: 1 },
      checked: { returns: 78 + 78 + 78 + 2, lookups: 78, entries: 2 * 1_048_576, ptes: 2 * 262_144, frames: 0 },
      unchecked: { returns: 0, lookups: 0, entries: 0 },
      divergenceCount: 0,
      lost: NOTHING_LOST,
    });
    expect(report.steps[0]!.checkpoints).toEqual([{ dump: 'mapped', compared: 1_048_576, differences: 0, beyond: 0 }]);
  });
});

describe('replayRecording of other formats that ship with the project', () => {
  it.each(['flat', 'paged'] as const)(
    'knows of a perf script what its values decide, on the %s memory',
    async (memory) => {
      const report = await replay(recordingFiles('k61-768M-perf'), { memory });
      expect(report).toMatchObject({ verdict: 'ok', divergenceCount: 0, lost: NOTHING_LOST, final: null });
      expect(report.checked).toEqual({ returns: 9192, lookups: 920, entries: 0, ptes: 0, frames: 0 });
      expect(report.unchecked).toEqual({ returns: 12, lookups: 60, entries: 0 });
      expect(report).toMatchObject({ overlaps: 306, ties: 209 });
    },
  );

  it.each(['flat', 'paged'] as const)("boots from the domain builder's list, on the %s memory", async (memory) => {
    const report = await replay(recordingFiles('k61-516M-earlyboot'), { memory });
    expect(report).toMatchObject({ verdict: 'ok', divergenceCount: 0, lost: NOTHING_LOST });
    expect(report.steps[0]!.checkpoints).toMatchObject([
      { dump: 'before-vmalloc-tree', compared: 131_072, differences: 0 },
    ]);
    expect(report.final).toMatchObject({ dump: 'boot', compared: 1_048_576, differences: 0 });
    expect(report.checked.ptes).toBe(262_144);
  });
});

describe.skipIf(!existsSync(shared))('replayRecording of ../shared/recordings', () => {
  it.each(Object.keys(CHECKED))('finds nothing wrong in %s', async (name) => {
    const report = await replay(recordingFiles(`${shared}/${name}`));
    const { returns, lookups, entries, ptes } = report.checked;
    expect([returns, lookups, entries, ptes]).toEqual(CHECKED[name]);
    expect(report).toMatchObject({ verdict: 'ok', exitCode: 0, divergenceCount: 0, lost: NOTHING_LOST });
    expect(report.steps.flatMap(({ final }) => final?.differences ?? 0).every((n) => n === 0)).toBe(true);
  });

  it('counts no overlap where a call without a return probe is merely the last of its task', async () => {
    const report = await replay(recordingFiles(`${shared}/k61-512M-caller`));
    expect(report.overlaps).toBe(0);
    expect(report.unchecked).toEqual({ returns: 1108, lookups: 42, entries: 0 });
  });

  it('counts the calls that really overlapped', async () => {
    expect((await replay(recordingFiles(`${shared}/k612-640M-mix`))).overlaps).toBe(2156);
  });
});
