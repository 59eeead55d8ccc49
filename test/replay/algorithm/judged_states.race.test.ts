import { describe, expect, it } from 'vitest';
import {
  agent,
  algorithm,
  countOutcomes,
  DONE,
  exploreTraces,
  machine,
  SharedMemory,
  type AlgorithmProgram,
  type Invariant,
} from '../../../replay/index.js';

/** Stores 1 there, and ends. */
const storer = (name: string, address: number) =>
  machine({
    name,
    locals: [],
    rows: [['W1', `W ${name}`]],
    step(_, m) {
      m.store(address, 1);
      return DONE;
    },
  });

/** Two stores that do not touch each other, and an invariant of every state that tells their order. */
function twoStores(reads: boolean, holds?: Invariant['holds']): AlgorithmProgram {
  const memory = new SharedMemory();
  const [x, y, z] = [memory.words('x', 0), memory.words('y', 0), memory.words('z', 0)];
  return algorithm({
    memory,
    agents: [agent('A', storer('x', x)), agent('B', storer('y', y)), agent('C', storer('z', z))],
    invariants: [
      {
        name: 'y-implies-x',
        wrong: 'y is there before x',
        when: 'always',
        ...(reads ? { reads: [x, y] } : {}),
        holds: holds ?? ((view) => view.load(y) === 0 || view.load(x) === 1),
      },
    ],
  });
}

describe('an invariant of every state', () => {
  it.each([true, false])(
    'is seen broken by partial order reduction too, whether it says what it reads: %s',
    (reads) => {
      const program = twoStores(reads);
      const traces = exploreTraces(program, { goOn: true });
      expect(traces.violations.map(({ bits }) => bits)).toEqual([1 << 2]);
      const counts = countOutcomes(program);
      if (!counts.complete) throw new Error('the bound was hit');
      expect(counts.outcomes.map(({ broken }) => broken).sort()).toEqual([0, 4]);
    },
  );

  it('that says what it reads leaves other stores independent', () => {
    // x before y and y before x, z anywhere; and without that, all orders of the three.
    expect(exploreTraces(twoStores(true), { goOn: true }).executions).toBe(2);
    expect(exploreTraces(twoStores(false), { goOn: true }).executions).toBe(6);
  });

  it('may look at an agent only where it sees a store: the order of what came before matters all the same', () => {
    const memory = new SharedMemory();
    const [x, y] = [memory.words('x', 0), memory.words('y', 0)];
    const loader = machine({
      name: 'load',
      locals: ['r'],
      rows: [['R1', 'R x']],
      step(r, m) {
        r.r = m.load(x);
        return DONE;
      },
    });
    const a = agent('A', loader);
    const b = agent('B', storer('y', y));
    const program = algorithm({
      memory,
      agents: [a, b],
      invariants: [
        {
          name: 'a-before-b',
          wrong: 'B has stored, and A has not loaded yet',
          when: 'always',
          holds: (view) => view.load(y) === 0 || view.at(a) === undefined,
        },
      ],
    });
    expect(exploreTraces(program, { goOn: true }).violations.map(({ bits }) => bits)).toEqual([4]);
  });

  it('may not look at what it does not name', () => {
    expect(() => twoStores(true, (view) => view.load(3) === 0)).toThrow('`reads` does not name');
  });
});
