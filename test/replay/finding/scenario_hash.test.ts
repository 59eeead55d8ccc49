import { describe, expect, it } from 'vitest';
import { contentHash, scenarioHash, scenarioOf, scenarioSchema, type Scenario } from '../../../replay/index.js';
import { LINEAR, type Machine } from '../../../src/index.js';

const json = {
  kernel: '3.19-rc1',
  layout: [['hole', '1024', '2048']],
  threads: [[['set', 1026, 'm:77']], [['lookup', 1026]]],
  watch: [1026],
};
const scenario = (changes: object = {}): Scenario => scenarioOf(scenarioSchema.parse({ ...json, ...changes }));

describe('scenarioHash', () => {
  it('is the same in every run', () => {
    expect(scenarioHash(scenario())).toMatchInlineSnapshot(`"2a6ff091"`);
    expect(scenarioHash(scenario())).toBe(scenarioHash(scenario()));
  });

  it('is another one for whatever is another scenario', () => {
    const { allocP2mPmd } = LINEAR;
    const rows = allocP2mPmd.rows.slice(1);
    const own = (machine: Machine): Scenario => ({ ...scenario(), machines: { allocP2mPmd: machine } });
    const { form } = scenario();
    const scenarios = [
      scenario(),
      scenario({ kernel: '3.19' }),
      scenario({ geometry: 'tiny' }),
      scenario({ layout: [] }),
      scenario({ threads: [...json.threads].reverse() }),
      scenario({ watch: [1026, 1027] }),
      scenario({ fail: { at: 1 } }),
      scenario({ fail: { from: 1 } }),
      scenario({ check: ['leak'] }),
      { ...scenario(), form: { ...form, pmdLoserWalksAgain: !form.pmdLoserWalksAgain } },
      own(allocP2mPmd),
      own({ ...allocP2mPmd, name: 'alloc_p2m_pmd_fixed' }),
      own({ ...allocP2mPmd, rows }),
    ];
    expect(new Set(scenarios.map(scenarioHash)).size).toBe(scenarios.length);
  });
});

describe('contentHash', () => {
  it('does not care for the order of fields, but for that of lists', () => {
    expect(contentHash({ a: [{ b: 1, c: 2 }], d: null })).toBe(contentHash({ d: null, a: [{ c: 2, b: 1 }] }));
    expect(contentHash([1, 2])).not.toBe(contentHash([2, 1]));
  });
});
