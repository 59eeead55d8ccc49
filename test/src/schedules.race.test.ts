import { describe, expect, test } from 'vitest';
import { follow, ScenarioProgram } from '../../replay/index.js';
import { formByKernel } from '../../src/index.js';
import { concurrencyVectors, namedSteps, shippedVector } from './concurrency_vector.js';

/**
 * Golden interleavings made by running real kernel code: step for step, the rows of the machines must be where the
 * kernel was, and come to what it came to. (That these are all outcomes there are, replay/conform shows.)
 */
describe('the rows of the step machines', () => {
  const names = concurrencyVectors();

  test('the project ships the concurrency vectors', () => {
    expect(names).toHaveLength(62);
  });

  test.each(names)('follow the kernel through every schedule of %s', { timeout: 120_000 }, (name) => {
    const vector = shippedVector(name);
    const program = new ScenarioProgram(vector.scenario);
    for (const { outcome, schedule } of vector.outcomes) {
      const { agents, labels } = namedSteps(schedule);
      expect(JSON.parse(follow(program, agents, labels))).toEqual(outcome);
    }
  });

  test('cannot follow a schedule of a kernel that walks again where this one does not', () => {
    const { scenario, outcomes } = shippedVector('ss-missing-pmd-two-leaves.3.19.0');
    const program = new ScenarioProgram({ ...scenario, form: formByKernel('3.19-rc1') });
    const { agents, labels } = namedSteps(outcomes[0]!.schedule);
    expect(() => follow(program, agents, labels)).toThrow(
      'the schedule does not apply at step 10: got A (walk pmd), want A (load top_mfn_p) or B (store entry)',
    );
  });
});
