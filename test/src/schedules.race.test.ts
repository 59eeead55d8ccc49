import { describe, expect, test } from 'vitest';
import { concurrencyVectors, readConcurrencyVector, ScheduledDomain } from './concurrency_vector.js';

/**
 * Golden interleavings made by running real kernel code: step for step, the rows of the machines must be where the
 * kernel was, and come to what it came to. (That these are all outcomes there are is for an explorer to prove.)
 */
describe('the rows of the step machines', () => {
  const names = concurrencyVectors();

  test('the project ships the concurrency vectors', () => {
    expect(names).toHaveLength(62);
  });

  test.each(names)('follow the kernel through every schedule of %s', { timeout: 120_000 }, (name) => {
    const vector = readConcurrencyVector(name);
    const domain = new ScheduledDomain(vector);
    for (const { outcome, schedule } of vector.outcomes) {
      const { results, final, alloc, lastPfn, maxPfn } = outcome;
      const want = { results, final, alloc, ...(lastPfn === undefined ? {} : { lastPfn, maxPfn }) };
      expect(domain.run(schedule)).toEqual(want);
    }
  });

  test('cannot follow a schedule of a kernel that walks again where this one does not', () => {
    const fixed = readConcurrencyVector('ss-missing-pmd-two-leaves.3.19.0');
    const domain = new ScheduledDomain({ ...fixed, kernel: '3.19-rc1' });
    expect(() => domain.run(fixed.outcomes[0]!.schedule)).toThrow(
      /is at "load top_mfn_p", the schedule says "walk pmd"/,
    );
  });
});
