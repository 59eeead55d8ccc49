import { describe, expect, it } from 'vitest';
import { burst, follow, pctBound, PctPicker, Random, type Program } from '../../../replay/index.js';
import { IntList } from '../../../replay/explore/int_list.js';
import { takeBack } from '../../../replay/explore/picker.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const INCREMENT: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
];

function schedule(program: Program, picker: PctPicker): number[] {
  const path = new IntList();
  picker.run(program, path);
  takeBack(program, path.length);
  return path.toArray();
}

describe('PctPicker', () => {
  it('gives seeds 1 to 20 the schedules that they have always had', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]);
    const runs = Array.from({ length: 20 }, (_, i) => {
      const picker = new PctPicker(new Random(i + 1), 3, 3);
      picker.steps = 6;
      return schedule(program, picker).join('');
    });
    expect(runs.join(' ')).toMatchInlineSnapshot(
      `"110022 002112 002211 211200 112002 100221 220101 001212 001122 220011 112002 002211 221100 102210 102210 221100 002211 122001 110022 102201"`,
    );
  });

  it('runs by priority alone at depth 1, each order of the agents equally often', () => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]);
    const picker = new PctPicker(new Random(1), 3, 1);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = schedule(program, picker).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect([...orders.keys()].sort()).toEqual(['001122', '002211', '110022', '112200', '220011', '221100']);
    // 1000 each; a standard deviation is 29.
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('runs whoever may, whatever the priorities, and takes a path that can be followed', () => {
    const locked: Instruction[] = [['lock', 1], ...INCREMENT, ['unlock', 1]];
    const program = new TinyProgram(2, [locked, INCREMENT, locked]);
    const picker = new PctPicker(new Random(3), 3, 4);
    for (let i = 0; i < 200; i++) {
      const path = schedule(program, picker);
      picker.steps = Math.max(picker.steps, path.length);
      expect(() => follow(program, path)).not.toThrow();
    }
    expect(program.depth).toBe(0);
  });
});

/** Steps that do not matter, before and after. */
function padded(thread: readonly Instruction[], count: number): Instruction[] {
  const padding = Array.from({ length: count }, () => ['put', 2, 0] as const);
  return [...padding, ...thread, ...padding];
}

/** By depth: threads that fail only where so many orders of two steps are kept. */
const BUGS: readonly (readonly Instruction[][])[] = [
  [],
  // B stores before A loads.
  [
    [
      ['load', 0],
      ['fail', 1],
    ],
    [['put', 0, 1]],
  ],
  // A stores, B stores, A loads.
  [
    [
      ['put', 0, 1],
      ['load', 0],
      ['fail', 2],
    ],
    [['put', 0, 2]],
  ],
  // A stores, B stores both, A copies one to the other, B loads.
  [
    [
      ['put', 0, 1],
      ['load', 0],
      ['store', 1],
    ],
    [
      ['put', 0, 2],
      ['put', 1, 3],
      ['load', 1],
      ['fail', 2],
    ],
  ],
];

describe('pctBound', () => {
  it('is 1 / (n k^(d-1))', () => {
    expect([pctBound(3, 40, 1), pctBound(2, 10, 3)]).toEqual([1 / 3, 1 / 200]);
  });

  it.each([1, 2, 3])(
    'is what PCT keeps with a bug of depth %i, and with fewer changes of priority it cannot',
    (depth) => {
      const threads = BUGS[depth]!.map((thread) => padded(thread, 3));
      const runs = 8000;
      const hitsAt = (d: number): ReturnType<typeof burst>['pct'] =>
        burst(new TinyProgram(3, threads), { runs, picker: 'pct', depth: d, stopAtFirst: false }).pct;
      const { hits, bound, agents, steps } = hitsAt(depth);
      expect(bound).toBe(1 / (agents * steps ** (depth - 1)));
      // At least the bound, less three standard deviations.
      expect(hits).toBeGreaterThan(runs * bound - 3 * Math.sqrt(runs * bound));
      if (depth > 1) expect(hitsAt(depth - 1).hits).toBe(0);
    },
  );
});
