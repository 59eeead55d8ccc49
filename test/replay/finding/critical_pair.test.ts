import { describe, expect, it } from 'vitest';
import { criticalPair, type CriticalPair, follow, Random, randomRun, type Program } from '../../../replay/index.js';
import { StepOrder } from '../../../replay/finding/step_order.js';
import { smallAlgorithm } from '../../../replay/algorithm/samples/small_algorithm.js';
import { TinyProgram, type Instruction } from '../explore/tiny_program.js';

/** Bits of the assertion and of the deadlock of a TinyProgram. */
const FAILS = 1;
const STUCK = 2;

const CHECKED: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
  ['load', 0],
  ['fail', 1],
];

function brokenAfter(program: Program, schedule: readonly number[]): number {
  for (const agent of schedule) program.step(agent);
  const bits = program.broken();
  for (let i = 0; i < schedule.length; i++) program.undo();
  return bits;
}

/** Is broken where T0 took its step before T1 took its first, though no word that they share tells which was first. */
class Racing extends TinyProgram {
  #path: number[] = [];

  override step(agent: number): void {
    super.step(agent);
    this.#path.push(agent);
  }

  override undo(): void {
    super.undo();
    this.#path.pop();
  }

  override broken(): number {
    return this.#path[0] === 0 ? FAILS : 0;
  }
}

describe('criticalPair', () => {
  it('is nothing where moving others out of the way is enough', () => {
    const threads: Instruction[][] = [
      [['load', 0]],
      [
        ['put', 1, 1],
        ['put', 0, 5],
      ],
    ];
    expect(criticalPair(new Racing(2, threads), [0, 1, 1], FAILS)).toBe('none');
  });

  it('finds the load that a store of the other should have come before', () => {
    // T1 fails where it sees 1 after two increments.
    const program = new TinyProgram(1, [CHECKED.slice(0, 3), [...CHECKED.slice(0, 3), ['load', 0], ['fail', 1]]]);
    const schedule = [0, 1, 0, 1, 1, 1];
    expect(criticalPair(program, schedule, FAILS)).toEqual({ first: 1, second: 2, passing: [0, 0, 1, 1, 1, 1] });
    expect(program.depth).toBe(0);
  });

  it('moves what is independent out of the way', () => {
    const program = new TinyProgram(3, [
      [
        ['load', 0],
        ['put', 1, 1],
        ['put', 1, 2],
        ['fail', 0],
      ],
      [
        ['put', 2, 1],
        ['put', 0, 5],
        ['put', 2, 2],
      ],
    ]);
    const pair = criticalPair(program, [0, 0, 1, 0, 1, 1, 0], FAILS);
    expect(pair).toMatchObject({ first: 0, second: 4 });
    expect((pair as CriticalPair).passing.slice(0, 3)).toEqual([1, 1, 0]);
  });

  it('is nothing where no two steps alone decide', () => {
    // Fails unless both words were stored before.
    const program = new TinyProgram(2, [
      [
        ['load', 0],
        ['fail', 0],
        ['load', 1],
        ['fail', 0],
      ],
      [['put', 0, 1]],
      [['put', 1, 1]],
    ]);
    expect(criticalPair(program, [0, 0], FAILS)).toBe('none');
    expect(
      criticalPair(
        new TinyProgram(1, [
          [
            ['load', 0],
            ['fail', 0],
          ],
        ]),
        [0, 0],
        FAILS,
      ),
    ).toBe('none');
  });

  it('is nothing where two took their locks crosswise: the steps that they wait for were not taken', () => {
    const program = new TinyProgram(2, [
      [
        ['lock', 0],
        ['lock', 1],
        ['unlock', 1],
        ['unlock', 0],
      ],
      [
        ['lock', 1],
        ['lock', 0],
        ['unlock', 0],
        ['unlock', 1],
      ],
    ]);
    expect(criticalPair(program, [0, 1], STUCK)).toBe('none');
  });

  it('is not known where no time is left to look for it', () => {
    const program = new TinyProgram(1, [CHECKED.slice(0, 3), [...CHECKED.slice(0, 3), ['load', 0], ['fail', 1]]]);
    expect(criticalPair(program, [0, 1, 0, 1, 1, 1], FAILS, 11)).toBe('unknown');
  });

  it('keeps what it promises on failing paths of an algorithm', () => {
    const program = smallAlgorithm('broken', ['S1', 'S2', 'R']);
    const random = new Random(1);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      const { schedule } = randomRun(program, random);
      const bits = brokenAfter(program, schedule);
      if (bits === 0) continue;
      const pair = criticalPair(program, schedule, bits);
      if (typeof pair === 'string') continue;
      found++;
      const { first, second, passing } = pair;
      expect(new StepOrder(program, schedule).races(second)).toContain(first);
      expect(schedule[first]).not.toBe(schedule[second]);
      expect(() => follow(program, passing)).not.toThrow();
      expect(brokenAfter(program, passing) & bits).toBe(0);
    }
    expect(found).toBeGreaterThan(5);
  });
});
