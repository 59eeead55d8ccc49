import { describe, expect, it } from 'vitest';
import { brokenChecks, Random, randomRun, ScenarioProgram, scenarioOf, tellPath } from '../../../replay/index.js';
import { walk } from '../../../replay/finding/walk.js';
import { TinyProgram } from '../explore/tiny_program.js';

describe('tellPath', () => {
  it('tells with which step an operation begins and ends, and names those that take none', () => {
    const program = new ScenarioProgram(
      scenarioOf({
        kernel: '7.0',
        geometry: 'tiny',
        layout: [['nr', '16']],
        threads: [
          [
            ['get', 40],
            ['set', 2, 'm:7'],
            ['get', 41],
            ['get', 2],
            ['get', 42],
          ],
        ],
      }),
    );
    const { schedule } = randomRun(program, new Random(1));
    const { before, steps } = tellPath(program, schedule);
    expect(before).toEqual([['get 0x28 = i:40']]);
    const told = steps.map(({ begins, ends }) => [begins, ...ends]);
    expect(told).toEqual([
      ['set 0x2 m:7', '= true', 'get 0x29 = i:41'],
      ['get 0x2'],
      [undefined],
      [undefined, '= m:7', 'get 0x2a = i:42'],
    ]);
  });
});

describe('brokenChecks', () => {
  const program = new TinyProgram(2, [
    [
      ['lock', 0],
      ['lock', 1],
    ],
    [
      ['lock', 1],
      ['lock', 0],
    ],
  ]);

  it('says since when a check is broken, of those that are asked for', () => {
    const [deadlock, ...others] = brokenChecks(program, [0, 1], 3);
    expect(deadlock).toEqual({ check: 1, name: 'deadlock', message: 'nobody can go on', steps: 2, atEnd: true });
    expect(others).toEqual([]);
    expect(brokenChecks(program, [0, 1], 1)).toEqual([]);
    expect(brokenChecks(program, [0], 3)).toEqual([]);
    expect(program.depth).toBe(0);
  });
});

describe('walk', () => {
  it('takes the steps back that were taken, also where one throws', () => {
    const program = new TinyProgram(1, [[['load', 0]], [['load', 0]]]);
    const take = (agent: number): void => {
      program.step(agent);
    };
    expect(walk(program, [1, 0], take, () => program.depth)).toBe(2);
    expect(() => walk(program, [1, 1], take, () => 0)).toThrow('agent 1 may not step');
    expect(program.depth).toBe(0);
  });
});
