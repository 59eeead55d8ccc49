import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fewestPreemptions, follow, isOver, mayStep, preemptionsOf, type Program } from '../../../replay/index.js';
import { tinyThreads } from './tiny_arbitraries.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

interface Smallest {
  readonly preemptions: number;
  readonly steps: number;
}

/** The smallest prefix that breaks something, of every interleaving run one by one. */
function naive(program: Program): Smallest | undefined {
  let best: Smallest | undefined;
  const path: number[] = [];
  const visit = (): void => {
    if (program.broken() !== 0) {
      const steps = path.length;
      path.forEach(() => {
        program.undo();
      });
      const preemptions = preemptionsOf(program, path);
      path.forEach((agent) => {
        program.step(agent);
      });
      if (
        best === undefined ||
        preemptions < best.preemptions ||
        (preemptions === best.preemptions && steps < best.steps)
      ) {
        best = { preemptions, steps };
      }
      return;
    }
    if (isOver(program)) return;
    program.agents.forEach((_, agent) => {
      if (!mayStep(program, agent)) return;
      program.step(agent);
      path.push(agent);
      visit();
      path.pop();
      program.undo();
    });
  };
  visit();
  return best;
}

const word = fc.nat(2);

/** Increments that are not one step, on words that others change: what goes wrong with them takes a preemption or two. */
const racyThreads = fc.array(
  fc
    .tuple(word, fc.nat({ max: 2 }), word, fc.integer({ min: 1, max: 3 }))
    .map(([from, added, to, failure]): Instruction[] => [
      ['load', from],
      ['add', added],
      ['store', to],
      ['load', from],
      ['fail', failure],
    ]),
  { minLength: 2, maxLength: 3 },
);

test('the counter-example has the fewest preemptions, then the fewest steps, of all interleavings', () => {
  let violated = 0;
  let preempted = 0;
  fc.assert(
    fc.property(fc.oneof(tinyThreads(3, 4), racyThreads), (threads) => {
      const program = new TinyProgram(3, threads);
      const found = fewestPreemptions(program);
      expect(program.depth).toBe(0);
      const expected = naive(new TinyProgram(3, threads));
      if (expected === undefined) {
        expect(found.verdict).toBe('none');
        return;
      }
      if (found.verdict !== 'found') throw new Error(`${found.verdict}, where there is a counter-example`);
      violated++;
      if (expected.preemptions > 0) preempted++;
      expect({ preemptions: found.preemptions, steps: found.schedule.length }).toEqual(expected);
      expect(preemptionsOf(program, found.schedule)).toBe(found.preemptions);
      found.schedule.forEach((agent) => {
        program.step(agent);
      });
      expect(program.broken()).toBe(found.bits);
    }),
    { numRuns: 300 },
  );
  // The property would hold of nothing, too.
  expect(violated).toBeGreaterThan(50);
  expect(preempted).toBeGreaterThan(3);
});

test('a bound on states or preemptions claims nothing beyond it', () => {
  const threads = [1, 2].map(
    () =>
      [
        ['load', 0],
        ['add', 1],
        ['store', 0],
        ['load', 0],
        ['fail', 1],
      ] as const,
  );
  const whole = fewestPreemptions(new TinyProgram(1, threads));
  expect(whole).toMatchObject({ verdict: 'found' });
  expect(fewestPreemptions(new TinyProgram(1, threads), { statesMax: 2 })).toMatchObject({
    verdict: 'bound',
    preemptions: 0,
  });
  const lost = [1, 2].map(
    () =>
      [
        ['load', 0],
        ['add', 1],
        ['store', 0],
      ] as const,
  );
  const racy = [
    ...lost,
    [
      ['load', 0],
      ['fail', 5],
    ] as const,
  ];
  expect(fewestPreemptions(new TinyProgram(1, racy))).toMatchObject({ verdict: 'none' });
  expect(fewestPreemptions(new TinyProgram(1, racy), { preemptionsMax: 0 })).toMatchObject({
    verdict: 'bound',
    preemptions: 1,
  });
  expect(() => follow(new TinyProgram(1, racy), [0])).toThrow('does not apply');
});
