import { describe, expect, it } from 'vitest';
import { burst, follow } from '../../../replay/index.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const STORE_AND_LOAD: Instruction[] = [
  ['put', 0, 1],
  ['load', 0],
  ['fail', 2],
];
const racy = (): TinyProgram => new TinyProgram(1, [STORE_AND_LOAD, [['put', 0, 2]]]);

describe('burst', () => {
  it('stops at the first hit, and gives a schedule that leads to it', () => {
    const program = racy();
    const { first, runs, hits, steps, hitRate } = burst(program, { runs: 1000, seed: 3 });
    expect(first).toMatchObject({ run: runs - 1, bits: 1 });
    expect(hits).toBe(1);
    expect(hitRate).toBe(1 / runs);
    expect(steps).toBeGreaterThanOrEqual(3 * runs);
    expect(program.depth).toBe(0);
    for (const agent of first!.schedule) program.step(agent);
    expect(program.broken()).toBe(1);
  });

  it('goes on after a hit where it is to', () => {
    const all = burst(racy(), { runs: 1000, seed: 3, stopAtFirst: false });
    expect(all.runs).toBe(1000);
    expect(all.first).toEqual(burst(racy(), { runs: 1000, seed: 3 }).first);
    expect([all.random.runs, all.pct.runs]).toEqual([500, 500]);
    expect(all.random.hits).toBeGreaterThan(100);
    expect(all.pct.hits).toBeGreaterThan(100);
    expect(all.hits).toBe(all.random.hits + all.pct.hits);
  });

  it('picks by what it is told, but for the first run, which measures how long paths are', () => {
    const of = (picker: 'random' | 'pct'): number[] => {
      const { random, pct } = burst(racy(), { runs: 100, picker, stopAtFirst: false });
      return [random.runs, pct.runs, pct.steps, pct.agents];
    };
    // Four steps, or three where the failure leaves nobody a last one.
    expect(of('random')).toEqual([100, 0, 4, 2]);
    expect(of('pct')).toEqual([1, 99, 4, 2]);
  });

  it('counts only what is wanted', () => {
    const { hits, first, runs } = burst(racy(), { runs: 200, wanted: 2 });
    expect([hits, first, runs]).toEqual([0, undefined, 200]);
  });

  it('does the same for the same seed, and something else for another', () => {
    const of = (seed: number): unknown => burst(racy(), { runs: 300, seed, stopAtFirst: false });
    expect(of(7)).toEqual(of(7));
    expect(of(7)).not.toEqual(of(8));
  });

  it('finds nothing where there is nothing, and takes no run for no hit', () => {
    const program = new TinyProgram(1, [STORE_AND_LOAD]);
    expect(burst(program, { runs: 50 })).toMatchObject({ runs: 50, hits: 0, hitRate: 0, first: undefined });
    expect(burst(program, { runs: 0 })).toMatchObject({ runs: 0, steps: 0, hitRate: 0 });
    expect(follow(program, [0, 0, 0])).toBe('1 | 1');
  });

  it.each([
    [{ runs: -1 }, 'bad number of runs: got -1, want a whole number from 0'],
    [{ runs: 1.5 }, 'bad number of runs: got 1.5'],
    [{ runs: 1, depth: 0 }, 'bad depth of bugs: got 0, want a whole number from 1'],
  ])('refuses %o', (options, message) => {
    expect(() => burst(racy(), options)).toThrow(message);
  });
});
