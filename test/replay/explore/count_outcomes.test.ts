import { describe, expect, it } from 'vitest';
import { countOutcomes, follow, switchesOf, type OutcomeCounts } from '../../../replay/index.js';
import { enumerate } from './enumerate.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const INCREMENT: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
];
const LOCKED: Instruction[] = [['lock', 1], ...INCREMENT, ['unlock', 1]];

function exhausted(counts: OutcomeCounts): Extract<OutcomeCounts, { complete: true }> {
  if (!counts.complete) throw new Error('the bound was hit');
  return counts;
}

/** Counts by the value that word 0 has at the end. */
function byTotal(program: TinyProgram): Record<string, bigint> {
  const totals: Record<string, bigint> = {};
  for (const { outcome, count } of exhausted(countOutcomes(program)).outcomes) {
    const total = outcome.split(' ')[0]!;
    totals[total] = (totals[total] ?? 0n) + count;
  }
  return totals;
}

describe('countOutcomes', () => {
  it('counts the interleavings of a racy increment by two and by three threads', () => {
    expect(byTotal(new TinyProgram(1, [INCREMENT, INCREMENT]))).toEqual({ '1': 4n, '2': 2n });
    const three = new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]);
    // 6! / (2! 2! 2!) = 90, of which 3! run one after the other.
    expect(byTotal(three)).toEqual({ '1': 48n, '2': 36n, '3': 6n });
  });

  it('finds that a locked increment by three threads loses nothing, in 3! interleavings', () => {
    const counts = exhausted(countOutcomes(new TinyProgram(2, [LOCKED, LOCKED, LOCKED])));
    expect(counts.interleavings).toBe(6n);
    expect(counts.outcomes.map(({ outcome, deadlock }) => [outcome[0], deadlock])).toEqual(
      counts.outcomes.map(() => ['3', false]),
    );
  });

  it('finds the three outcomes of store buffering under sequential consistency', () => {
    const program = new TinyProgram(2, [
      [
        ['put', 0, 1],
        ['load', 1],
      ],
      [
        ['put', 1, 1],
        ['load', 0],
      ],
    ]);
    const { outcomes, interleavings } = exhausted(countOutcomes(program));
    expect(interleavings).toBe(6n);
    expect(Object.fromEntries(outcomes.map(({ outcome, count }) => [outcome, count]))).toEqual({
      '1 1 | 0 1': 1n,
      '1 1 | 1 0': 1n,
      '1 1 | 1 1': 4n,
    });
  });

  it('tells a deadlock from an end, and an assertion from both', () => {
    const abba = new TinyProgram(2, [
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
    const stuck = exhausted(countOutcomes(abba)).outcomes;
    expect(stuck.map(({ deadlock, switches }) => [deadlock, switches])).toEqual([
      [false, 1],
      [true, 1],
    ]);
    const failing = new TinyProgram(1, [
      [
        ['load', 0],
        ['fail', 7],
      ],
      [['put', 0, 7]],
    ]);
    const { outcomes } = exhausted(countOutcomes(failing));
    expect(outcomes.map(({ outcome, count, deadlock }) => [outcome, count, deadlock])).toContainEqual([
      '7 | 7 0',
      1n,
      false,
    ]);
  });

  it('counts exactly beyond 2^53', () => {
    const puts = (word: number): Instruction[] => Array.from({ length: 32 }, () => ['put', word, 1] as const);
    const counts = exhausted(countOutcomes(new TinyProgram(2, [puts(0), puts(1)])));
    // 64! / (32! 32!)
    expect(counts.interleavings).toBe(1832624140942590534n);
    expect(counts.states).toBe(33 * 33);
    const exact = exhausted(countOutcomes(new TinyProgram(2, [puts(0), puts(1)]), { exact: true }));
    expect({ ...exact, stateWords: 0 }).toEqual(counts);
    const three = exhausted(countOutcomes(new TinyProgram(3, [puts(0), puts(1), puts(2)])));
    // 96! / (32! 32! 32!), some 2^147
    const factorial = (n: bigint): bigint => (n < 2n ? 1n : n * factorial(n - 1n));
    expect(three.interleavings).toBe(factorial(96n) / factorial(32n) ** 3n);
  });

  it('gives for each outcome a schedule with the fewest switches, which leads to it', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]);
    for (const { outcome, switches, schedule } of exhausted(countOutcomes(program)).outcomes) {
      expect(follow(program, schedule)).toBe(outcome);
      expect(switchesOf(schedule)).toBe(switches);
    }
    expect(program.depth).toBe(0);
  });

  it('counts on from where the program stands', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
    program.step(0);
    program.step(1);
    expect(byTotal(program)).toEqual({ '1': 2n });
    expect(program.depth).toBe(2);
  });

  it('takes a program that has no step for one interleaving', () => {
    expect(exhausted(countOutcomes(new TinyProgram(1, [[]])))).toEqual({
      complete: true,
      states: 1,
      stateWords: 0,
      interleavings: 1n,
      outcomes: [{ outcome: '0 | 0', deadlock: false, broken: 0, count: 1n, switches: 0, schedule: [] }],
    });
  });

  it('counts apart what differs only in the checks that are broken', () => {
    // The assertion ends the path before the store or after it; the text does not say which.
    const both = new TinyProgram(1, [[['put', 0, 0]], [['fail', 0]]]);
    both.broken = () => (both.agents[0]!.at === undefined ? 0 : 4);
    expect(exhausted(countOutcomes(both)).outcomes).toMatchObject([
      { outcome: '0 | 0 0', broken: 0, count: 1n },
      { outcome: '0 | 0 0', broken: 4, count: 1n },
    ]);
  });

  it('counts nothing where the bound on states is hit, says how far it came, and leaves the program as it was', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
    const { states } = countOutcomes(program);
    expect(countOutcomes(program, { statesMax: states }).complete).toBe(true);
    expect(countOutcomes(program, { statesMax: states - 1 })).toEqual({
      complete: false,
      states: states - 1,
      stateWords: 0,
      deepest: 4,
      seen: [],
    });
    expect(program.depth).toBe(0);
  });

  it('gives what it saw broken before the bound was hit, at an end or in the middle', () => {
    const atEnd = new TinyProgram(1, [[['fail', 0]], INCREMENT]);
    expect(countOutcomes(atEnd, { statesMax: 2 })).toMatchObject({ seen: [{ bits: 1, schedule: [0] }] });
    const inTheMiddle = new TinyProgram(1, [INCREMENT, INCREMENT]);
    inTheMiddle.broken = () => (inTheMiddle.depth >= 2 ? 8 : 0);
    expect(countOutcomes(inTheMiddle, { statesMax: 2 })).toMatchObject({ seen: [{ bits: 8, schedule: [0, 0] }] });
  });

  it('refuses a program that comes back to a state', () => {
    const program = new TinyProgram(1, [INCREMENT]);
    // Only what is hashed is the state: here nothing is.
    program.hash = () => undefined;
    expect(() => countOutcomes(program)).toThrow('the program runs in circles');
    expect(program.depth).toBe(0);
  });

  it('takes paths of any length', () => {
    const puts = Array.from({ length: 30_000 }, () => ['put', 0, 1] as const);
    const program = new TinyProgram(1, [puts]);
    expect(countOutcomes(program)).toMatchObject({ complete: true, states: 30_001, interleavings: 1n });
    expect(program.depth).toBe(0);
  });

  it('keeps the states where it is to be exact, and is not misled by their hashes then', () => {
    const colliding = (): TinyProgram => {
      const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
      // Blind for the words: what the threads have read is taken for the same.
      program.hash = (into) => {
        program.agents.forEach(({ at }, key) => {
          into.add(key, at?.length ?? 0);
        });
      };
      return program;
    };
    const right = exhausted(countOutcomes(new TinyProgram(1, [INCREMENT, INCREMENT])));
    const exact = exhausted(countOutcomes(colliding(), { exact: true }));
    expect({ ...exact, stateWords: 0 }).toEqual(right);
    // One shared word, two program counters, two registers and `ended`, two words each.
    expect(exact.stateWords).toBe(right.states * 6 * 2);
    expect(() => expect(countOutcomes(colliding())).toEqual(right)).toThrow();
  });

  it('visits a state once, where naive enumeration visits it for each way to it', () => {
    const threads = [INCREMENT, INCREMENT, INCREMENT].map((thread) => [...thread, ...thread]);
    const memoised = new TinyProgram(1, threads);
    const naive = new TinyProgram(1, threads);
    countOutcomes(memoised);
    enumerate(naive);
    expect(memoised.stepsTaken).toBeLessThan(naive.stepsTaken / 10);
  });
});
