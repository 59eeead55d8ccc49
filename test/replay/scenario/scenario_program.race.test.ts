import { describe, expect, test } from 'vitest';
import {
  countOutcomes,
  Random,
  randomRun,
  ScenarioProgram,
  StateHash,
  type ScenarioFlag,
  type ScenarioOutcome,
} from '../../../replay/index.js';
import { mutant, type Switch } from '../../../src/index.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { enumerate } from '../explore/enumerate.js';

const { scenario } = shippedVector('ss-missing-pmd-two-leaves.3.19.8');

/** Flags over all interleavings, and interleavings that raise none. */
function explore(program: ScenarioProgram): { flags: ScenarioFlag[]; clean: bigint; all: bigint } {
  const counts = countOutcomes(program);
  if (!counts.complete) throw new Error('the bound was hit');
  const flags = new Set<ScenarioFlag>();
  let clean = 0n;
  for (const { outcome, count } of counts.outcomes) {
    const raised = (JSON.parse(outcome) as ScenarioOutcome).flags;
    raised.forEach((flag) => flags.add(flag));
    if (raised.length === 0) clean += count;
  }
  return { flags: [...flags].sort(), clean, all: counts.interleavings };
}

function hashOf(program: ScenarioProgram): string {
  const hash = new StateHash();
  program.hash(hash);
  return hash.lanes.join(' ');
}

describe('ScenarioProgram', () => {
  test('without the second walk (B3) some interleaving writes the shared PT page, with it none does', () => {
    const { form } = scenario;
    const broken = { ...scenario, form: mutant(form, 'pmdLoserWalksAgain') };
    expect(explore(new ScenarioProgram(broken)).flags).toContain('shared-pte-page-written');
    expect(explore(new ScenarioProgram(scenario)).flags).toEqual(['BUG_ON']);
  });

  test.each<[Switch, string]>([
    ['pmdLoserWalksAgain', 'ss-missing-pmd-same-pfn.3.19.8'],
    ['identityBaseMasked', 'sl-identity-pmd-unaligned-neighbour.3.19.8'],
    ['sharedLeavesReadOnly', 'sl-missing-pmd-same-pfn.3.19.8'],
  ])('a form with %s flipped does not lead where the form leads', (flipped, name) => {
    const vector = shippedVector(name);
    const form = mutant(vector.scenario.form, flipped);
    const [mutated, original] = [form, vector.scenario.form].map((f) =>
      explore(new ScenarioProgram({ ...vector.scenario, form: f })),
    );
    expect(mutated).not.toEqual(original);
  });

  test('counts as naive enumeration does, where every interleaving can be run', () => {
    const small = shippedVector('sl-private-identity-leaf-aligned-neighbour.7.0');
    const program = new ScenarioProgram(small.scenario);
    const counts = countOutcomes(program);
    if (!counts.complete) throw new Error('the bound was hit');
    const naive = enumerate(program);
    expect(
      new Map(counts.outcomes.map(({ outcome, count, switches }) => [`false ${outcome}`, { count, switches }])),
    ).toEqual(naive);
  });

  test('undo puts back the hash, the outcome and who may step, from the end of any path', () => {
    const program = new ScenarioProgram(scenario);
    const random = new Random(3);
    for (let path = 0; path < 20; path++) {
      const states: [string, string][] = [];
      const state = (): [string, string] => [
        hashOf(program),
        JSON.stringify([program.ends(), program.agents.map(({ at, enabled }) => [at, enabled])]),
      ];
      const { schedule } = randomRun(program, random);
      for (const agent of schedule) {
        states.push(state());
        program.step(agent);
      }
      for (let i = schedule.length - 1; i >= 0; i--) {
        program.undo();
        expect(state()).toEqual(states[i]);
      }
    }
  });

  test('two orders of independent steps lead to one hash, and each step to another', () => {
    const program = new ScenarioProgram(scenario);
    const seen = [hashOf(program)];
    for (const agent of [0, 1]) {
      program.step(agent);
      seen.push(hashOf(program));
    }
    program.undo();
    program.undo();
    for (const agent of [1, 0]) {
      program.step(agent);
      seen.push(hashOf(program));
    }
    expect(seen[4]).toBe(seen[2]);
    expect(new Set(seen).size).toBe(4);
  });

  test('a thread that finds the lock taken waits', () => {
    const program = new ScenarioProgram(scenario);
    const [a, b] = program.agents;
    const runTo = (agent: number, label: string): void => {
      while (program.agents[agent]!.at !== label) program.step(agent);
    };
    runTo(0, 'lock');
    runTo(1, 'lock');
    expect([a!.enabled, b!.enabled]).toEqual([true, true]);
    program.step(0);
    expect([b!.at, b!.enabled]).toEqual(['lock', false]);
    runTo(0, 'unlock');
    program.step(0);
    expect(b!.enabled).toBe(true);
  });

  test.each([
    ['3.19.8', false],
    ['7.0', true],
  ])('%s and its mutants have a step after each unlock: %s', (kernel, expected) => {
    const { form } = shippedVector(`ss-missing-pmd-two-leaves.${kernel}`).scenario;
    for (const stepped of [form, mutant(form, 'identityBaseMasked')]) {
      const program = new ScenarioProgram({ ...scenario, form: stepped });
      const labels: (string | undefined)[] = [];
      while (program.agents[0]!.enabled) {
        labels.push(program.agents[0]!.at);
        program.step(0);
      }
      expect(labels.includes('after unlock')).toBe(expected);
    }
  });
});
