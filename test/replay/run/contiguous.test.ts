import { describe, expect, it } from 'vitest';
import { findings, replay } from './recordings.js';
import { WRITTEN_HEADER, writtenRecording, type WrittenList } from './written_log.js';

const INVALID = '0xffffffffffffffff';
/** Pfns 0 to 63 have frames. */
const words = new Map(Array.from({ length: 64 }, (_, pfn) => [pfn, BigInt(0x1000 + pfn)] as const));
const REGION = 8;
const FRAMES = 0x9000;

const hex = (n: number): string => `0x${n.toString(16)}`;
const store = (pfn: number, mfn: string, task = 'C'): string[] => [
  `${task} __set_phys_to_machine pfn=${hex(pfn)} mfn=${mfn}`,
  `${task} __set_phys_to_machine_ret ret=1`,
];
const set = (pfn: number, mfn: string, task = 'C'): string[] => [
  `${task} set_phys_to_machine pfn=${hex(pfn)} mfn=${mfn}`,
  ...store(pfn, mfn, task),
  `${task} set_phys_to_machine_ret ret=1`,
];

type Probing = 'with its functions probed' | 'with set_phys_to_machine probed' | 'with __set_phys_to_machine probed';

/** The lines of a xen_create_contiguous_region that gets the frames from FRAMES on. */
function region(order: number, how: Probing = 'with set_phys_to_machine probed', pfn = REGION): string[] {
  const slots = Array.from({ length: 2 ** order }, (_, i) => i);
  const zaps = slots.flatMap((i) => store(pfn + i, INVALID));
  const stores = slots.flatMap((i) =>
    how === 'with __set_phys_to_machine probed' ? store(pfn + i, hex(FRAMES + i)) : set(pfn + i, hex(FRAMES + i)),
  );
  const within = (name: string, steps: string[]): string[] =>
    how === 'with its functions probed'
      ? [`C ${name} vaddr=0xffff888000000000 order=${order}`, ...steps, `C ${name}_ret `]
      : steps;
  return [
    `C xen_create_contiguous_region pstart=${hex(pfn * 4096)} order=${order} bits=64`,
    ...within('xen_zap_pfn_range', zaps),
    ...within('xen_remap_exchanged_ptes', stores),
    'C xen_create_contiguous_region_ret ret=0',
  ];
}

const replayed = (lines: readonly string[], list: WrittenList = { words }) => replay(writtenRecording(lines, list));
const OK = { verdict: 'ok', exitCode: 0, found: [] };

describe('Replayer, of xen_create_contiguous_region', () => {
  it.each([
    [0, 'with its functions probed'],
    [1, 'with set_phys_to_machine probed'],
    [2, 'with __set_phys_to_machine probed'],
    [5, 'with its functions probed'],
  ] as const)(
    'takes the 2^order stores of INVALID and of consecutive mfns for its own: order %i, %s',
    async (order, how) => {
      const after = new Map(Array.from({ length: 2 ** order }, (_, i) => [REGION + i, BigInt(FRAMES + i)] as const));
      const report = await replayed(region(order, how), { words, after });
      expect(findings(report)).toEqual(OK);
      expect(report.operations).toEqual({ xen_create_contiguous_region: 1 });
    },
  );

  it('takes a region of 512 pfns', async () => {
    const list: WrittenList = { kinds: ['own', 'own', 'identity'] };
    expect(findings(await replayed(region(9, undefined, 512), list))).toEqual(OK);
  });

  const lines = region(2);

  /** The step that is altered is the one of which the replay tells. */
  it.each([
    ['a zap of another pfn', '__set_phys_to_machine pfn=0x9 mfn=0xffffffffffffffff', 'pfn=0x9', 'pfn=0xa'],
    ['a frame that is not the next', 'set_phys_to_machine pfn=0xa mfn=0x9002', '0x9002', '0x9005'],
    ['a frame stored to another pfn', 'set_phys_to_machine pfn=0xa mfn=0x9002', 'pfn=0xa', 'pfn=0x1a'],
  ])('tells the line of %s', async (_, step, from, to) => {
    const line = lines.findIndex((text) => text.includes(` ${step}`));
    const changed = lines.map((text, i) =>
      text.includes(step.replace(/^_+/, '')) && i >= line && i <= line + 1 ? text.replace(from, to) : text,
    );
    const report = await replayed(changed);
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect(report.divergences[0]!.line).toBe(line + 1 + WRITTEN_HEADER);
  });

  it('tells the return after one store too few or too many', async () => {
    const few = await replayed([...lines.slice(0, -5), lines.at(-1)!]);
    expect(findings(few).found).toEqual([expect.stringMatching(/^26 xen_create_contiguous_region 0x8: 4 and 3 of 7/)]);
    const many = await replayed([...lines.slice(0, -1), ...store(12, '0x9004'), lines.at(-1)!]);
    expect(findings(many).found).toEqual([expect.stringMatching(/^32 xen_create_contiguous_region 0x8: /)]);
  });

  it('asks nothing of a region that failed, and gives its frames back', async () => {
    const restored = Array.from({ length: 4 }, (_, i) => set(REGION + i, hex(0x1000 + REGION + i)));
    for (const ret of ['-12', '0xfffffff4']) {
      const failed = [...lines.slice(0, 9), ...restored.flat(), `C xen_create_contiguous_region_ret ret=${ret}`];
      const report = await replayed(failed, { words, after: new Map() });
      expect(findings(report)).toEqual(OK);
      expect(report.unchecked.returns).toBe(1);
    }
  });

  it('ends without a return probe where its last step has', async () => {
    const look = ['C get_phys_to_machine pfn=0x8', 'C get_phys_to_machine_ret mfn=0x9000'];
    const report = await replayed([...lines.slice(0, -1), ...look]);
    expect(findings(report)).toEqual(OK);
    expect(report.operations).toEqual({ xen_create_contiguous_region: 1, get_phys_to_machine: 1 });
    expect(report.unchecked.returns).toBe(1);
  });

  it('is not disturbed by an interrupt, nor by another task', async () => {
    const look = ['C get_phys_to_machine pfn=0x28', 'C get_phys_to_machine_ret mfn=0x1028'];
    const other = set(40, '0x77', 'B');
    const report = await replayed([...lines.slice(0, 3), ...look, ...lines.slice(3, 5), ...other, ...lines.slice(5)]);
    expect(findings(report)).toEqual(OK);
    expect(report).toMatchObject({
      overlaps: 1,
      operations: { xen_create_contiguous_region: 1, set_phys_to_machine: 1 },
    });
  });

  it('is checked where nothing is known of the list', async () => {
    expect(findings(await replayed(lines, { noDump: true }))).toEqual(OK);
    const wrong = lines.map((line) => line.replace('0x9002', '0x9005'));
    expect(await replayed(wrong, { noDump: true })).toMatchObject({ verdict: 'violated' });
  });

  it('asks no zaps of a log that cannot show them', async () => {
    const shown = lines.filter((line) => !line.includes('__set_phys_to_machine'));
    expect(await replayed(shown)).toMatchObject({ verdict: 'ok', unchecked: { returns: 1 } });
  });
});

describe('Replayer, of xen_destroy_contiguous_region', () => {
  it.each([[['C xen_destroy_contiguous_region_ret ']], [[]]])(
    'plays its steps, whatever frames they give: %j',
    async (end) => {
      const steps = [...store(8, INVALID), ...store(9, INVALID), ...set(8, '0x55'), ...set(9, '0x99')];
      const lines = ['C xen_destroy_contiguous_region pstart=0x8000 order=1', ...steps, ...end];
      const report = await replayed(lines, {
        words,
        after: new Map([
          [8, 0x55n],
          [9, 0x99n],
        ]),
      });
      expect(findings(report)).toEqual(OK);
    },
  );
});
