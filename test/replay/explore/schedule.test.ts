import { describe, expect, it } from 'vitest';
import { follow, switchesOf } from '../../../replay/index.js';
import { TinyProgram } from './tiny_program.js';

const program = new TinyProgram(2, [
  [
    ['lock', 1],
    ['put', 0, 3],
    ['unlock', 1],
  ],
  [
    ['lock', 1],
    ['unlock', 1],
  ],
]);

describe('switchesOf', () => {
  it('counts changes of agent', () => {
    expect([[], [0], [0, 0, 1, 1], [0, 1, 0, 2]].map(switchesOf)).toEqual([0, 0, 1, 3]);
  });
});

describe('follow', () => {
  it('gives the outcome and takes the steps back', () => {
    expect(follow(program, [1, 1, 0, 0, 0])).toBe('3 0 | 0 0');
    expect(follow(program, [0, 0, 0, 1, 1], ['lock 1', 'put 0 3'])).toBe('3 0 | 0 0');
    expect(program.depth).toBe(0);
  });

  it.each([
    ['who waits', [0, 1], [], 'at step 2: got T1 (lock 1), want T0 (put 0 3)'],
    ['who has ended', [1, 1, 1], [], 'at step 3: got T1 (ended), want T0 (lock 1)'],
    ['whom there is not', [2], [], 'at step 1: got agent 2 (ended), want T0 (lock 1) or T1 (lock 1)'],
    ['another step', [0], ['unlock 1'], 'at step 1: got T0 (unlock 1), want T0 (lock 1) or T1 (lock 1)'],
    ['a schedule that is cut', [0], [], 'at step 2: got the end, want T0 (put 0 3)'],
    ['one that is too long', [1, 1, 0, 0, 0, 0], [], 'at step 6: got T0 (ended), want the end'],
  ])('refuses %s, says where, and takes the steps back', (_, schedule, labels, message) => {
    expect(() => follow(program, schedule, labels)).toThrow(`the schedule does not apply ${message}`);
    expect(program.depth).toBe(0);
  });
});
