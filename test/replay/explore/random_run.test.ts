import { describe, expect, it } from 'vitest';
import { enumerate } from './enumerate.js';
import { follow, Random, randomRun } from '../../../replay/index.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const INCREMENT: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
];

describe('randomRun', () => {
  it('gives seeds 1 to 20 the schedules that they have always had', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]);
    const runs = Array.from({ length: 20 }, (_, i) => randomRun(program, new Random(i + 1)).schedule.join(''));
    expect(runs.join(' ')).toMatchInlineSnapshot(
      `"101220 200211 201021 200112 220101 101022 002211 010221 020211 122100 112200 002211 110022 112002 011022 102102 201012 112020 001221 211002"`,
    );
  });

  it('takes a path that can be followed to the same outcome, and takes it back', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
    const random = new Random(5);
    for (let i = 0; i < 50; i++) {
      const { schedule, outcome, deadlock } = randomRun(program, random);
      expect([follow(program, schedule), deadlock, program.depth]).toEqual([outcome, false, 0]);
    }
  });

  it('finds every outcome of a small program, and no other', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
    const random = new Random(1);
    const found = new Set(Array.from({ length: 200 }, () => `false ${randomRun(program, random).outcome}`));
    expect(found).toEqual(new Set(enumerate(program).keys()));
  });
});

describe('Random', () => {
  it('stays below the bound and reaches all of it', () => {
    const random = new Random(7);
    const seen = new Set(Array.from({ length: 1000 }, () => random.below(10)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
