import { describe, expect, test } from 'vitest';
import {
  CHECKS,
  countOutcomes,
  scenarioOf,
  ScenarioProgram,
  type CheckName,
  type ScenarioJson,
} from '../../../replay/index.js';
import { enumerate } from '../explore/enumerate.js';
import { BROKEN } from './broken_machines.js';

/** 0x402 is missing in a leaf of its own, 0x802 in p2m_missing. */
const MIXED: ScenarioJson['layout'] = [
  ['nr', '4096'],
  ['hole', '1024', '1100'],
  ['hole', '2048', '2560'],
];
const TREE: ScenarioJson['layout'] = [
  ['nr', '1024'],
  ['identity', '1024', '2048'],
];

interface Case {
  /** A kernel, or 7.0 with a machine of `BROKEN`. */
  readonly by: string;
  readonly layout: ScenarioJson['layout'];
  readonly threads: ScenarioJson['threads'];
  readonly fail?: ScenarioJson['fail'];
}

const CASES: readonly Case[] = [
  {
    by: '7.0',
    layout: MIXED,
    threads: [
      [
        ['set', 0x402, 'm:1'],
        ['get', 0x402],
      ],
      [
        ['set', 0x402, 'm:2'],
        ['lookup', 0x402],
      ],
    ],
  },
  {
    by: 'finds all entries missing',
    layout: MIXED,
    threads: [
      [['rawSet', 0x402, 'm:1']],
      [
        ['get', 0x402],
        ['get', 0x402],
      ],
    ],
  },
  {
    by: 'finds all entries missing',
    layout: MIXED,
    threads: [[['set', 0x402, 'm:1']], [['set', 0x402, '~']], [['get', 0x402]]],
  },
  {
    by: 'makes entries up',
    layout: MIXED,
    threads: [
      [['set', 0x402, 'm:9']],
      [
        ['get', 0x402],
        ['lookup', 0x402],
      ],
    ],
  },
  {
    by: 'stores and says it has not',
    layout: MIXED,
    threads: [
      [
        ['rawSet', 0x402, 'm:1'],
        ['lookup', 0x402],
      ],
      [['rawSet', 0x402, 'm:2']],
    ],
  },
  {
    by: 'gives up for nothing',
    layout: MIXED,
    threads: [
      [['set', 0x802, 'm:1']],
      [
        ['set', 0x802, '~'],
        ['lookup', 0x802],
      ],
    ],
  },
  {
    by: 'stores in p2m_missing',
    layout: MIXED,
    threads: [
      [['rawSet', 0x802, 'm:1']],
      [
        ['lookup', 0x803],
        ['rawSet', 0x802, '~'],
      ],
    ],
  },
  {
    by: '3.18',
    layout: TREE,
    threads: [
      [
        ['set', 0x402, 'm:1'],
        ['get', 0x402],
      ],
      [['set', 0x402, 'i:1026']],
    ],
  },
  { by: '3.16', layout: TREE, threads: [[['set', 0x802, 'm:1']], [['lookup', 0x802]]] },
  { by: '3.16', layout: TREE, threads: [[['alloc', 0x402]], [['lookup', 0x403]]] },
  {
    by: '7.0',
    layout: MIXED,
    threads: [
      [['alloc', 0x802]],
      [
        ['rawSet', 0x802, 'm:1'],
        ['rawSet', 0x802, 'm:2'],
      ],
    ],
    fail: { at: 1 },
  },
];

/** What a path is counted by where it ends. */
function endOf(program: { broken(): number; outcome(): string }): string {
  return `${program.broken()} ${program.outcome()}`;
}

const HELD: readonly (readonly [string, readonly CheckName[]])[] = [
  ['everything', CHECKS],
  ['the interval of look-ups', ['lookup-outside-interval']],
  ['linearizability', ['not-linearizable']],
  ['false', ['false-set']],
];

describe.each(HELD)('what is remembered for %s', (_, check) => {
  test.each(CASES)('is all that states must keep apart: by $by, case %#', ({ by, ...rest }) => {
    const machines = BROKEN[by];
    const scenario = scenarioOf({ kernel: machines === undefined ? by : '7.0', ...rest });
    const program = new ScenarioProgram({ ...scenario, machines: machines ?? {}, check });
    const counts = countOutcomes(program);
    if (!counts.complete) throw new Error('the bound was hit');
    const naive = [...enumerate(program, endOf)].map(([key, { count }]): [string, bigint] => [key, count]);
    expect(new Map(counts.outcomes.map(({ broken, outcome, count }) => [`${broken} ${outcome}`, count]))).toEqual(
      new Map(naive),
    );
  });
});
