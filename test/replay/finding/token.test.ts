import { describe, expect, it } from 'vitest';
import {
  countOutcomes,
  parseRuns,
  parseToken,
  printRuns,
  printToken,
  replayToken,
  ScenarioProgram,
  scenarioHash,
  tokenText,
} from '../../../replay/index.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { TinyProgram, type Instruction } from '../explore/tiny_program.js';

const HASH = '5f3a9c2e';
const TOKEN = 'p1-5f3a9c2e-A12BA3-91c0d2e3f4a5b6c7-95c1';

const LOCKED: Instruction[] = [
  ['lock', 1],
  ['put', 0, 3],
  ['unlock', 1],
];
const program = new TinyProgram(2, [LOCKED, LOCKED]);

describe('printRuns', () => {
  it('counts the steps that one agent takes', () => {
    expect(printRuns([0, 0, 0, 1, 0, 25, 25])).toBe('A3BAZ2');
    expect(printRuns([])).toBe('');
  });

  it('has letters for 26 agents', () => {
    expect(() => printRuns([0, 26])).toThrow('agents have letters: got agent 26, want at most 26 agents');
  });
});

describe('parseRuns', () => {
  it.each([
    ['A2A3', 'at step 3 of a schedule: got "A3"'],
    ['A1', 'at step 1 of a schedule: got "A1"'],
    ['BA02', 'at step 2 of a schedule: got "A02"'],
    ['A0', 'at step 1 of a schedule: got "A0"'],
    ['A3b', 'at step 4 of a schedule: got "b"'],
    ['A99999999999', 'at step 1 of a schedule: got "A99999999999"'],
  ])('refuses %s, with the step', (text, message) => {
    expect(() => parseRuns(text)).toThrow(message);
  });
});

describe('parseToken', () => {
  it('reads the fields', () => {
    expect(parseToken(TOKEN)).toEqual({ scenario: HASH, schedule: parseRuns('A12BA3'), end: '91c0d2e3f4a5b6c7' });
  });

  it.each([
    ['a word', 'latest', 'not a token: got "latest", want p1-..., as a report ends with it'],
    ['nothing', '', 'not a token: got ""'],
    ['another version', TOKEN.replace('p1', 'p2'), 'the token is of another version: got p2, want p1'],
    ['a wrong digit', TOKEN.replace('91c0', '91g0'), 'damaged at character 22: got "g", want hash of the end, 16 hex'],
    ['a wrong letter', TOKEN.replace('A12', 'a12'), 'damaged at character 13: got "a", want a dash'],
    ['another digit', TOKEN.replace('A12', 'A13'), 'a character of the token is wrong: got check 95c1, want check '],
    ['more', `${TOKEN} `, 'damaged at character 41: got " ", want the end'],
    ['a cut hash', TOKEN.slice(0, 7), 'cut: got its end after character 7, want hash of the scenario, 8 hex digits'],
    ['a cut schedule', TOKEN.slice(0, 15), 'cut: got its end after character 15, want hash of the end, 16 hex digits'],
    ['a cut check', TOKEN.slice(0, -1), 'cut: got its end after character 39, want check, 4 hex digits'],
  ])('refuses %s, and says why', (_, text, message) => {
    expect(() => parseToken(text)).toThrow(message);
  });
});

describe('replayToken', () => {
  const token = parseToken(printToken(program, HASH, [0, 0, 0, 1, 1, 1]));

  it('gives what is broken at the end, and takes the steps back', () => {
    expect(replayToken(program, token, HASH)).toBe(0);
    expect(program.depth).toBe(0);
    const stuck = new TinyProgram(2, [
      [
        ['lock', 0],
        ['lock', 1],
      ],
      [
        ['lock', 1],
        ['lock', 0],
      ],
    ]);
    expect(replayToken(stuck, parseToken(printToken(stuck, HASH, [0, 1])), HASH)).toBe(2);
  });

  it('runs the part of a path that a token may be of', () => {
    const part = parseToken(printToken(program, HASH, [0, 0]));
    expect(replayToken(program, part, HASH)).toBe(0);
  });

  it.each([
    ['who has ended', [0, 0, 0, 0], 'at step 4 of 4: got T0, who has ended, want T1 (lock 1)'],
    ['who waits', [0, 1], 'at step 2 of 2: got T1, who waits for a lock (lock 1), want T0 (put 0 3)'],
    ['whom there is not', [2], 'at step 1 of 1: got C, whom there is not, want T0 (lock 1) or T1 (lock 1)'],
    ['a step too many', [0, 0, 0, 1, 1, 1, 1], 'at step 7 of 7: got B again, want the end: nobody can go on'],
    [
      'steps that are left',
      [0, 0, 0, 1, 1],
      'at its end, after step 5: got state 0000000000000000, want state .* steps are left: T1 \\(unlock 1\\)',
    ],
  ])('refuses %s, says where and why, and takes the steps back', (_, schedule, message) => {
    const wrong = { ...token, schedule };
    const pattern = message.includes('.*') ? message.replace('0000000000000000', '[0-9a-f]{16}') : undefined;
    expect(() => replayToken(program, wrong, HASH)).toThrow(pattern === undefined ? message : new RegExp(pattern));
    expect(program.depth).toBe(0);
  });

  it('refuses a path that an assertion ends earlier', () => {
    const failing = new TinyProgram(1, [
      [
        ['load', 0],
        ['fail', 0],
        ['load', 0],
      ],
    ]);
    expect(() => replayToken(failing, { ...token, schedule: [0, 0, 0] }, HASH)).toThrow(
      'at step 3 of 3: got A again, want the end: an assertion has ended the path',
    );
  });

  it('refuses another scenario, and a program that means something else by the same steps', () => {
    expect(() => replayToken(program, token, '00000000')).toThrow(
      'the token is of another scenario: got 5f3a9c2e, want 00000000',
    );
    const other = new TinyProgram(2, [LOCKED, [['lock', 1], ['put', 0, 4], LOCKED[2]!]]);
    expect(() => replayToken(other, token, HASH)).toThrow(/at its end, after step 6: .* is not what it was\)/);
  });
});

describe('printToken', () => {
  it('gives a path of a scenario the same token before and after the program was explored, and in a program of its own', () => {
    const { scenario, outcomes } = shippedVector('ss-missing-pmd-same-pfn.3.19-rc1');
    const hash = scenarioHash(scenario);
    const explored = new ScenarioProgram(scenario);
    const fresh = new ScenarioProgram(scenario);
    const schedules = outcomes.map(({ schedule }) => schedule.map(([name]) => 'AB'.indexOf(name)));
    const before = schedules.map((schedule) => printToken(explored, hash, schedule));
    countOutcomes(explored);
    expect(schedules.map((schedule) => printToken(explored, hash, schedule))).toEqual(before);
    // In another order, for what is numbered as it is met.
    expect(schedules.map((schedule) => printToken(fresh, hash, schedule)).reverse()).toEqual([...before].reverse());
    expect(new Set(before).size).toBe(before.length);
    for (const text of before) expect(tokenText(parseToken(text))).toBe(text);
  });
});
