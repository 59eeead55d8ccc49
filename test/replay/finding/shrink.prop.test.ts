import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenarioOf, scenarioSchema, shrinkScenario, type Scenario, type Schedule } from '../../../replay/index.js';

const pfn = fc.nat(63);
const operation = fc.oneof(
  fc.tuple(fc.constantFrom('set', 'rawSet'), pfn, fc.constantFrom('m:7', 'i:3', '~')),
  fc.tuple(fc.constantFrom('lookup', 'get', 'alloc'), pfn),
);
const scenarios = fc
  .record({
    kernel: fc.constantFrom('3.19-rc1', '7.0'),
    geometry: fc.constant('tiny'),
    layout: fc.subarray([['nr', '64'], ['hole', '16', '60'], ['identity', '8', '12'], ['notree'], ['nr', '128']]),
    threads: fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
    fail: fc.constantFrom({}, { at: 2 }, { from: 3 }, { at: 1, from: 4 }),
  })
  .map((json) => scenarioOf(scenarioSchema.parse(json)));

interface Size {
  readonly operations: number;
  readonly threads: number;
  readonly pfns: number;
}

function sizeOf({ threads }: Scenario): Size {
  const operations = threads.flat();
  const pfns = new Set(operations.map(([, each]) => each)).size;
  return { operations: operations.length, threads: threads.length, pfns };
}

describe('shrinkScenario', () => {
  it('comes to an end, with as many operations, threads and pfns as it takes to fail and no more', () => {
    fc.assert(
      fc.property(scenarios, fc.nat(), fc.nat(), fc.nat(), (scenario, a, b, c) => {
        const whole = sizeOf(scenario);
        const threads = 1 + (a % whole.threads);
        const pfns = 1 + (b % whole.pfns);
        const operations = Math.max(threads, pfns, 1 + (c % whole.operations));
        const fails = (smaller: Scenario): Schedule | undefined => {
          const size = sizeOf(smaller);
          return size.operations >= operations && size.threads >= threads && size.pfns >= pfns ? [] : undefined;
        };
        const small = shrinkScenario(scenario, fails).scenario;
        expect(sizeOf(small)).toEqual({ operations, threads, pfns });
        expect([small.watch, small.fail, small.ranges]).toEqual([[], { at: 0, from: 0 }, []]);
        expect(small.nrPages).toBeLessThanOrEqual(64);
      }),
      { numRuns: 60 },
    );
  });
});
