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

  it('calls a race what depends, is of two agents, and has nothing between', () => {
    fc.assert(
      fc.property(programs, fc.nat(), (program, seed) => {
        const { schedule } = randomRun(program, new Random(seed));
        const order = new StepOrder(program, schedule);
        schedule.forEach((agent, j) => {
          const before = schedule.map((_, i) => i).filter((i) => i < j && order.precedes(i, j));
          const isBetween = (i: number): boolean => before.some((k) => k > i && order.precedes(i, k));
          const races = before.filter((i) => schedule[i] !== agent && !isBetween(i));
          expect(order.races(j)).toEqual(races.reverse());
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
    // A load, B load, B put, A lock, A unlock, B lock.
    const order = new StepOrder(program, [0, 1, 1, 0, 0, 1]);
    expect([0, 1, 2, 3, 4, 5].map((step) => order.races(step))).toEqual([[], [], [0], [], [], [4]]);
    expect([order.precedes(0, 1), order.precedes(1, 3), order.precedes(0, 5)]).toEqual([false, false, true]);
  });
});
