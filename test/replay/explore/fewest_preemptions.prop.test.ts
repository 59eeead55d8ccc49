import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fewestPreemptions, mayStep, preemptionsOf, type Program } from '../../../replay/index.js';
import { tinyThreads } from './tiny_arbitraries.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

interface Least {
  readonly preemptions: number;
  readonly steps: number;
}

/** Runs every path up to where it breaks a check, and keeps the least of these; undefined where none does. */
function naive(program: Program, wanted: number): Least | undefined {
  let least: Least | undefined;
  const visit = (preemptions: number, steps: number, last: number): void => {
    if ((program.broken() & wanted) !== 0) {
      if (
        least === undefined ||
        preemptions < least.preemptions ||
        (preemptions === least.preemptions && steps < least.steps)
      )
        least = { preemptions, steps };
      return;
    }
    const couldGoOn = last >= 0 && mayStep(program, last);
    program.agents.forEach((_, agent) => {
      if (!mayStep(program, agent)) return;
      program.step(agent);
      visit(preemptions + (couldGoOn && agent !== last ? 1 : 0), steps + 1, agent);
      program.undo();
    });
  };
  visit(0, 0, -1);
  return least;
}

const value = fc.integer({ min: 1, max: 3 });

/** Agents that fail where others come between what they do: that takes a preemption or two. */
const racyThreads = fc.array(
  fc.tuple(fc.nat(1), value, fc.nat(1), value).map(([to, stored, from, failure]): Instruction[] => [
    ['put', to, stored],
    ['load', from],
    ['fail', failure],
  ]),
  { minLength: 2, maxLength: 3 },
);
const threadsOf = fc.oneof(tinyThreads(3, 5), racyThreads);

test.each([
  ['hashed', false],
  ['exact', true],
])('what is found has the fewest preemptions, and of those paths the fewest steps: %s', (_, exact) => {
  const met = new Map<string, number>();
  fc.assert(
    fc.property(threadsOf, fc.constantFrom(1, 2, 3), (threads, wanted) => {
      const program = new TinyProgram(3, threads);
      const found = fewestPreemptions(program, { wanted, exact });
      expect(program.depth).toBe(0);
      const least = naive(new TinyProgram(3, threads), wanted);
      const kind = least === undefined ? 'none' : String(least.preemptions);
      met.set(kind, (met.get(kind) ?? 0) + 1);
      if (found.verdict !== 'found') {
        expect([found.verdict, least]).toEqual(['none', undefined]);
        return;
      }
      expect({ preemptions: found.preemptions, steps: found.steps }).toEqual(least);
      expect(found.schedule.length).toBe(found.steps);
      expect(preemptionsOf(program, found.schedule)).toBe(found.preemptions);
      for (const agent of found.schedule) program.step(agent);
      expect(program.broken() & wanted).toBe(found.bits);
    }),
    { numRuns: 400, seed: 4 },
  );
  // It would hold of programs that never fail, too.
  for (const kind of ['none', '0', '1']) expect(met.get(kind), kind).toBeGreaterThan(10);
});

test('a bound claims no more than what was exhausted', () => {
  fc.assert(
    fc.property(threadsOf, fc.nat(30), fc.nat(2), (threads, statesMax, preemptionsMax) => {
      const program = new TinyProgram(3, threads);
      const found = fewestPreemptions(program, { statesMax, preemptionsMax });
      expect(program.depth).toBe(0);
      expect(found.states).toBeLessThanOrEqual(statesMax);
      const least = naive(new TinyProgram(3, threads), -1);
      if (found.verdict === 'none') expect(least).toBe(undefined);
      if (found.verdict === 'found') expect(found).toMatchObject(least!);
      if (found.verdict !== 'bound') return;
      expect(least?.preemptions ?? Infinity).toBeGreaterThanOrEqual(found.preemptions);
      if (found.seen === undefined) return;
      expect(preemptionsOf(program, found.seen.schedule)).toBe(found.preemptions);
      for (const agent of found.seen.schedule) program.step(agent);
      expect(program.broken()).toBe(found.seen.bits);
    }),
    { numRuns: 400, seed: 4 },
  );
});
