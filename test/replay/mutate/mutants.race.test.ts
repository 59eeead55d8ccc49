import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { INVALID, mfnWord } from '../../../events/index.js';
import {
  isExplained,
  linearScenarios,
  MUTANTS,
  mutantsByName,
  mutantTable,
  MUTATION_SCENARIOS,
  runMutants,
  type MutantResult,
} from '../../../replay/index.js';
import { Domain, LINEAR, SWITCHES, TREE } from '../../../src/index.js';

const DOCUMENT = fileURLToPath(new URL('../../../docs/mutants.md', import.meta.url));

/** Locks, re-checks and orderings of the allocation: a mutant of each is found under any kernel with the linear list. */
const EVERYWHERE = MUTANTS.filter(
  ({ name, structure, survives }) =>
    structure === 'linear' && survives === undefined && /^(leaf|pmd)-.*(lock|recheck)|^mid-|^pt-page-/.test(name),
);

describe('MUTANTS', () => {
  test('have names of their own, in lower case with dashes', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.filter(({ name }) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });

  test('flip each switch of a form', () => {
    expect(MUTANTS.map(({ where }) => where)).toEqual(expect.arrayContaining([...SWITCHES]));
  });

  test.each(MUTANTS)('$name is no more than one machine, or one switch, that is not the kernel’s', (mutant) => {
    const { scenario } = MUTATION_SCENARIOS.find((tried) => tried.scenario.form.structure === mutant.structure)!;
    const changed = mutant.apply(scenario);
    const switches = SWITCHES.filter((name) => changed.form[name] !== scenario.form[name]);
    const kernel = mutant.structure === 'tree' ? TREE : LINEAR;
    const machines = Object.entries(changed.machines).filter(
      ([name, machine]) => machine !== kernel[name as keyof typeof kernel],
    );
    expect(switches.length + machines.length).toBe(1);
    expect(scenario.machines).toEqual({});
    expect({ ...changed, form: scenario.form, machines: {} }).toEqual(scenario);
  });

  test('are found by name, and one that is not there is named with those like it', () => {
    expect(mutantsByName('all')).toBe(MUTANTS);
    expect(mutantsByName('leaf-lock-dropped')).toHaveLength(1);
    expect(() => mutantsByName('lock')).toThrow(/unknown mutant/);
  });

  test('address-not-rounded leaves a list that xen_build_mfn_list_list dies of at resume, as its reason says', () => {
    const paeResume = (machines: Partial<typeof LINEAR>): string => {
      const found = MUTATION_SCENARIOS.find(({ name }) => name === 'PAE, alone, second PMD')!;
      const { form, geometry } = found.scenario;
      const domain = new Domain({ form, geometry, nrPages: 48, machines });
      domain.boot(48, [
        [16, mfnWord(1), 1],
        [16, INVALID, 0],
        [16, mfnWord(33), 1],
      ]);
      domain.run('xen_vmalloc_p2m_tree', domain.machines.xenVmallocP2mTree, 0);
      domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0);
      domain.slabUp();
      domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, 29, mfnWord(77));
      return domain.run('xen_build_mfn_list_list', domain.machines.xenBuildMfnListList, 0).kind;
    };
    const [mutant] = mutantsByName('address-not-rounded');
    const { machines } = mutant!.apply(MUTATION_SCENARIOS[0]!.scenario);
    expect([paeResume({}), paeResume(machines as Partial<typeof LINEAR>)]).toEqual(['void', 'bug']);
  });
});

describe('the campaign', { timeout: 180_000 }, () => {
  let results: MutantResult[] = [];

  beforeAll(() => {
    results = [...runMutants(MUTANTS, MUTATION_SCENARIOS)];
  }, 180_000);

  test('finds each mutant, or the mutant says why not; none that should survive is found', () => {
    expect(results.filter((result) => !isExplained(result)).map(({ mutant }) => mutant.name)).toEqual([]);
  });

  test('hits no bound', () => {
    expect(results.flatMap(({ unknown }) => unknown)).toEqual([]);
  });

  test('comes to what docs/mutants.md shows', () => {
    expect(readFileSync(DOCUMENT, 'utf8')).toContain(mutantTable(results));
  });

  test('finds what mends the kernel: A4.2 is the BUG that 7.0 has, B0c the use of a freed page in 3.18', () => {
    const mended = (name: string): readonly string[] => results.find(({ mutant }) => mutant.name === name)!.mended;
    expect(mended('top-mfn-check-dropped')).toContain('BUG_ON');
    expect(mended('tree-mid-loser-uses-winner')).toContain('use-after-free');
  });

  test('finds locks, re-checks and orderings under 3.19.8 too', () => {
    const survivors = [...runMutants(EVERYWHERE, linearScenarios('3.19.8'))].filter(
      ({ killed }) => killed === undefined,
    );
    expect(EVERYWHERE.length).toBeGreaterThan(12);
    expect(survivors.map(({ mutant }) => mutant.name)).toEqual([]);
  });
});
