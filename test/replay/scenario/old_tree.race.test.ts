import { describe, expect, test } from 'vitest';
import { scenarioOf, ScenarioProgram, type Scenario, type ScenarioOutcome } from '../../../replay/index.js';
import { formByKernel, FORMS, mutant, type Form, type Switch } from '../../../src/index.js';
import { hashText } from './states_of.js';

type Threads = Parameters<typeof scenarioOf>[0]['threads'];

/** One leaf, missing, whose mid page stands. */
const LEAF: Threads = [[['set', 13, 'm:7']], [['set', 14, 'm:8']]];
/** Two leaves of a mid page that nobody has. */
const MID: Threads = [[['set', 17, 'm:7']], [['set', 30, 'm:8']]];

/** A list of one page; behind it all is missing. */
function scenario(kernel: string, threads: Threads, flipped?: Switch): Scenario {
  const layout: [['nr', string], ['hole', string, string]] = [
    ['nr', formByKernel(kernel).structure === 'tree' ? '4' : '32'],
    ['hole', '4', '32'],
  ];
  const plain = scenarioOf({ kernel, geometry: 'tiny', layout, threads });
  return flipped === undefined ? plain : { ...plain, form: mutant(plain.form, flipped) };
}

/** What is wrong with any interleaving, each finding once. Every state is visited, every step told. */
function findings(of: Scenario): string[] {
  const program = new ScenarioProgram(of);
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (): void => {
    const hash = hashText(program);
    if (seen.has(hash)) return;
    seen.add(hash);
    const able = program.ended ? [] : program.agents.flatMap(({ enabled }, agent) => (enabled ? [agent] : []));
    if (able.length === 0) ending(of, program.ends()).forEach((finding) => found.add(finding));
    for (const agent of able) {
      for (const { does, effect } of program.tell(agent)) {
        const freed = / in (\w+)#\d+ \(freed\)$/.exec(effect);
        if (freed !== null) found.add(`${does}: in a freed ${freed[1]}`);
      }
      visit();
      program.undo();
    }
  };
  visit();
  return [...found].sort();
}

function ending(of: Scenario, { results, final }: ScenarioOutcome): string[] {
  if (results.flat().includes('BUG')) return [];
  return of.threads.flatMap(([operation], thread) => {
    const [, pfn, value] = operation!;
    if (results[thread]![0] === false) return ['false without need'];
    return final[String(pfn)] === value ? [] : ['lost update'];
  });
}

describe('the old tree', () => {
  test('B0a: 3.16 reads the leaf twice and loses an update; 3.18 reads it once and loses none', () => {
    expect(findings(scenario('3.16', LEAF))).toEqual(['lost update']);
    expect(findings(scenario('3.18', LEAF, 'treeLeafReadOnce'))).toEqual(['lost update']);
    expect(findings(scenario('3.16', LEAF, 'treeLeafReadOnce'))).toEqual([]);
    expect(findings(scenario('3.18', LEAF))).toEqual([]);
  });

  const B0C = ['CAS mid[mididx]: in a freed tree_mid', 'false without need'];
  const B0B = 'W mid_mfn[mididx]: in a freed mid';

  test("B0b: 3.16 writes into the tools' mid page that it freed; 3.18 goes on with the winner's", () => {
    expect(findings(scenario('3.16', MID))).toContain(B0B);
    expect(findings(scenario('3.18', MID, 'treeMidMfnLoserUsesWinner'))).toContain(B0B);
    expect(findings(scenario('3.18', MID))).not.toContain(B0B);
  });

  test.each(['3.16', '3.18'])(
    'B0c: %s installs a leaf in the mid page that it freed, and the set answers false',
    (kernel) => {
      expect(findings(scenario(kernel, MID))).toEqual(expect.arrayContaining(B0C));
    },
  );

  test('the linear list of 3.19.8 does none of it', () => {
    expect(findings(scenario('3.19.8', LEAF))).toEqual([]);
    expect(findings(scenario('3.19.8', MID))).toEqual([]);
  });

  test.each(FORMS.filter(({ structure }) => structure === 'tree'))(
    'in $name each row that touches shared memory begins a step',
    (form: Form) => {
      for (const threads of [LEAF, MID, [...LEAF, [['get', 13]], [['set', 17, 'i:17']]]] as Threads[]) {
        const program = new ScenarioProgram(scenario(form.name, threads));
        for (let agent = 0; agent < threads.length; agent++) {
          while (program.agents[agent]!.enabled) {
            const [, ...joined] = program.tell(agent);
            expect(joined.filter(({ does, effect }) => effect !== '' && !/^(ALLOC|FREE) /.test(does))).toEqual([]);
          }
        }
      }
    },
  );

  test('an identity range behind the list is shared, and one inside it is not', () => {
    const of = scenarioOf({
      kernel: '3.18',
      geometry: 'tiny',
      layout: [
        ['nr', '8'],
        ['identity', '2', '4'],
        ['identity', '20', '28'],
      ],
      threads: [
        [
          ['get', 3],
          ['get', 21],
          ['get', 28],
          ['set', 2, 'm:5'],
          ['get', 2],
          ['set', 22, 'm:6'],
          ['get', 22],
        ],
      ],
    });
    const program = new ScenarioProgram(of);
    while (program.agents[0]!.enabled) program.step(0);
    // B0d: the store into the shared identity leaf is not seen.
    expect(program.ends().results[0]).toEqual(['i:3', 'i:21', '~', true, 'm:5', true, 'i:22']);
  });
});
