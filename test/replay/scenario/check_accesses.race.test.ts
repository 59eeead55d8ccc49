import { describe, expect, test } from 'vitest';
import { Accesses, AccessKind, scenarioOf, ScenarioProgram, type Scenario } from '../../../replay/index.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { hashText } from './states_of.js';

/** Locations of words of the memory; what the checks look at has negative ones. */
const WORDS = (location: number): boolean => location >= 0;

/** Whether the accesses share a location, not both reading it. */
function depend(a: Accesses, b: Accesses, counts: (location: number) => boolean): boolean {
  const kinds = new Map<number, number>();
  for (let i = 0; i < a.count; i++) {
    const location = a.locations[i]!;
    if (counts(location)) kinds.set(location, Math.max(kinds.get(location) ?? 0, a.kinds[i]!));
  }
  for (let i = 0; i < b.count; i++) {
    const kind = kinds.get(b.locations[i]!);
    if (kind !== undefined && (kind !== AccessKind.read || b.kinds[i] !== AccessKind.read)) return true;
  }
  return false;
}

/** Two steps, one after the other, from where the program stands; undefined where the second cannot be taken then. */
function both(program: ScenarioProgram, first: number, second: number): [string, Accesses, Accesses] | undefined {
  const [a, b] = [new Accesses(), new Accesses()];
  let hash: string | undefined;
  program.step(first);
  program.accesses(a);
  if (!program.ended && program.agents[second]!.enabled) {
    program.step(second);
    program.accesses(b);
    hash = hashText(program);
    program.undo();
  }
  program.undo();
  return hash === undefined ? undefined : [hash, a, b];
}

/** Over all states: pairs of steps that do not depend on each other, and those among them whose order is seen. */
function independent(
  scenario: Scenario,
  counts: (location: number) => boolean = () => true,
): { pairs: number; seen: number } {
  const program = new ScenarioProgram(scenario);
  const visited = new Set<string>();
  const found = { pairs: 0, seen: 0 };
  const compare = (a: number, b: number): void => {
    const [ab, ba] = [both(program, a, b), both(program, b, a)];
    if (ab === undefined && ba === undefined) return;
    const [, first, second] = (ab ?? ba)!;
    if (ab !== undefined && depend(first, second, counts)) return;
    if (ba !== undefined && depend(ba[1], ba[2], counts)) return;
    found.pairs++;
    if (ab?.[0] !== ba?.[0]) found.seen++;
  };
  const visit = (): void => {
    const hash = hashText(program);
    if (visited.has(hash) || program.ended) return;
    visited.add(hash);
    const able = program.agents.flatMap(({ enabled }, agent) => (enabled ? [agent] : []));
    able.forEach((a, i) => {
      for (const b of able.slice(i + 1)) compare(a, b);
    });
    for (const agent of able) {
      program.step(agent);
      visit();
      program.undo();
    }
  };
  visit();
  return found;
}

const SCENARIOS: readonly (readonly [name: string, scenario: Scenario])[] = [
  ...[
    'sl-missing-pmd-same-pfn.3.19-rc1',
    'sl-identity-mfn-then-invalid.7.0',
    'ss-notree-missing-pmd-same-leaf.7.0',
  ].map((name) => [name, shippedVector(name).scenario] as const),
  ...['3.16', '7.0'].map(
    (kernel) =>
      [
        `two sets on ${kernel}`,
        scenarioOf({
          kernel,
          geometry: 'tiny',
          layout: [
            ['nr', kernel === '3.16' ? '4' : '32'],
            ['hole', '4', '32'],
          ],
          threads: [[['set', 17, 'm:7']], [['set', 18, 'm:8']]],
        }),
      ] as const,
  ),
];

describe('accesses of a scenario', () => {
  test.each(SCENARIOS)('steps that do not depend on each other may be swapped, checks and all: %s', (_, scenario) => {
    const { pairs, seen } = independent(scenario);
    expect(pairs).toBeGreaterThan(40);
    expect(seen).toBe(0);
  });

  test('the words alone are not enough: the checks see an order that the memory does not', () => {
    const seen = SCENARIOS.slice(0, 2).map(([, scenario]) => independent(scenario, WORDS).seen);
    expect(seen.every((count) => count > 0)).toBe(true);
  });
});
