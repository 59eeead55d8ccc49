import { describe, expect, it } from 'vitest';
import { fewestPreemptions, type FewestPreemptions } from '../../../replay/index.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

/** Fails where somebody stores 2 between its store and its load. */
const STORE_AND_LOAD: Instruction[] = [
  ['put', 0, 1],
  ['load', 0],
  ['fail', 2],
];

type Found = Extract<FewestPreemptions, { verdict: 'found' }>;

function found(program: TinyProgram, wanted = -1): Found {
  const result = fewestPreemptions(program, { wanted });
  if (result.verdict !== 'found') throw new Error(result.verdict);
  return result;
}

describe('fewestPreemptions', () => {
  it('finds the one preemption that breaks a store and a load', () => {
    const program = new TinyProgram(1, [STORE_AND_LOAD, [['put', 0, 2]]]);
    expect(found(program)).toMatchObject({ preemptions: 1, steps: 4, bits: 1, schedule: [0, 1, 0, 0] });
    expect(program.depth).toBe(0);
  });

  it('takes a switch away from who ended, or waits, for free', () => {
    const after: Instruction[] = [
      ['load', 0],
      ['fail', 2],
    ];
    expect(found(new TinyProgram(1, [after, [['put', 0, 2]]]))).toMatchObject({ preemptions: 0, schedule: [1, 0, 0] });
    const abba = [0, 1].map((first): Instruction[] => [
      ['lock', first],
      ['lock', 1 - first],
      ['unlock', 1 - first],
      ['unlock', first],
    ]);
    // One switch away from who could go on; that both wait then is the end.
    expect(found(new TinyProgram(2, abba))).toMatchObject({ bits: 2, preemptions: 1, steps: 2 });
  });

  it('prefers one preemption with many steps to two with few', () => {
    const toggle: Instruction[] = [
      ['put', 0, 2],
      ['put', 0, 0],
    ];
    const early: Instruction[] = [
      ['put', 0, 1],
      ['load', 0],
      ['skip', 2, 9],
      ['load', 1],
      ['load', 0],
      ['fail', 2],
    ];
    const { preemptions, schedule } = found(new TinyProgram(2, [early, toggle]));
    expect(preemptions).toBe(2);
    const long = [...Array.from({ length: 12 }, () => ['load', 1] as const), ['put', 0, 2] as const];
    expect(found(new TinyProgram(2, [early, toggle, long]))).toMatchObject({ preemptions: 1 });
    expect(found(new TinyProgram(2, [early, toggle, long])).steps).toBeGreaterThan(schedule.length);
  });

  describe('where ways of different lengths lead to one state', () => {
    // Three steps are skipped where word 0 is 1, and forgotten.
    const skipping: Instruction[] = [
      ['load', 0],
      ['skip', 1, 3],
      ['load', 1],
      ['load', 1],
      ['load', 1],
      ['put', 2, 5],
      ['load', 1],
    ];

    it('finds the shortest, also where the search came by a longer one first', () => {
      const failing: Instruction[] = [
        ['load', 2],
        ['fail', 5],
      ];
      const program = new TinyProgram(3, [skipping, [['put', 0, 1]], failing]);
      expect(found(program)).toMatchObject({ preemptions: 0, schedule: [1, 0, 0, 0, 2, 2] });
    });

    it('does not buy a shorter one with a preemption', () => {
      const passing: Instruction[] = [
        ['put', 0, 1],
        ['put', 0, 0],
      ];
      // Waits for ever, for itself, where it comes before the others; then needs a store in the middle to fail.
      const failing: Instruction[] = [
        ['load', 2],
        ['skip', 5, 2],
        ['put', 5, 9],
        ['lock', 5],
        ['put', 3, 1],
        ['load', 3],
        ['fail', 2],
      ];
      const program = new TinyProgram(6, [skipping, passing, failing, [['put', 3, 2]]]);
      // With two preemptions, T0 comes between the two steps of T1, and ten steps are enough.
      expect(found(program, 1)).toMatchObject({ preemptions: 1, schedule: [0, 0, 0, 0, 0, 0, 2, 2, 3, 2, 2] });
    });
  });

  it('stops where a check is broken, in the middle of a path or before its first step', () => {
    const program = new TinyProgram(1, [
      [
        ['put', 0, 1],
        ['put', 0, 2],
        ['put', 0, 3],
      ],
    ]);
    program.broken = () => (program.depth >= 2 ? 4 : 0);
    expect(found(program)).toMatchObject({ bits: 4, schedule: [0, 0], steps: 2 });
    program.broken = () => 4;
    expect(found(program)).toMatchObject({ bits: 4, schedule: [], steps: 0, preemptions: 0, states: 1 });
  });

  it('looks only for what is wanted', () => {
    const program = new TinyProgram(1, [STORE_AND_LOAD, [['put', 0, 2]]]);
    expect(fewestPreemptions(program, { wanted: 2 })).toMatchObject({ verdict: 'none', preemptions: 1 });
  });

  it('says up to how many preemptions nothing was found, where a bound was hit', () => {
    const program = new TinyProgram(1, [STORE_AND_LOAD, [['put', 0, 2]]]);
    const { states } = found(program);
    expect(fewestPreemptions(program, { preemptionsMax: 1 })).toEqual(found(program));
    expect(fewestPreemptions(program, { preemptionsMax: 0 })).toMatchObject({ verdict: 'bound', preemptions: 1 });
    expect(fewestPreemptions(program, { statesMax: states - 1 })).toMatchObject({ verdict: 'bound', preemptions: 1 });
    expect(fewestPreemptions(program, { statesMax: 1 })).toEqual({
      verdict: 'bound',
      preemptions: 0,
      states: 1,
      seen: undefined,
    });
    expect(program.depth).toBe(0);
  });

  it('leaves the program as it was where a step throws', () => {
    const program = new TinyProgram(1, [STORE_AND_LOAD, STORE_AND_LOAD]);
    program.hash = () => {
      if (program.depth === 3) throw new Error('too deep');
    };
    expect(() => fewestPreemptions(program)).not.toThrow();
    program.hash = (into) => {
      program.state(into);
      if (program.depth === 3) throw new Error('too deep');
    };
    expect(() => fewestPreemptions(program)).toThrow('too deep');
    expect(program.depth).toBe(0);
  });
});
