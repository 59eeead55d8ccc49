import { describe, expect, test } from 'vitest';
import {
  CHECKS,
  countOutcomes,
  scenarioOf,
  ScenarioProgram,
  type CheckName,
  type Scenario,
  type ScenarioJson,
} from '../../../replay/index.js';
import { mutant, type Switch } from '../../../src/index.js';
import { BROKEN } from './broken_machines.js';

type Threads = ScenarioJson['threads'];

interface Wrong {
  readonly check: CheckName;
  /** Who is at fault: a kernel, or 7.0 with a machine of `BROKEN`. */
  readonly by: string;
  readonly layout: ScenarioJson['layout'];
  readonly threads: Threads;
  readonly says: string;
}

/** Pfns 0x400 .. 0x5ff have a PT page of their own and share p2m_missing. */
const HOLE: ScenarioJson['layout'] = [
  ['nr', '4096'],
  ['hole', '1024', '1536'],
];
const IDENTITY: ScenarioJson['layout'] = [
  ['nr', '4096'],
  ['identity', '1024', '2048'],
];
/** On the tiny machine, whose pages have 4 words: three PMDs share p2m_missing_pte. */
const MISSING_PMDS: ScenarioJson['layout'] = [
  ['nr', '64'],
  ['hole', '16', '64'],
];
const NO_TREE: ScenarioJson['layout'] = [...MISSING_PMDS, ['notree']];
const BEHIND_TINY: ScenarioJson['layout'] = [['nr', '16']];
const TINY = [MISSING_PMDS, NO_TREE, BEHIND_TINY];
/** The list of the old tree ends; what lies behind is missing, or identity. */
const BEHIND: ScenarioJson['layout'] = [['nr', '1024']];
const BEHIND_IDENTITY: ScenarioJson['layout'] = [
  ['nr', '1024'],
  ['identity', '1024', '2048'],
];
const LIMIT: ScenarioJson['layout'] = [
  ['nr', '4096'],
  ['limit', '8'],
];

const SAME_LEAF: Threads = [[['set', 0x402, 'm:77']], [['set', 0x403, 'm:78']]];
const SAME_PMD: Threads = [[['set', 0x12, 'm:77']], [['set', 0x17, 'm:78']]];
const ONE: Threads = [[['set', 0x402, 'm:77']]];
const AND_GET: Threads = [
  [
    ['set', 0x402, 'm:77'],
    ['get', 0x402],
  ],
];

const WRONG: readonly Wrong[] = [
  {
    check: 'BUG_ON',
    by: '7.0',
    layout: MISSING_PMDS,
    threads: SAME_PMD,
    says: 'set 0x17 m:78 by B ended in a kernel assertion (top-mfn-mismatch)',
  },
  {
    check: 'shared-pte-page-written',
    by: '3.19-rc1',
    layout: NO_TREE,
    threads: SAME_PMD,
    says: 'p2m_missing_pte[1] now names leaf#2 instead of p2m_missing, by set 0x17 m:78 by B: a store through it changes every area still mapped by p2m_missing_pte',
  },
  {
    check: 'shared-leaf-written',
    by: '3.18',
    layout: BEHIND_IDENTITY,
    threads: ONE,
    says: 'p2m_identity[2] now holds m:77 instead of ~, by set 0x402 m:77 by A: it is an entry of every pfn whose leaf is p2m_identity',
  },
  {
    check: 'shared-leaf-written',
    by: 'stores in p2m_missing',
    layout: HOLE,
    threads: ONE,
    says: 'p2m_missing[2] now holds m:77 instead of ~, by set 0x402 m:77 by A: it is an entry of every pfn whose leaf is p2m_missing',
  },
  {
    check: 'bystander-changed',
    by: '3.19',
    layout: IDENTITY,
    threads: ONE,
    says: '0x403, which no operation sets, reads i:1029 after a step of set 0x402 m:77 by A; before the run it read i:1027',
  },
  {
    check: 'bystander-changed',
    by: '3.18',
    layout: BEHIND_IDENTITY,
    threads: [[['alloc', 0x402]]],
    says: '0x402, which no operation sets, reads ~ after a step of alloc 0x402 by A; before the run it read i:1026',
  },
  {
    check: 'target-had-never-set-value',
    by: '3.19',
    layout: IDENTITY,
    threads: ONE,
    says: '0x402 reads i:1028 after a step of set 0x402 m:77 by A; before the run it read i:1026, and operations set only m:77 there',
  },
  {
    check: 'lookup-outside-interval',
    by: 'finds all entries missing',
    layout: IDENTITY,
    threads: AND_GET,
    says: 'get 0x402 by A returned ~, but from its first step to its last 0x402 read m:77',
  },
  {
    check: 'lookup-never-set-value',
    by: 'makes entries up',
    layout: IDENTITY,
    threads: AND_GET,
    says: 'get 0x402 by A returned m:9; before the run it read i:1026, and operations set only m:77 there',
  },
  {
    check: 'mfn-tree-misses-leaf',
    by: 'does not store in the mid page',
    layout: HOLE,
    threads: ONE,
    says: "the list has leaf#1 for 0x402, and the tools' tree has p2m_missing there (boot mid#1[2])",
  },
  {
    check: 'mfn-tree-misses-leaf',
    by: '3.16',
    layout: BEHIND_TINY,
    threads: SAME_PMD,
    says: "the list has leaf#2 for 0x12, and the tools' tree has p2m_missing there (mid#2[0])",
  },
  {
    check: 'top-mismatch',
    by: 'does not store p2m_top_mfn_p',
    layout: MISSING_PMDS,
    threads: [SAME_PMD[0]!],
    says: 'at the end p2m_top_mfn[1] names mid#1, p2m_top_mfn_p[1] names mid_missing',
  },
  {
    check: 'leak',
    by: '3.16',
    layout: BEHIND,
    threads: SAME_LEAF,
    says: 'leaf#1, which A allocated, is not freed, and no p2m_top, no mid page and no p2m_top_mfn names it',
  },
  {
    check: 'leak',
    by: 'forgets a page',
    layout: HOLE,
    threads: ONE,
    says: 'leaf#1, which A allocated, is not freed, and no PMD, no PT page and no p2m_top_mfn names it',
  },
  {
    check: 'freed-page-reachable',
    by: 'frees the leaf it has linked',
    layout: HOLE,
    threads: ONE,
    says: 'leaf#1 was freed, and boot pte#1[2] still names it',
  },
  {
    check: 'double-free',
    by: 'frees a page twice',
    layout: HOLE,
    threads: ONE,
    says: 'set 0x402 m:77 by A frees leaf#1, which was freed before',
  },
  {
    check: 'lost-update',
    by: '3.18',
    layout: BEHIND_IDENTITY,
    threads: ONE,
    says: 'at the end 0x402 reads i:1026, but what the threads last set there, and were told true, is m:77',
  },
  {
    check: 'lost-update',
    by: '3.16',
    layout: BEHIND,
    threads: SAME_LEAF,
    says: 'at the end 0x402 reads ~, but what the threads last set there, and were told true, is m:77',
  },
  {
    check: 'last-pfn-too-low',
    by: '5.12',
    layout: LIMIT,
    threads: [[['set', 0x40002, 'm:77']]],
    says: 'at the end xen_p2m_last_pfn is 0x40002, and leaf#1, the leaf of 0x40002, reaches to 0x40200',
  },
  {
    check: 'shared-max_pfn-too-low',
    by: 'does not tell max_pfn',
    layout: LIMIT,
    threads: [[['set', 0x40002, 'm:77']]],
    says: 'at the end max_pfn is 0x1000, and xen_p2m_last_pfn is 0x40200',
  },
  {
    check: 'deadlock',
    by: 'keeps the lock',
    layout: MISSING_PMDS,
    threads: [SAME_PMD[0]!],
    says: 'A waits for p2m_update_lock, and A holds it: nobody can go on',
  },
  {
    check: 'private-page-changed',
    by: 'does not look again under the lock',
    layout: HOLE,
    threads: SAME_LEAF,
    says: 'boot pte#1[2] named leaf#2, a private page, and names leaf#1 now, by set 0x403 m:78 by B',
  },
  {
    check: 'private-page-changed',
    by: '3.19-rc1',
    layout: NO_TREE,
    threads: SAME_PMD,
    says: 'leaf#2, a private leaf, is reached by PMD 2 and p2m_missing_pte[1] and by PMD 3 and p2m_missing_pte[1] after a step of set 0x17 m:78 by B',
  },
  {
    check: 'private-page-changed',
    by: '3.16',
    layout: BEHIND,
    threads: SAME_LEAF,
    says: 'boot tree_mid#1[2] named leaf#1, a private page, and names leaf#2 now, by set 0x403 m:78 by B',
  },
  {
    check: 'list-and-tree-differ',
    by: '7.0',
    layout: MISSING_PMDS,
    threads: SAME_PMD,
    says: 'set 0x12 m:77 by A has returned true, and p2m_top_mfn[1] names mid#2, p2m_top_mfn_p[1] names mid_missing',
  },
  {
    check: 'list-and-tree-differ',
    by: 'does not store in the mid page',
    layout: HOLE,
    threads: ONE,
    says: "set 0x402 m:77 by A has returned true, and the list has leaf#1 for 0x402, and the tools' tree has p2m_missing there (boot mid#1[2])",
  },
  {
    check: 'list-and-tree-differ',
    by: 'stores in the mid page that all share',
    layout: HOLE,
    threads: ONE,
    says: 'leaf#1, a private leaf, is linked at mid_missing[2], which all areas share, by set 0x402 m:77 by A',
  },
  {
    check: 'list-and-tree-differ',
    by: '3.19-rc1',
    layout: NO_TREE,
    threads: SAME_PMD,
    says: 'leaf#2, a private leaf, is linked at p2m_missing_pte[1], which all areas share, by set 0x17 m:78 by B',
  },
  {
    check: 'not-linearizable',
    by: '3.19',
    layout: IDENTITY,
    threads: [[['set', 0x402, 'm:77']], [['lookup', 0x402]]],
    says: 'lookup 0x402 by B (operation 2) returned i:1028, which was not there before the run, and no set stores it that returned true or is in hand',
  },
  {
    check: 'not-linearizable',
    by: '3.16',
    layout: BEHIND,
    threads: [
      [['set', 0x402, 'm:77']],
      [
        ['set', 0x403, 'm:78'],
        ['lookup', 0x402],
      ],
    ],
    says: 'lookup 0x402 by B (operation 3) returned ~ although set 0x402 m:77 by A (operation 1) had returned true before it began, and nobody sets ~',
  },
  {
    check: 'use-after-free',
    by: '3.18',
    layout: BEHIND_TINY,
    threads: SAME_PMD,
    says: 'set 0x17 m:78 by B stores in tree_mid#1, which was freed before',
  },
  {
    check: 'use-after-free',
    by: 'frees the leaf it has linked',
    layout: HOLE,
    threads: [
      [
        ['alloc', 0x402],
        ['lookup', 0x403],
      ],
    ],
    says: 'lookup 0x403 by A reads leaf#1, which was freed before',
  },
  {
    check: 'max-pfn-misses-leaf',
    by: '5.12',
    layout: LIMIT,
    threads: [[['set', 0x40002, 'm:77']]],
    says: 'at the end xen_p2m_last_pfn is 0x40002, and leaf#1, the leaf of 0x40002, reaches to 0x40200',
  },
  {
    check: 'false-set',
    by: '3.19-rc1',
    layout: NO_TREE,
    threads: SAME_PMD,
    says: 'set 0x17 m:78 by B returned false, and no allocation failed in it',
  },
  {
    check: 'false-set',
    by: 'gives up for nothing',
    layout: HOLE,
    threads: ONE,
    says: 'set 0x402 m:77 by A returned false, and no allocation failed in it',
  },
  {
    check: 'false-set',
    by: 'stores and says it has not',
    layout: HOLE,
    threads: [[['rawSet', 0x803, 'm:1']]],
    says: 'rawSet 0x803 m:1 by A returned false, and has stored an entry of 0x803',
  },
];

function scenarioBy(
  { by, layout, threads }: Pick<Wrong, 'by' | 'layout' | 'threads'>,
  check: readonly CheckName[],
): Scenario {
  const machines = BROKEN[by];
  const geometry = TINY.includes(layout) ? 'tiny' : 'x86_64';
  const json: ScenarioJson = { kernel: machines === undefined ? by : '7.0', geometry, layout, threads };
  return { ...scenarioOf(json), machines: machines ?? {}, check };
}

/** By check: what is said of the outcome that breaks it with the fewest switches. */
function broken(scenario: Scenario): Map<CheckName, string> {
  const program = new ScenarioProgram(scenario);
  const counts = countOutcomes(program);
  if (!counts.complete) throw new Error('the bound was hit');
  const found = new Map<CheckName, string>();
  for (const { broken: bits, schedule } of [...counts.outcomes].sort((a, b) => a.switches - b.switches)) {
    for (const agent of schedule) program.step(agent);
    expect(program.broken()).toBe(bits);
    CHECKS.forEach((name, check) => {
      if ((bits & (1 << check)) !== 0 && !found.has(name)) found.set(name, program.explain(check));
    });
    schedule.forEach(() => program.undo());
  }
  return found;
}

describe('a check of a scenario', () => {
  test.each(CHECKS)('%s is seen broken below', (check) => {
    expect(WRONG.map((wrong) => wrong.check)).toContain(check);
  });

  const calm: [string, ScenarioJson['layout'], Threads][] = [
    ['sets in one missing leaf', HOLE, SAME_LEAF],
    ['sets in one identity leaf', IDENTITY, SAME_LEAF],
    [
      'a set and look-ups of its pfn',
      IDENTITY,
      [
        ONE[0]!,
        [
          ['lookup', 0x402],
          ['get', 0x402],
        ],
      ],
    ],
    [
      'sets of what the leaf stands for',
      HOLE,
      [
        [['set', 0x402, '~']],
        [
          ['set', 0x402, 'm:1'],
          ['lookup', 0x402],
        ],
      ],
    ],
    [
      'the same of identity',
      IDENTITY,
      [
        [['set', 0x402, 'i:1026']],
        [
          ['set', 0x402, 'm:1'],
          ['lookup', 0x402],
        ],
      ],
    ],
    [
      'stores that do not allocate',
      HOLE,
      [
        [
          ['rawSet', 0x402, 'm:1'],
          ['alloc', 0x402],
        ],
        [['rawSet', 0x402, 'm:2']],
      ],
    ],
    [
      'PMDs of their own',
      MISSING_PMDS,
      [
        [['set', 0x12, 'm:77']],
        [
          ['lookup', 0x12],
          ['set', 0x22, 'm:78'],
        ],
      ],
    ],
    ['one PMD without a tree', NO_TREE, SAME_PMD],
    ['a list that grows', LIMIT, [[['set', 0x40002, 'm:77']], [['lookup', 0x40003]]]],
  ];
  test.each(calm.flatMap((row) => ['3.19.8', '7.0'].map((by) => [by, ...row] as const)))(
    'is silent on %s: %s',
    (by, _, layout, threads) => {
      expect([...broken(scenarioBy({ by, layout, threads }, CHECKS))]).toEqual([]);
    },
  );

  const mutants: [Switch, string, ScenarioJson['layout'], Threads, CheckName][] = [
    ['pmdLoserWalksAgain', '7.0', NO_TREE, SAME_PMD, 'shared-pte-page-written'],
    ['identityBaseMasked', '7.0', IDENTITY, ONE, 'bystander-changed'],
    ['lastPfnAligned', '7.0', LIMIT, [[['set', 0x40002, 'm:77']]], 'max-pfn-misses-leaf'],
    ['outOfRangeIsFalse', '7.0', HOLE, [[['rawSet', 0x80002, 'm:1']]], 'BUG_ON'],
    ['treeLeafReadOnce', '3.18', BEHIND, SAME_LEAF, 'lost-update'],
    ['treeMidMfnLoserUsesWinner', '3.18', BEHIND_TINY, SAME_PMD, 'mfn-tree-misses-leaf'],
  ];
  test.each(mutants)('sees %s of %s flipped', (flipped, by, layout, threads, check) => {
    const scenario = scenarioBy({ by, layout, threads }, [check]);
    expect([...broken(scenario)]).toEqual([]);
    expect([...broken({ ...scenario, form: mutant(scenario.form, flipped) }).keys()]).toEqual([check]);
  });

  test('that is not held costs no state', () => {
    const scenario = scenarioBy({ by: '7.0', layout: HOLE, threads: SAME_LEAF }, CHECKS);
    const statesOf = (check: readonly CheckName[]): number =>
      countOutcomes(new ScenarioProgram({ ...scenario, check })).states;
    expect(statesOf(CHECKS.filter((name) => name !== 'lookup-outside-interval'))).toBe(statesOf(['BUG_ON']));
  });
});

describe.each(WRONG)('$check, by $by', (wrong) => {
  test('is broken where it is all that is held, and says how', () => {
    expect([...broken(scenarioBy(wrong, [wrong.check]))]).toEqual([[wrong.check, wrong.says]]);
  });

  test('is broken where everything is held', () => {
    expect([...broken(scenarioBy(wrong, CHECKS)).keys()]).toContain(wrong.check);
  });
});
