import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayStep, Random, randomRun, StateHash, type Schedule } from '../../../replay/index.js';
import { StepOrder } from '../../../replay/finding/step_order.js';
import { TinyProgram, type Instruction } from '../explore/tiny_program.js';

const word = fc.nat(2);
const instruction: fc.Arbitrary<Instruction[]> = fc.oneof(
  word.map((w): Instruction[] => [['load', w]]),
  word.map((w): Instruction[] => [['store', w]]),
  fc.tuple(word, fc.integer({ min: 1, max: 3 })).map(([w, v]): Instruction[] => [['put', w, v]]),
  word.map((w): Instruction[] => [
    ['lock', 3],
    ['load', w],
    ['unlock', 3],
  ]),
);
const thread = fc.array(instruction, { maxLength: 4 }).map((parts) => parts.flat());
const programs = fc.array(thread, { minLength: 1, maxLength: 3 }).map((threads) => new TinyProgram(4, threads));

/** Hash of the state that a schedule leads to; undefined where it does not apply. */
function stateAfter(program: TinyProgram, schedule: Schedule): string | undefined {
  let taken = 0;
  try {
    for (const agent of schedule) {
      if (!mayStep(program, agent)) return undefined;
      program.step(agent);
      taken++;
    }
    const hash = new StateHash();
    program.hash(hash);
    return hash.lanes.join();
  } finally {
    while (taken-- > 0) program.undo();
  }
}

describe('StepOrder', () => {
  it('lets two steps that do not depend on each other, and stand side by side, change places', () => {
    fc.assert(
      fc.property(programs, fc.nat(), (program, seed) => {
        const { schedule } = randomRun(program, new Random(seed));
        const order = new StepOrder(program, schedule);
        const end = stateAfter(program, schedule);
        for (let i = 0; i + 1 < schedule.length; i++) {
          if (order.precedes(i, i + 1)) continue;
          const swapped = [...schedule.slice(0, i), schedule[i + 1]!, schedule[i]!, ...schedule.slice(i + 2)];
          expect(stateAfter(program, swapped)).toBe(end);
        }
        expect(program.depth).toBe(0);
      }),
    );
  });

  it('is the least order that holds the steps of an agent, and those that depend on each other, apart', () => {
    fc.assert(
      fc.property(programs, fc.nat(), (program, seed) => {
        const { schedule } = randomRun(program, new Random(seed));
        const order = new StepOrder(program, schedule);
        const least = schedule.map((_, j) => schedule.map((_, i) => i <= j && (i === j || order.depend(i, j))));
        for (let k = 0; k < schedule.length; k++) {
          for (const row of least) if (row[k]!) least[k]!.forEach((is, i) => (row[i] ||= is));
        }
        schedule.forEach((_, j) => {
          for (let i = 0; i <= j; i++) expect(order.precedes(i, j)).toBe(least[j]![i]);
        });
      }),
    );
  });

  it('knows what depends: two loads do not, a load and a store of a word do, as do two who take a lock', () => {
    const program = new TinyProgram(2, [
      [
        ['load', 0],
        ['lock', 1],
        ['unlock', 1],
      ],
      [
        ['load', 0],
        ['put', 0, 1],
        ['lock', 1],
      ],
    ]);
    const order = new StepOrder(program, [0, 1, 1, 0, 0, 1]);
    expect(order.depend(0, 1)).toBe(false);
    expect(order.depend(0, 2)).toBe(true);
    expect(order.depend(3, 5)).toBe(true);
    expect(order.depend(2, 3)).toBe(false);
    expect([order.precedes(1, 3), order.precedes(0, 5)]).toEqual([false, true]);
  });
});
