import { describe, expect, it } from 'vitest';
import {
  exploreTraces,
  isOver,
  lastzero,
  lockedIncrement,
  racyIncrement,
  readers,
  smallAlgorithm,
  storeBuffering,
  type Program,
  type Schedule,
  type SmallAgent,
} from '../../../replay/index.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const INCREMENT: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
];
const LOCKED: Instruction[] = [['lock', 1], ...INCREMENT, ['unlock', 1]];

function tinyReaders(count: number): TinyProgram {
  return new TinyProgram(1, [[['put', 0, 1]], ...Array.from({ length: count }, (): Instruction[] => [['load', 0]])]);
}

/** Two threads that take two locks in opposite orders. */
function crossedLocks(): TinyProgram {
  const thread = (first: number, second: number): Instruction[] => [
    ['lock', first],
    ['lock', second],
    ['unlock', second],
    ['unlock', first],
  ];
  return new TinyProgram(2, [thread(0, 1), thread(1, 0)]);
}

describe('exploreTraces', () => {
  it.each<[string, Program, number]>([
    ['store buffering', storeBuffering(), 3],
    ['racy increment by 2', racyIncrement(2), 4],
    ['racy increment by 3', racyIncrement(3), 36],
    ['locked increment by 3', lockedIncrement(3), 6],
    ['locked increment by 4', lockedIncrement(4), 24],
    ['readers(2)', readers(2), 4],
    ['readers(5)', readers(5), 32],
    ['lastzero(3)', lastzero(3), 12],
    ['lastzero(5)', lastzero(5), 64],
    ['racy increment by 3, tiny', new TinyProgram(1, [INCREMENT, INCREMENT, INCREMENT]), 36],
    ['locked increment by 3, tiny', new TinyProgram(2, [LOCKED, LOCKED, LOCKED]), 6],
    ['readers(5), tiny', tinyReaders(5), 32],
  ])('needs as many executions as there are traces, none in vain: %s', (_, program, executions) => {
    expect(exploreTraces(program, { goOn: true })).toMatchObject({ complete: true, executions, blocked: 0 });
  });

  it.each<{ agents: SmallAgent[]; executions: number }>([
    { agents: ['S1', 'S2', 'R'], executions: 72 },
    { agents: ['S1', 'S2', 'R', 'R'], executions: 288 },
    { agents: ['S1', 'S2', 'S3', 'R'], executions: 840 },
  ])('exhausts the small algorithm: $agents in $executions', ({ agents, executions }) => {
    expect(exploreTraces(smallAlgorithm('fixed', agents))).toMatchObject({
      complete: true,
      executions,
      blocked: 0,
      violations: [],
    });
  });

  it('does not depend on the order of the agents', () => {
    for (const agents of [
      ['R', 'S2', 'S1'],
      ['S2', 'R', 'S1'],
      ['S2', 'S1', 'R'],
    ] as const) {
      expect(exploreTraces(smallAlgorithm('fixed', agents)).executions).toBe(72);
    }
  });

  it('stops at the first execution that breaks the small algorithm in its broken form', () => {
    const program = smallAlgorithm('broken', ['S1', 'S2', 'R']);
    const { complete, executions, violations } = exploreTraces(program);
    const [first] = violations;
    expect({ complete, found: violations.length }).toEqual({ complete: false, found: 1 });
    expect(executions).toBeLessThan(exploreTraces(program, { goOn: true }).executions);
    for (const agent of first!.schedule) program.step(agent);
    expect(isOver(program)).toBe(true);
    expect(program.broken()).toBe(first!.bits);
  });

  it('goes on if it shall, and gives one path for each set of broken checks', () => {
    const failing = new TinyProgram(1, [[...INCREMENT, ['load', 0], ['fail', 1]], INCREMENT]);
    const search = exploreTraces(failing, { goOn: true });
    expect(search).toMatchObject({ complete: true, blocked: 0 });
    expect(search.violations.map(({ bits }) => bits)).toEqual([1]);
  });

  it('finds a deadlock, and the executions around it', () => {
    const ends: string[] = [];
    const program = crossedLocks();
    const search = exploreTraces(program, {
      goOn: true,
      onExecution: (schedule) => ends.push(`${schedule.join('')} ${program.broken()}`),
    });
    expect(search).toMatchObject({ complete: true, executions: 3, blocked: 0 });
    expect(ends.filter((end) => end.endsWith(' 2'))).toHaveLength(1);
  });

  it('finds who could have taken a lock before one who fails with it', () => {
    const program = new TinyProgram(1, [
      [
        ['lock', 0],
        ['fail', 0],
      ],
      [
        ['lock', 0],
        ['unlock', 0],
      ],
    ]);
    const schedules: Schedule[] = [];
    exploreTraces(program, { goOn: true, onExecution: (schedule) => schedules.push(schedule) });
    expect(schedules.map(String).sort()).toEqual(['0,0', '1,1,0,0']);
  });

  it('runs a program without a step once', () => {
    expect(exploreTraces(new TinyProgram(1, [[]]))).toMatchObject({ complete: true, executions: 1, steps: 0 });
  });

  it.each([0, 1, 35])('stops after %i executions if it may run no more', (executionsMax) => {
    const search = exploreTraces(racyIncrement(3), { executionsMax, goOn: true });
    expect(search).toMatchObject({ complete: false, executions: executionsMax });
  });

  it('is complete where the bound is just met', () => {
    const search = exploreTraces(racyIncrement(3), { executionsMax: 36, goOn: true });
    expect(search).toMatchObject({ complete: true, executions: 36 });
  });

  it.each([
    ['a bound was hit', { executionsMax: 2 }],
    ['somebody who looks on gives up', { onExecution: giveUp }],
    ['it is complete', {}],
  ])('leaves the program as it was: %s', (_, options) => {
    const program = new TinyProgram(1, [INCREMENT, INCREMENT]);
    program.step(0);
    try {
      exploreTraces(program, { goOn: true, ...options });
    } catch {
      // What counts is where the program stands.
    }
    expect(program.depth).toBe(1);
  });

  it('leaves the program as it was where a step throws', () => {
    const program = new ThrowingProgram(1, [INCREMENT, INCREMENT]);
    expect(() => exploreTraces(program)).toThrow('no second store');
    expect(program.depth).toBe(0);
  });

  it('refuses a path that has no end', () => {
    expect(() => exploreTraces(new EndlessProgram(1, [[['load', 0]]]))).toThrow('a path is too long to explore');
  });
});

function giveUp(): never {
  throw new Error('given up');
}

/** A step that would make the word 2 throws, and is not taken. */
class ThrowingProgram extends TinyProgram {
  override step(agent: number): void {
    super.step(agent);
    if (this.outcome().startsWith('2')) {
      super.undo();
      throw new Error('no second store');
    }
  }
}

/** Its only agent loads for ever. */
class EndlessProgram extends TinyProgram {
  #steps = 0;
  override readonly agents = [{ name: 'A', at: 'load 0', enabled: true, waitsFor: undefined }];

  override step(): void {
    this.#steps++;
  }

  override undo(): void {
    this.#steps--;
  }

  override get depth(): number {
    return this.#steps;
  }
}
