import { describe, expect, it } from 'vitest';
import { AssertionError, inputError } from '../../../events/index.js';
import {
  CHECKS,
  countOutcomes,
  Random,
  randomRun,
  scenarioJson,
  scenarioOf,
  ScenarioProgram,
  scenarioSchema,
  shrinkScenario,
  type Scenario,
  type Schedule,
} from '../../../replay/index.js';

const LARGE = {
  kernel: '3.19-rc1',
  geometry: 'tiny',
  layout: [
    ['nr', '128'],
    ['limit', '0'],
    ['hole', '16', '128'],
    ['identity', '20', '24'],
  ],
  threads: [
    [
      ['lookup', 3],
      ['set', 34, 'm:777'],
      ['get', 35],
    ],
    [
      ['lookup', 21],
      ['lookup', 34],
    ],
    [
      ['get', 5],
      ['set', 37, 'm:888'],
    ],
  ],
  fail: { at: 40 },
};
const large = scenarioOf(scenarioSchema.parse(LARGE));

/** Fails where a set and a look-up of one pfn are in threads of their own, and the pfn is watched. */
function setBesideLookUp({ threads, watch }: Scenario): Schedule | undefined {
  const [sets, looks] = [['set'], ['lookup', 'get']].map((kinds) =>
    threads.map((thread) => thread.filter(([kind]) => kinds.includes(kind)).map(([, pfn]) => pfn)),
  );
  const fails = sets!.some((pfns, t) =>
    pfns.some((pfn) => watch.includes(pfn) && looks!.some((others, u) => t !== u && others.includes(pfn))),
  );
  return fails ? [0] : undefined;
}

/** Every scenario that has one operation less. */
function withoutOne(scenario: Scenario): Scenario[] {
  return scenario.threads.flatMap((thread, t) =>
    thread.map((_, i) => {
      const less = scenario.threads.map((other, u) => (t === u ? other.filter((__, j) => i !== j) : other));
      return { ...scenario, threads: less.filter((other) => other.length > 0) };
    }),
  );
}

describe('shrinkScenario', () => {
  it('leaves what fails, and nothing that could go', () => {
    const { scenario, schedule, tried } = shrinkScenario(large, setBesideLookUp);
    expect(scenarioJson(scenario)).toMatchInlineSnapshot(`
      {
        "geometry": "tiny",
        "kernel": "3.19-rc1",
        "layout": [
          [
            "nr",
            "36",
          ],
        ],
        "threads": [
          [
            [
              "set",
              34,
              "m:1",
            ],
          ],
          [
            [
              "lookup",
              34,
            ],
          ],
        ],
        "watch": [
          34,
        ],
      }
    `);
    expect(schedule).toEqual([0]);
    expect(tried).toBeLessThan(80);
    expect(withoutOne(scenario).map(setBesideLookUp)).toEqual([undefined, undefined]);
  });

  it('gives the same every time, and tries no scenario twice', () => {
    const seen: string[] = [];
    const once = shrinkScenario(large, (scenario) => {
      seen.push(JSON.stringify(scenarioJson(scenario)));
      return setBesideLookUp(scenario);
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(once.tried);
    expect(shrinkScenario(large, setBesideLookUp)).toEqual(once);
  });

  it('keeps kernel, checks, flipped switches and machines', () => {
    const form = { ...large.form, pmdLoserWalksAgain: true };
    const changed: Scenario = { ...large, form, check: ['leak'], machines: {} };
    const { scenario } = shrinkScenario(changed, setBesideLookUp);
    expect(scenario.form).toBe(form);
    expect(scenario.machines).toBe(changed.machines);
    expect([scenario.kernel, scenario.check]).toEqual(['3.19-rc1', ['leak']]);
  });

  it('takes what cannot be for what does not fail, but not a bug of ours', () => {
    const onlyWhole = (scenario: Scenario): Schedule | undefined => {
      if (scenario !== large) throw inputError('no such domain');
      return [0];
    };
    expect(shrinkScenario(large, onlyWhole).scenario).toBe(large);
    const bug = (scenario: Scenario): Schedule | undefined => {
      if (scenario !== large) throw new AssertionError('ours');
      return [0];
    };
    expect(() => shrinkScenario(large, bug)).toThrow(AssertionError);
  });

  it('refuses a scenario that does not fail', () => {
    expect(() => shrinkScenario(large, () => undefined)).toThrow(
      'a scenario that does not fail cannot be made smaller',
    );
  });

  it('finds the two sets of the PMD race, and the one range that they need, in a scenario with more of all', () => {
    const bit = 1 << CHECKS.indexOf('shared-pte-page-written');
    const breaks = (program: ScenarioProgram, schedule: Schedule): boolean => {
      for (const agent of schedule) program.step(agent);
      const { flags } = program.ends();
      for (let i = 0; i < schedule.length; i++) program.undo();
      return flags.includes('shared-pte-page-written');
    };
    const fails = (scenario: Scenario): Schedule | undefined => {
      const program = new ScenarioProgram(scenario);
      const random = new Random(1);
      const runs = Array.from({ length: 60 }, () => randomRun(program, random).schedule);
      return runs.find((schedule) => breaks(program, schedule));
    };
    const { scenario, schedule } = shrinkScenario(large, fails);
    expect(scenarioJson(scenario)).toMatchInlineSnapshot(`
      {
        "geometry": "tiny",
        "kernel": "3.19-rc1",
        "layout": [
          [
            "nr",
            "48",
          ],
          [
            "hole",
            "32",
            "48",
          ],
        ],
        "threads": [
          [
            [
              "set",
              34,
              "m:1",
            ],
          ],
          [
            [
              "set",
              34,
              "m:2",
            ],
          ],
        ],
        "watch": [],
      }
    `);
    expect(fails(scenario)).toEqual(schedule);
    // Not by chance: no interleaving of what is smaller fails.
    for (const smaller of withoutOne(scenario)) {
      const counts = countOutcomes(new ScenarioProgram(smaller));
      expect(counts.complete && counts.outcomes.every(({ broken }) => (broken & bit) === 0)).toBe(true);
    }
  });
});
