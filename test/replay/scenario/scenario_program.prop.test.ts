import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scenarioOf, ScenarioProgram, type Scenario } from '../../../replay/index.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { hashText, stateText, walkRandomly } from './states_of.js';

/** Small lists, so that they boot at once: all forms of a race, with and without the tools, and failing allocations. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(
    ['3.16', '3.18', 'v3', '7of8', '3.19-rc1', '3.19', '3.19.8', '4.3', '7.0'].map((kernel) => [
      kernel,
      scenarioOf({
        kernel,
        geometry: 'tiny',
        layout: [
          ['nr', '32'],
          ['hole', '8', '32'],
        ],
        threads: [
          [
            ['set', 17, 'm:77'],
            ['lookup', 17],
          ],
          [
            ['set', 18, 'm:78'],
            ['set', 17, '~'],
          ],
        ],
        fail: { at: 3 },
      }),
    ]),
  ),
  '7.0, both above the last pfn': scenarioOf({
    kernel: '7.0',
    layout: [
      ['nr', '512'],
      ['limit', '1'],
    ],
    threads: [[['set', 1024, 'm:77']], [['set', 2048, 'm:78']]],
  }),
  'pae 3.19-rc1b': shippedVector('pae-sl-missing-second-pmd-same-pfn.3.19-rc1b-pae').scenario,
  'two sets of one pfn': shippedVector('ss-missing-pmd-same-pfn.7.0').scenario,
};
const PROGRAMS = new Map(Object.entries(SCENARIOS).map(([name, scenario]) => [name, new ScenarioProgram(scenario)]));

/** Whether states and hashes that some paths come to stand for each other, one for one; `keep` leaves pairs out. */
function oneForOne(name: string, seed: number, paths: number, keep?: (key: number) => boolean): boolean {
  const program = PROGRAMS.get(name)!;
  const hashOf = new Map<string, string>();
  const stateOf = new Map<string, string>();
  let fits = true;
  walkRandomly(program, paths, seed, () => {
    const [hash, state] = [hashText(program), stateText(program, keep)];
    fits &&= (hashOf.get(state) ?? hash) === hash && (stateOf.get(hash) ?? state) === state;
    hashOf.set(state, hash);
    stateOf.set(hash, state);
  });
  return fits;
}

describe('ScenarioProgram', () => {
  test.each([...PROGRAMS.keys()])('equal states have equal hashes, and others have others: %s', (name) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(oneForOne(name, seed, 4)).toBe(true);
      }),
      { numRuns: 2 },
    );
  });

  /** Keys by what they stand for (path_memory.ts, scenario_thread.ts). */
  test.each<[what: string, shownBy: string, isLeftOut: (key: number) => boolean]>([
    ['globals', '7.0, both above the last pfn', (key) => key >= 0 && key < 2048],
    ['words of page tables and pages', 'two sets of one pfn', (key) => key >= 2048 && key < 2 ** 30],
    ['calls, locals and results of the first thread', '7.0', (key) => key < 0 && key >= -(2 ** 20)],
    ['calls, locals and results of the second thread', '7.0', (key) => key < -(2 ** 20) && key >= -(2 ** 21)],
  ])('a state without %s is not the whole state', (_, name, isLeftOut) => {
    expect(oneForOne(name, 1, 20)).toBe(true);
    expect(oneForOne(name, 1, 20, (key) => !isLeftOut(key))).toBe(false);
  });
});
