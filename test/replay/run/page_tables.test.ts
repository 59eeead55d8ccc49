import { describe, expect, it } from 'vitest';
import { FOREIGN } from './racing_log.js';
import { replay } from './recordings.js';
import { WRITTEN_HEADER, writtenRecording, type WrittenList } from './written_log.js';

/** Pfn 8 is frame 0x1008, 9 a foreign one, 10 INVALID; 0x2xx is a p2m_missing leaf, 0x4xx p2m_identity. */
const words = new Map([
  [8, 0x1008n],
  [9, FOREIGN | 0x77n],
]);

const line = (linux: string, raw: string, event = 'xen_mmu_set_pte', task = 'A'): string =>
  `${task} ${event} ptep ffff888006522000 pteval ${linux} (raw ${raw})`;
const replayed = (lines: readonly string[], list: WrittenList = { words }) => replay(writtenRecording(lines, list));

describe('Replayer, of page-table lines outside an allocation', () => {
  it.each([
    ['a frame', '0000000000008063', '0000000001008063'],
    ['a frame, with the NX bit', '8000000000008063', '8000000001008063'],
    ['a foreign frame, without its bit', '0000000000009063', '0000000000077063'],
    ['a pfn of p2m_identity, without its bit', '0000000000401063', '0000000000401063'],
    ['a pfn beyond the list', '00000000fed00063', '00000000fed00063'],
  ])('takes %s for the entry of the p2m', async (_, linux, raw) => {
    expect(await replayed([line(linux, raw)])).toMatchObject({ verdict: 'ok', checked: { frames: 1 } });
    const last = raw.at(-4) === '9' ? '7' : '9';
    const report = await replayed([line(linux, raw.slice(0, -4) + last + raw.slice(-3))]);
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1, divergenceCount: 1 });
    expect(report.divergences[0]).toMatchObject({ line: 1 + WRITTEN_HEADER, operation: 'xen_mmu_set_pte' });
  });

  it.each([
    ['an entry that maps nothing', '0000000000000000', '0000000000000000', 'xen_mmu_set_pte'],
    ['an entry that is not present', '0000000000008062', '0000000000008062', 'xen_mmu_set_pte'],
    ['xen_mmu_set_p4d, which prints frames of Linux twice', '0000000000008063', '0000000000008063', 'xen_mmu_set_p4d'],
  ])('asks nothing of %s', async (_, linux, raw, event) => {
    expect(await replayed([line(linux, raw, event)])).toMatchObject({ verdict: 'ok', checked: { frames: 0 } });
  });

  it('knows what a call before it has stored', async () => {
    const stored = ['A __set_phys_to_machine pfn=0x8 mfn=0x55', 'A __set_phys_to_machine_ret ret=1'];
    const now = line('0000000000008063', '0000000000055063');
    expect(await replayed([...stored, now])).toMatchObject({ verdict: 'ok', checked: { frames: 1 } });
    const before = line('0000000000008063', '0000000001008063');
    expect(await replayed([...stored, before])).toMatchObject({ verdict: 'violated' });
  });

  it('allows both values while another task stores', async () => {
    for (const raw of ['0000000001008063', '0000000000055063']) {
      const report = await replayed([
        'A __set_phys_to_machine pfn=0x8 mfn=0x55',
        line('0000000000008063', raw, 'xen_mmu_set_pte', 'B'),
        'A __set_phys_to_machine_ret ret=1',
      ]);
      expect(report).toMatchObject({ verdict: 'ok' });
    }
  });

  it('counts only entries that are known, without a dump', async () => {
    const list = { noDump: true };
    const here = line('0000000000008063', '0000000000055063');
    expect(await replayed([here], list)).toMatchObject({ verdict: 'ok', checked: { frames: 0 } });
    const seen = (mfn: string): string[] => ['A get_phys_to_machine pfn=0x8', `A get_phys_to_machine_ret mfn=${mfn}`];
    expect(await replayed([...seen('0x55'), here], list)).toMatchObject({ verdict: 'ok', checked: { frames: 1 } });
    expect(await replayed([...seen('0x56'), here], list)).toMatchObject({ verdict: 'violated' });
    // p2m_identity or a word of its own: the frame is the same.
    const identity = line('0000000000008063', '0000000000008063');
    expect(await replayed([...seen('0x4000000000000008'), identity], list)).toMatchObject({ checked: { frames: 1 } });
  });
});
