import { describe, expect, it } from 'vitest';
import { findings, replay } from './recordings.js';
import { WRITTEN_HEADER, writtenRecording, type WrittenList } from './written_log.js';

const OK = { verdict: 'ok', exitCode: 0, found: [] };
/** A pfn of a p2m_missing leaf, which has a PT page of its own: an allocation needs one page. */
const PFN = 512;
const PAGE = '0xffff888006451000';
const NONE = '0x0';

const store = (mfn: string, ret: 0 | 1): string[] => [
  `A __set_phys_to_machine pfn=0x200 mfn=${mfn}`,
  `A __set_phys_to_machine_ret ret=${ret}`,
];
const page = (address: string): string[] => ['A alloc_p2m_page ', `A alloc_p2m_page_ret page=${address}`];
const alloc = (steps: string[], ret: string): string[] => [
  'A xen_alloc_p2m_entry pfn=0x200',
  ...steps,
  `A xen_alloc_p2m_entry_ret ret=${ret}`,
];
/** A first store: 0, an allocation, then the store again where that succeeded. */
const firstSet = (address: string, allocRet: string, ret: 0 | 1): string[] => [
  'A set_phys_to_machine pfn=0x200 mfn=0x77',
  ...store('0x77', 0),
  ...alloc(page(address), allocRet),
  ...(address === NONE ? [] : store('0x77', 1)),
  `A set_phys_to_machine_ret ret=${ret}`,
];
const lookUp = (word: string): string[] => ['A get_phys_to_machine pfn=0x200', `A get_phys_to_machine_ret mfn=${word}`];

const replayed = (lines: readonly string[], list?: WrittenList) => replay(writtenRecording(lines, list));

describe('Replayer, of xen_alloc_p2m_entry', () => {
  it.each(['-12', '0xfffffff4', '0xfffffffffffffff4', '4294967284'])(
    'fails as the log says where it was given no page: %s',
    async (ret) => {
      const report = await replayed([...alloc(page(NONE), ret), ...store('0x7', 0)], { after: new Map() });
      expect(findings(report)).toEqual(OK);
    },
  );

  it('leaves the list as it was where a set could not allocate, and succeeds the next time', async () => {
    const failed = firstSet(NONE, '-12', 0);
    expect(findings(await replayed(failed, { after: new Map() }))).toEqual(OK);
    const lines = [...failed, ...firstSet(PAGE, '0', 1), ...lookUp('0x77')];
    const list: WrittenList = { after: new Map([[PFN, 0x77n]]), kindsAfter: ['own', 'own', 'identity'] };
    expect(findings(await replayed(lines, list))).toEqual(OK);
  });

  it.each([
    ['-12 though it was given a page', alloc(page(PAGE), '-12'), 4],
    ['-12 without a word of pages', alloc([], '-12'), 2],
    ['0 though it was given no page', alloc(page(NONE), '0'), 4],
    ['another error', alloc(page(NONE), '-5'), 4],
    ['0 though it was given no page, in a set', firstSet(NONE, '0', 0), 7],
    ['-12 though it was given a page, in a set', firstSet(PAGE, '-12', 1), 7],
  ])('tells the line of a return of %s', async (_, lines, line) => {
    const report = await replayed(lines);
    expect(report).toMatchObject({ verdict: 'violated', exitCode: 1 });
    expect(report.divergences[0]).toMatchObject({ line: line + WRITTEN_HEADER, operation: 'xen_alloc_p2m_entry' });
  });

  it('tells the line of a set that claims to have stored what it could not', async () => {
    const report = await replayed(firstSet(NONE, '-12', 1));
    expect(findings(report).found).toEqual(['12 set_phys_to_machine 0x200: 1, not 0']);
  });

  it('fails inside a grant operation, whose own failure says nothing', async () => {
    const report = await replayed(
      [
        'A set_foreign_p2m_mapping count=1',
        ...lookUp('0xffffffffffffffff'),
        ...store('0x8000000000000077', 0),
        ...alloc(page(NONE), '-12'),
        'A set_foreign_p2m_mapping_ret ret=-12',
      ],
      { after: new Map() },
    );
    expect(findings(report)).toEqual(OK);
    expect(report.unchecked.returns).toBe(1);
  });

  it('is no step of a grant operation whose store of the pfn has succeeded', async () => {
    const FOREIGN = '0x8000000000000077';
    const map = (...steps: string[]): string[] => [
      ...firstSet(PAGE, '0', 1),
      ...store('0xffffffffffffffff', 1),
      'A set_foreign_p2m_mapping count=1',
      ...lookUp('0xffffffffffffffff'),
      ...store(FOREIGN, 1),
      ...steps,
      'A set_foreign_p2m_mapping_ret ret=0',
    ];
    const list = { after: new Map([[PFN, BigInt(FOREIGN)]]) };
    expect(findings(await replayed(map(), { ...list, kindsAfter: ['own', 'own', 'identity'] }))).toEqual(OK);
    const report = await replayed(map(...alloc([], '0'), ...store(FOREIGN, 1)));
    const line = map().length + WRITTEN_HEADER;
    expect(findings(report).found).toEqual([
      `${line} xen_alloc_p2m_entry call 0x200: a call, not no such call: the store has succeeded`,
    ]);
  });
});

const pte = (linux: string, raw: string): string =>
  `A xen_mmu_set_pte ptep ffff888006522000 pteval ${linux} (raw ${raw})`;

describe('Replayer, of the page-table lines inside an allocation', () => {
  it('takes the page that it was given, and asks its frame of the p2m too', async () => {
    const right = alloc([...page(PAGE), pte('8000000006451063', '8000000006451063')], '0');
    expect(await replayed(right)).toMatchObject({ verdict: 'ok', checked: { frames: 0, returns: 1 } });
  });

  it.each([
    ['another page', [pte('8000000006452063', '8000000006452063')], 4],
    ['another machine frame', [pte('8000000006451063', '8000000006459063')], 4],
    ['a second store', [pte('8000000006451063', '8000000006451063'), pte('8000000006451063', '8000000006451063')], 5],
    ['a PMD where none is needed', ['A xen_mmu_set_pmd pmdp 00 pmdval 0000000006451063 (raw 0000000006451063)'], 4],
  ])('tells the line of %s', async (_, steps, line) => {
    const report = await replayed(alloc([...page(PAGE), ...steps], '0'));
    expect(report).toMatchObject({ verdict: 'violated', divergenceCount: 1 });
    expect(report.divergences[0]!.line).toBe(line + WRITTEN_HEADER);
  });
});
