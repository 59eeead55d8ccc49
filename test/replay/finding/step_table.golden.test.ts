import { describe, expect, it } from 'vitest';
import { ScenarioProgram, stepTable, tellPath, type ToldPath, type ToldStep } from '../../../replay/index.js';
import { shippedVector } from '../../src/concurrency_vector.js';
import { TinyProgram } from '../explore/tiny_program.js';

const step = (agent: number, where: string, ...rows: [label: string, does: string, effect: string][]): ToldStep => ({
  agent,
  rows: rows.map(([label, does, effect]) => ({ where, label, does, effect })),
  died: false,
  ends: [],
});

/** A path of steps, before which nothing has ended. */
const path = (steps: readonly ToldStep[], before: string[][] = []): ToldPath => ({ before, steps });

function table(...parameters: Parameters<typeof stepTable>): string {
  return `\n${stepTable(...parameters).join('\n')}\n`;
}

describe('stepTable', () => {
  it('has a column an agent, a row a step, the function where it changes, and marks in front', () => {
    const program = new TinyProgram(2, [
      [
        ['load', 0],
        ['add', 1],
        ['store', 0],
      ],
      [
        ['put', 0, 5],
        ['lock', 1],
      ],
    ]);
    const marks = new Map([
      [0, '>'],
      [1, '<'],
      [3, '!'],
    ]);
    expect(table(['T0', 'T1'], tellPath(program, [0, 1, 1, 0]), { marks })).toMatchInlineSnapshot(`
      "
      step  T0               T1
      >  1  T0()
              load  load 0
      <  2                   T1()
                               put  put 0 5
         3                     lock lock 1
      !  4    store store 0
      "
    `);
    expect(program.depth).toBe(0);
  });

  it('shows a step by its first row, and what was joined to it only where it touched something or hit an assertion', () => {
    const steps = [
      step(0, 'alloc', ['A5', 'R PTE', 'p2m_missing'], ['A6.1', 'ALLOC a leaf', 'leaf#1'], ['A6.2', 'fill it', '']),
      { ...step(0, 'alloc', ['A6.8', 'W mid[mididx]', ''], ['A1', 'check the top index', '']), died: true },
    ];
    expect(table(['A'], path(steps))).toMatchInlineSnapshot(`
      "
      step  A
         1  alloc()
              A5   R PTE: p2m_missing
              A6.1 ALLOC a leaf: leaf#1
         2    A6.8 W mid[mididx]
              A1   check the top index
      "
    `);
  });

  it('shows what an operation is where it begins, and what it gave where it ends, before all steps too', () => {
    const [began, ended] = [step(0, 'get', ['1', 'R PMD', 'pte#1']), step(0, 'get', ['2', 'R PTE', 'leaf#1'])];
    const steps = [
      { ...began, begins: 'get 0x402' },
      step(1, 'get', ['1', 'R PMD', 'pte#1']),
      { ...ended, ends: ['= m:77', 'get 0x99999 = i:629145'] },
      { ...began, begins: 'get 0x403' },
    ];
    expect(table(['A', 'B'], path(steps, [[], ['get 0x99999 = i:629145']]))).toMatchInlineSnapshot(`
      "
      step  A                       B
                                    get 0x99999 = i:629145
         1  get 0x402
            get()
              1 R PMD: pte#1
         2                          get()
                                      1 R PMD: pte#1
         3    2 R PTE: leaf#1
            = m:77
            get 0x99999 = i:629145
         4  get 0x403
            get()
              1 R PMD: pte#1
      "
    `);
  });

  it('breaks what does not fit, gives the room of a narrow column to a wide one, and stays within 118 columns', () => {
    const long =
      'p2m_missing_pte, which all areas share that hold nothing -> a PT page of its own, copied word by word';
    const steps = [
      step(0, 'alloc_p2m_pmd', ['P3.6', 'W PMD', `${long}, ${long}`]),
      step(1, 'get', ['1', 'R', '0']),
      step(2, 'get', ['1', 'R', '0']),
      step(0, 'alloc_p2m_pmd', ['P3.6', 'W PMD', 'x'.repeat(150)]),
    ];
    const lines = stepTable(['A', 'B', 'C'], path(steps));
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      step  A                                                                                             B         C
         1  alloc_p2m_pmd()
              P3.6 W PMD: p2m_missing_pte, which all areas share that hold nothing -> a PT page of its
                    own, copied word by word, p2m_missing_pte, which all areas share that hold nothing
                    -> a PT page of its own, copied word by word
         2                                                                                                get()
                                                                                                            1 R: 0
         3                                                                                                          get()
                                                                                                                      1 R: 0
         4    P3.6 W PMD:
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      "
    `);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(118);
  });

  it('gives each of many agents a column that can be read', () => {
    const names = Array.from({ length: 6 }, (_, i) => `T${i}`);
    const steps = names.map((_, i) => step(i, '__set_phys_to_machine', ['S3', 'R PMD', 'p2m_missing_pte'.repeat(i)]));
    expect(table(names, path(steps))).toMatchInlineSnapshot(`
      "
      step  T0                       T1                           T2                                T3                                T4                                T5
         1  __set_phys_to_machine()
              S3 R PMD
         2                           __set_phys_to_machine()
                                       S3 R PMD: p2m_missing_pte
         3                                                        __set_phys_to_machine()
                                                                    S3 R PMD:
                                                                          p2m_missing_ptep2m_missi
                                                                          ng_pte
         4                                                                                          __set_phys_to_machine()
                                                                                                      S3 R PMD:
                                                                                                            p2m_missing_ptep2m_missi
                                                                                                            ng_ptep2m_missing_pte
         5                                                                                                                            __set_phys_to_machine()
                                                                                                                                        S3 R PMD:
                                                                                                                                              p2m_missing_ptep2m_missi
                                                                                                                                              ng_ptep2m_missing_ptep2m
                                                                                                                                              _missing_pte
         6                                                                                                                                                              __set_phys_to_machine()
                                                                                                                                                                          S3 R PMD:
                                                                                                                                                                                p2m_missing_ptep2m_missi
                                                                                                                                                                                ng_ptep2m_missing_ptep2m
                                                                                                                                                                                _missing_ptep2m_missing_
                                                                                                                                                                                pte
      "
    `);
  });

  it('gives marked lines, and no other, to who colours them', () => {
    const steps = [step(0, 'f', ['1', 'R x', '0']), step(0, 'f', ['2', 'W x', '0 -> 1'])];
    const lines = stepTable(['A'], path(steps), { marks: new Map([[0, '!']]), style: (line) => `*${line}*` });
    expect(lines.filter((line) => line.startsWith('*'))).toEqual(['*!  1  f()*', '*        1 R x: 0*']);
  });

  it('is ss-missing-pmd-same-pfn.3.19-rc1.txt for a race of two sets', async () => {
    const { scenario, outcomes } = shippedVector('ss-missing-pmd-same-pfn.3.19-rc1');
    const { schedule } = outcomes.find(({ outcome }) => outcome.flags.includes('shared-pte-page-written'))!;
    const program = new ScenarioProgram(scenario);
    const told = tellPath(
      program,
      schedule.map(([name]) => 'AB'.indexOf(name)),
    );
    const lines = stepTable(['A', 'B'], told);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('ss-missing-pmd-same-pfn.3.19-rc1.txt');
  });
});
