import { describe, expect, it } from 'vitest';
import {
  contentHash,
  findingHead,
  findingJson,
  findingText,
  printToken,
  ScenarioProgram,
  scenarioOf,
  scenarioHash,
  type Finding,
  type Program,
  type Schedule,
} from '../../../replay/index.js';
import { smallAlgorithm } from '../../../replay/algorithm/samples/small_algorithm.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { TinyProgram, type Instruction } from '../explore/tiny_program.js';

const CHECKED: Instruction[] = [
  ['load', 0],
  ['add', 1],
  ['store', 0],
  ['load', 0],
  ['fail', 1],
];

function brokenAfter(program: Program, schedule: Schedule): number {
  for (const agent of schedule) program.step(agent);
  const bits = program.broken();
  for (let i = 0; i < schedule.length; i++) program.undo();
  return bits;
}

function finding(program: Program, schedule: Schedule, hash = contentHash('a test')): Finding {
  const token = printToken(program, hash, schedule);
  const command = `p2m explore a.json --replay ${token}`;
  return { program, schedule, bits: brokenAfter(program, schedule), token, command };
}

const text = (of: Finding): string => `\n${findingText(of)}\n`;

describe('findingText', () => {
  it('says what is violated and since when, shows the path, what it turns on and the command that repeats it', () => {
    const program = new TinyProgram(1, [CHECKED.slice(0, 3), CHECKED]);
    expect(text(finding(program, [0, 1, 0, 1, 1, 1]))).toMatchInlineSnapshot(`
      "
      violated: assertion, at the end
        an agent failed

      step  T0               T1
         1  T0()
              load  load 0
      >  2                   T1()
                               load  load 0
      <  3    store store 0
         4                     store store 0
         5                     load  load 0
      !  6                     fail  fail 1

      > <  the critical pair: swapping steps 2 (T1 load) and 3 (T0 store) alone gives a path that passes
      !    the first bad state is the one after step 6, the last: assertion
      6 steps, 3 switches, 2 preemptions: ABAB3

      p2m explore a.json --replay p1-e16180aa-ABAB3-63ee15d1327ffe18-6b91
      "
    `);
    expect(program.depth).toBe(0);
  });

  it('says that one agent alone is enough', () => {
    expect(text(finding(new TinyProgram(1, [CHECKED]), [0, 0, 0, 0]))).toMatchInlineSnapshot(`
      "
      violated: assertion, at the end
        an agent failed

      step  T0
         1  T0()
              load  load 0
         2    store store 0
         3    load  load 0
      !  4    fail  fail 1

      no critical pair: all steps are of one agent
      !    the first bad state is the one after step 4, the last: assertion
      4 steps, 0 switches, 0 preemptions: A4

      p2m explore a.json --replay p1-e16180aa-A4-26fa0e6325c48ad8-e32a
      "
    `);
  });

  it('says that a path ends badly, and that no swap helps', () => {
    const crossed = new TinyProgram(2, [
      [
        ['lock', 0],
        ['lock', 1],
      ],
      [
        ['lock', 1],
        ['lock', 0],
      ],
    ]);
    expect(text(finding(crossed, [0, 1]))).toMatchInlineSnapshot(`
      "
      violated: deadlock, at the end
        nobody can go on

      step  T0             T1
         1  T0()
              lock lock 0
      !  2                 T1()
                             lock lock 1

      no critical pair: no swap of two steps alone gives a path that passes
      !    the first bad state is the one after step 2, the last: deadlock
      2 steps, 1 switch, 1 preemption: AB

      p2m explore a.json --replay p1-e16180aa-AB-be4b9eceffe23713-8d7c
      "
    `);
  });

  it('shows a path that breaks nothing', () => {
    expect(text(finding(new TinyProgram(1, [CHECKED.slice(0, 3)]), [0, 0]))).toMatchInlineSnapshot(`
      "
      no check is broken

      step  T0
         1  T0()
              load  load 0
         2    store store 0

      2 steps, 0 switches, 0 preemptions: A2

      p2m explore a.json --replay p1-e16180aa-A2-2ea3e9f5cad8c780-c144
      "
    `);
  });

  it('shows an operation that dies before it takes a step', () => {
    const program = new ScenarioProgram(
      scenarioOf({ kernel: '3.19', geometry: 'tiny', layout: [['nr', '16']], threads: [[['set', 40, 'm:7']]] }),
    );
    expect(text(finding(program, []))).toMatchInlineSnapshot(`
      "
      violated: BUG_ON, at the end
        set 0x28 m:7 by A ended in a kernel assertion (beyond-size)

      step  A
            set 0x28 m:7 = BUG

      no critical pair: all steps are of one agent
           the first bad state is the one before the first step: BUG_ON
      0 steps, 0 switches, 0 preemptions

      p2m explore a.json --replay p1-e16180aa--9d66169ad348466d-b737
      "
    `);
  });

  it('is small_algorithm.txt for the broken form of the small algorithm', async () => {
    const program = smallAlgorithm('broken', ['S1', 'S2']);
    const schedule = [...Array<number>(5).fill(0), ...Array<number>(20).fill(1), ...Array<number>(20).fill(0)];
    const path = applicable(program, schedule);
    await expect(`${findingText(finding(program, path))}\n`).toMatchFileSnapshot('small_algorithm.txt');
  });

  it('marks the walk that came too early where the loser of a PMD race keeps its pointer', () => {
    const { scenario, outcomes } = shippedVector('ss-missing-pmd-same-pfn.3.19-rc1');
    const { schedule } = outcomes.find(({ outcome }) => outcome.flags.includes('shared-pte-page-written'))!;
    const program = new ScenarioProgram({ ...scenario, check: ['shared-pte-page-written'] });
    const path = schedule.map(([name]) => 'AB'.indexOf(name));
    const report = findingText(finding(program, path, scenarioHash(scenario)));
    expect(report).toMatch(/^violated: shared-pte-page-written, /);
    expect(report).toContain('swapping steps 4 (alloc_p2m A2) and 12 (alloc_p2m_pmd P3.6) alone');
    expect(report).toContain('37 steps, 2 switches, 1 preemption: B4A20B13');
  });
});

describe('findingHead', () => {
  it('says what is wrong and how to see the rest', () => {
    const program = new TinyProgram(1, [CHECKED.slice(0, 3), CHECKED]);
    expect(`\n${findingHead(finding(program, [0, 1, 0, 1, 1, 1]))}\n`).toMatchInlineSnapshot(`
      "
      violated: assertion, at the end
        an agent failed
      6 steps, 3 switches, 2 preemptions: ABAB3
      p2m explore a.json --replay p1-e16180aa-ABAB3-63ee15d1327ffe18-6b91
      "
    `);
  });
});

describe('findingJson', () => {
  it('has an object a check, with the path as runs and as steps', () => {
    const program = new TinyProgram(1, [CHECKED.slice(0, 3), CHECKED]);
    expect(findingJson(finding(program, [0, 1, 0, 1, 1, 1]))).toMatchInlineSnapshot(`
      [
        {
          "atEnd": true,
          "brokenAfter": 6,
          "check": "assertion",
          "criticalPair": [
            2,
            3,
          ],
          "message": "an agent failed",
          "preemptions": 2,
          "runs": "ABAB3",
          "schedule": [
            [
              "T0",
              "load 0",
            ],
            [
              "T1",
              "load 0",
            ],
            [
              "T0",
              "store 0",
            ],
            [
              "T1",
              "store 0",
            ],
            [
              "T1",
              "load 0",
            ],
            [
              "T1",
              "fail 1",
            ],
          ],
          "switches": 3,
          "token": "p1-e16180aa-ABAB3-63ee15d1327ffe18-6b91",
        },
      ]
    `);
    expect(program.depth).toBe(0);
  });

  it('is an empty list where nothing is broken', () => {
    expect(findingJson(finding(new TinyProgram(1, [CHECKED.slice(0, 3)]), [0, 0]))).toEqual([]);
  });
});

/** Those steps of a schedule that can be taken. */
function applicable(program: Program, schedule: Schedule): Schedule {
  const path: number[] = [];
  for (const agent of schedule) {
    if (program.ended || !program.agents[agent]!.enabled) continue;
    program.step(agent);
    path.push(agent);
  }
  for (let i = 0; i < path.length; i++) program.undo();
  return path;
}
