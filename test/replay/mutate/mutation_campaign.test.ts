import { describe, expect, test } from 'vitest';
import {
  CRASH,
  exhaustiveJudge,
  inlineScenario,
  isExplained,
  mutantTable,
  runMutants,
  type Judgement,
  type Mutant,
  type MutationScenario,
  type Scenario,
} from '../../../replay/index.js';

const scenario = inlineScenario({ kernel: '7.0', geometry: 'tiny', layout: ['nr 48'], threads: ['set 5 m:77'] });
const NAMES = ['first', 'second', 'third'];
const SCENARIOS: readonly MutationScenario[] = NAMES.map((name) => ({ name, scenario: { ...scenario, kernel: name } }));

/** Marks the scenario, so that a judge of the test knows it. */
const marked: Mutant = {
  name: 'a-mutant',
  where: 'somewhere A1',
  what: 'it is marked',
  structure: 'linear',
  apply: (original) => ({ ...original, nrPages: 0 }),
};

/** A judge that knows what the kernel and the mutant break in each scenario. */
function judgeOf(kernel: Record<string, string[] | 'unknown'>, mutant: Record<string, string[] | 'unknown'>) {
  return ({ kernel: name, nrPages }: Scenario): Judgement => {
    const broken = (nrPages === 0 ? mutant : kernel)[name] ?? [];
    if (broken === 'unknown') return { verdict: 'unknown', broken: [] };
    return { verdict: broken.length > 0 ? 'violated' : 'ok', broken };
  };
}

function only(mutant: Mutant, judge: (tried: Scenario) => Judgement) {
  return [...runMutants([mutant], SCENARIOS, judge)][0]!;
}

describe('runMutants', () => {
  test('a mutant is found in the first scenario in which it breaks what its kernel does not', () => {
    const found = only(marked, judgeOf({}, { second: ['leak', 'deadlock'], third: ['BUG_ON'] }));
    expect(found.killed).toEqual({ check: 'leak', checks: ['leak', 'deadlock'], scenario: 'second' });
    expect(found.tried).toBe(2);
  });

  test('what the kernel breaks in the same scenario finds nothing; in another it does', () => {
    const found = only(marked, judgeOf({ first: ['BUG_ON'] }, { first: ['BUG_ON'], second: ['BUG_ON'] }));
    expect(found.killed).toEqual({ check: 'BUG_ON', checks: ['BUG_ON'], scenario: 'second' });
    expect(only(marked, judgeOf({ first: ['BUG_ON'] }, { first: ['BUG_ON'] })).killed).toBeUndefined();
  });

  test('where a bound was hit, of the kernel or the mutant, a survivor says so', () => {
    const kernel = only(marked, judgeOf({ first: 'unknown' }, { first: ['leak'] }));
    expect([kernel.killed, kernel.unknown]).toEqual([undefined, ['first']]);
    expect(only(marked, judgeOf({}, { third: 'unknown' })).unknown).toEqual(['third']);
  });

  test('a survivor says what it mends', () => {
    const mends = only(marked, judgeOf({ first: ['BUG_ON', 'leak'], second: ['leak'] }, { second: ['leak'] }));
    expect(mends.mended).toEqual(['BUG_ON']);
  });

  test('a mutant of the old tree is not tried on the linear list', () => {
    expect(only({ ...marked, structure: 'tree' }, judgeOf({}, { first: ['leak'] })).tried).toBe(0);
  });

  test('the kernel is judged once a scenario, however many mutants there are', () => {
    let judged = 0;
    const judge = ({ nrPages }: Scenario): Judgement => {
      if (nrPages !== 0) judged++;
      return { verdict: 'ok', broken: [] };
    };
    expect([...runMutants([marked, marked], SCENARIOS, judge)]).toHaveLength(2);
    expect(judged).toBe(SCENARIOS.length);
  });
});

describe('isExplained', () => {
  const killed = only(marked, judgeOf({}, { first: ['leak'] }));
  const survivor = only(marked, judgeOf({}, {}));
  const reason = { ...marked, survives: 'nobody looks' };

  test('a survivor needs a reason, and what is found must have none', () => {
    expect([killed, survivor].map(isExplained)).toEqual([true, false]);
    expect([killed, survivor].map((result) => isExplained({ ...result, mutant: reason }))).toEqual([false, true]);
  });

  test('the table names what does not add up', () => {
    expect(mutantTable([killed])).not.toContain('add up');
    expect(mutantTable([killed, survivor])).toMatch(/^2 mutants: 1 found, 1 survive, 1 of all do not add up\./);
    expect(mutantTable([survivor])).toContain('nothing finds it, and nobody has said why');
    expect(mutantTable([{ ...killed, mutant: reason }])).toContain('leak finds it in first, and it says');
  });
});

describe('exhaustiveJudge', () => {
  test('a machine that does what no kernel could go on from has crashed', () => {
    const { setPhysToMachine } = scenario.machines;
    expect(setPhysToMachine).toBeUndefined();
    const wild = {
      name: 'wild',
      rows: [{ label: 'X', does: 'R PTE of no page', step: 'load pte' as const }],
      step: (r: { pfn: number }, cpu: { port: { loadPte: (page: number, pfn: number) => number } }) =>
        cpu.port.loadPte(0, r.pfn),
    };
    expect(exhaustiveJudge({ ...scenario, machines: { setPhysToMachine: wild } })).toEqual({
      verdict: 'violated',
      broken: [CRASH],
    });
    expect(exhaustiveJudge(scenario)).toEqual({ verdict: 'ok', broken: [] });
  });
});
