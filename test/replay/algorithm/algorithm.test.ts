import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../../events/index.js';
import {
  Accesses,
  AccessKind,
  agent,
  algorithm,
  countOutcomes,
  DONE,
  follow,
  isOver,
  isStuck,
  machine,
  SharedMemory,
  type AlgorithmProgram,
  type Invariant,
  type RowPort,
  type RowText,
} from '../../../replay/index.js';

/** One agent whose rows do what the functions do, one after the other. */
function sequence(
  memory: SharedMemory,
  rows: readonly (readonly [RowText, (m: RowPort) => unknown])[],
): AlgorithmProgram {
  const line = machine({
    name: 'line',
    locals: [],
    allocates: 2,
    rows: rows.map(([text]) => text),
    step(r, m) {
      rows[r.pc]![1](m);
      return r.pc + 1 < rows.length ? r.pc + 1 : DONE;
    },
  });
  return algorithm({ memory, agents: [agent('A', line)] });
}

/** Runs the only agent to the end, and gives what each row touched. */
function touched(program: AlgorithmProgram): [kind: number, location: number][][] {
  const steps: [number, number][][] = [];
  while (!isOver(program)) {
    program.step(0);
    const accesses = new Accesses();
    program.accesses(accesses);
    steps.push(Array.from({ length: accesses.count }, (_, i) => [accesses.kinds[i]!, accesses.locations[i]!]));
  }
  return steps;
}

describe('algorithm', () => {
  it('runs an agent row by row, and says what each has done', () => {
    const memory = new SharedMemory();
    const a = memory.words('a', 5, 6);
    const lock = memory.lock('lock');
    let page = 0;
    const program = sequence(memory, [
      [['1', 'LOCK', lock], (m) => m.lock(lock)],
      [['2', 'R a[1]'], (m) => m.load(a + 1)],
      [['3', 'W *p'], (m) => m.store(a, -7)],
      [['4', 'CAS a[0]'], (m) => m.cas(a, -7, 8)],
      [['5', 'CAS a[0]'], (m) => m.cas(a, -7, 9)],
      [['6', 'UNLOCK'], (m) => m.unlock(lock)],
      [['7', 'ALLOC'], (m) => m.init((page = m.alloc(2)) + 1, 3)],
      [['8', 'R p[1]'], (m) => m.load(page + 1)],
    ]);
    const told: string[] = [];
    while (!isOver(program)) told.push(...program.tell(0).map((row) => Object.values(row).join(' ').trim()));
    expect(told).toEqual([
      'line 1 LOCK lock taken',
      'line 2 R a[1] 6',
      'line 3 W *p a[0]: 5 -> -7',
      'line 4 CAS a[0] -7 -> 8',
      'line 5 CAS a[0] 8',
      'line 6 UNLOCK lock given back',
      'line 7 ALLOC',
      'line 8 R p[1] A+1: 3',
    ]);
    expect(program.outcome()).toBe('a=8,6');
    while (program.agents[0]!.at !== '1') program.undo();
    const [read, write] = [AccessKind.read, AccessKind.write];
    expect(touched(program)).toEqual([
      [[AccessKind.acquire, lock]],
      [[read, a + 1]],
      [[write, a]],
      [[write, a]],
      [[read, a]],
      [[AccessKind.release, lock]],
      [],
      [[read, page + 1]],
    ]);
  });

  it('gives an agent its arguments, and tells results apart', () => {
    const memory = new SharedMemory();
    const a = memory.words('a', 1, 2);
    const look = machine({
      name: 'look',
      locals: ['i', 'seen'],
      results: ['seen'],
      rows: [['1', 'R a[i]']],
      step(r, m) {
        r.seen = m.load(a + r.i);
        return DONE;
      },
    });
    const agents = [agent('A', look), agent('B', look, { i: 1 })];
    expect(follow(algorithm({ memory, agents }), [1, 0])).toBe('a=1,2 | A seen=1 | B seen=2');
    const outcome = follow(
      algorithm({ memory, agents, outcome: (view) => `${view.local(agents[1]!, 'seen') + view.load(a)}` }),
      [0, 1],
    );
    expect(outcome).toBe('3');
  });

  it('finds the deadlock of an agent that takes its lock twice', () => {
    const memory = new SharedMemory();
    const lock = memory.lock('lock');
    const program = sequence(memory, [
      [['1', 'LOCK', lock], (m) => m.lock(lock)],
      [['2', 'LOCK', lock], (m) => m.lock(lock)],
    ]);
    expect(program.agents[0]!.waitsFor).toBe(lock);
    program.step(0);
    expect(program.agents[0]).toMatchObject({ at: '2', enabled: false, waitsFor: lock });
    expect([isStuck(program), program.broken(), program.explain(1)]).toEqual([true, 2, 'A waits for lock (2)']);
    expect(() => {
      program.step(0);
    }).toThrow(AssertionError);
  });

  it.each<[string, (m: RowPort, lock: number) => unknown]>([
    ['A says no', (m) => m.fail('says no')],
    ['A loads from 0, where there is no word', (m) => m.load(0)],
    ['A stores to 1000, where there is no word', (m) => m.store(1000, 1)],
    ['A compares and exchanges -1, where there is no word', (m) => m.cas(-1, 0, 1)],
    ['A loads from 2, where there is no word', (m, lock) => m.load(lock)],
    ['A loads from 3, where there is no word', (m) => m.load(3)],
    ['A gives back a lock that it does not hold', (m, lock) => m.unlock(lock)],
  ])('ends a path where %s', (text, does) => {
    const memory = new SharedMemory();
    memory.words('a', 0);
    const lock = memory.lock('lock');
    const program = sequence(memory, [
      [['1', 'ROW'], (m) => does(m, lock)],
      [['2', 'ROW'], () => 0],
    ]);
    program.step(0);
    expect([program.ended, program.broken(), program.explain(0)]).toEqual([true, 1, text]);
    expect(program.outcome()).toBe(`failed: ${text}`);
    program.undo();
    expect([program.ended, program.broken()]).toEqual([false, 0]);
  });

  it('judges invariants in every state, of agents too, and others at the end', () => {
    const memory = new SharedMemory();
    const a = memory.words('a', 0);
    const line = machine({
      name: 'line',
      locals: ['i'],
      rows: [
        ['1', 'W a'],
        ['2', 'nothing'],
        ['3', 'W a'],
      ],
      step(r, m) {
        if (r.pc !== 1) m.store(a, 1 - r.i);
        r.i = 1;
        return r.pc === 2 ? DONE : r.pc + 1;
      },
    });
    const only = agent('A', line);
    const invariant = (when: 'always' | 'end', name: string, holds: Invariant['holds']): Invariant => ({
      name,
      wrong: `not ${name}`,
      when,
      holds,
    });
    const program = algorithm({
      memory,
      agents: [only],
      invariants: [
        invariant('always', 'a is 0', (view) => view.load(a) === 0),
        invariant('end', 'a is 1 at the end', (view) => view.load(a) === 1),
        invariant('always', 'never at 3', (view) => view.at(only) !== '3'),
        invariant('always', 'i is 0 at the start', (view) => view.at(only) !== '1' || view.local(only, 'i') === 0),
      ],
    });
    const broken: number[] = [program.broken()];
    while (!isOver(program)) {
      program.step(0);
      broken.push(program.broken());
    }
    expect(broken).toEqual([0, 0b00100, 0b10100, 0b11100]);
    expect(program.checks.map((_, check) => program.explain(check)).slice(2, 4)).toEqual([
      'not a is 0',
      'not a is 1 at the end',
    ]);
    for (let i = 0; i < 3; i++) program.undo();
    expect(program.broken()).toBe(0);
  });

  it('sees what is broken before the first step', () => {
    const memory = new SharedMemory();
    const never: Invariant = { name: 'never', wrong: 'it does not hold', when: 'always', holds: () => false };
    const agents = [agent('A', machine({ name: 'f', locals: [], rows: [['1', '']], step: () => DONE }))];
    expect(algorithm({ memory, agents, invariants: [never] }).broken()).toBe(4);
  });

  it('counts a loop that leads on, and refuses one that does not', () => {
    const memory = new SharedMemory();
    const a = memory.words('a', 0);
    const loop = (end: number): AlgorithmProgram =>
      algorithm({
        memory,
        agents: [
          agent(
            'A',
            machine({
              name: 'loop',
              locals: ['i'],
              rows: [['1', 'R a']],
              step(r, m) {
                m.load(a);
                if (end === 0) return 0;
                return ++r.i < end ? 0 : DONE;
              },
            }),
          ),
        ],
      });
    expect(countOutcomes(loop(5))).toMatchObject({ complete: true, states: 6, interleavings: 1n });
    expect(() => countOutcomes(loop(0))).toThrow(/circles/);
  });
});

describe('a row that breaks the rules of rows', () => {
  it.each<[string, (m: RowPort, a: number, lock: number) => unknown]>([
    ['two accesses', (m, a) => m.load(a) + m.load(a)],
    ['takes a lock that its table does not name', (m, _, lock) => m.lock(lock)],
    ['allocates more words', (m) => m.alloc(3)],
    ['a word of others', (m, a) => m.init(a, 1)],
    ['what is no lock', (m, a) => m.unlock(a)],
  ])('is an assertion: %s', (message, does) => {
    const memory = new SharedMemory();
    const a = memory.words('a', 0);
    const lock = memory.lock('lock');
    const program = sequence(memory, [[['1', 'ROW'], (m) => does(m, a, lock)]]);
    expect(() => {
      program.step(0);
    }).toThrow(message);
  });

  it('is an assertion: it does not take the lock that it names, or leads nowhere', () => {
    const memory = new SharedMemory();
    const lock = memory.lock('lock');
    const idle = sequence(memory, [[['1', 'LOCK', lock], () => 0]]);
    const lost = machine({ name: 'lost', locals: [], rows: [['1', '']], step: () => 1 });
    for (const program of [idle, algorithm({ memory, agents: [agent('A', lost)] })]) {
      expect(() => {
        program.step(0);
      }).toThrow(AssertionError);
    }
  });
});

describe('bad declarations', () => {
  const rows: readonly RowText[] = [['1', 'R a']];
  const step = (): number => DONE;
  const fine = machine({ name: 'fine', locals: ['i'], rows, step });
  const memory = new SharedMemory();

  it.each<[RegExp, () => unknown]>([
    [/name of shared memory is taken: got a/, twiceDeclared],
    [/initial values of a: got none/, () => new SharedMemory().words('a')],
    [/initial values of a: got 0.5/, () => new SharedMemory().words('a', 0.5)],
    [/too much shared memory/, () => new SharedMemory().words('a', ...new Array<number>(2 ** 16).fill(0))],
    [/has no row/, () => machine({ name: 'f', locals: [], rows: [], step })],
    [/label stands for two rows: got 1/, () => machine({ name: 'f', locals: [], rows: [...rows, ...rows], step })],
    [/name stands for two locals: got i/, () => machine({ name: 'f', locals: ['i', 'i'], rows, step })],
    [/name stands for two locals: got pc/, () => machine({ name: 'f', locals: ['pc'], rows, step })],
    [/words to allocate: got -1/, () => machine({ name: 'f', locals: [], allocates: -1, rows, step })],
    [/argument i: got NaN/, () => agent('A', fine, { i: NaN })],
    [/algorithm: agents: got 0, want 1 to 31/, () => algorithm({ memory, agents: [] })],
    [/two agents: got A/, () => algorithm({ memory, agents: [agent('A', fine), agent('A', fine)] })],
    [/agents: got 32/, () => algorithm({ memory, agents: Array.from({ length: 32 }, (_, i) => agent(`A${i}`, fine)) })],
    [
      /row 1 of f takes what is no lock: got 1/,
      () =>
        algorithm({ memory, agents: [agent('A', machine({ name: 'f', locals: [], rows: [['1', 'LOCK', 1]], step }))] }),
    ],
    [
      /two checks: got deadlock/,
      () =>
        algorithm({
          memory,
          agents: [agent('A', fine)],
          invariants: [{ name: 'deadlock', wrong: '', when: 'end', holds: () => true }],
        }),
    ],
    [
      /view of an agent: got B/,
      () => {
        const always: Invariant = {
          name: 'x',
          wrong: '',
          when: 'always',
          holds: (view) => view.at(agent('B', fine)) === '',
        };
        return algorithm({ memory, agents: [agent('A', fine)], invariants: [always] });
      },
    ],
  ])('say what is wrong: %s', (message, declare) => {
    expect(declare).toThrow(message);
  });

  function twiceDeclared(): number {
    const twice = new SharedMemory();
    return twice.words('a', 1) + twice.lock('a');
  }
});
