import { describe, expect, test } from 'vitest';
import { P2mError, Role } from '../../../events/index.js';
import {
  Accesses,
  AccessKind,
  scenarioOf,
  ScenarioProgram,
  type Scenario,
  type StepRow,
} from '../../../replay/index.js';
import { machinesOf, type Machine, type Machines } from '../../../src/index.js';
import { hashText, stateText } from './states_of.js';

/** Tiny pages; pfn 2 has a private leaf, pfns from 8 on a shared one, those from 16 on behind a shared PT page. */
function scenario(threads: Parameters<typeof scenarioOf>[0]['threads'], kernel = '7.0'): Scenario {
  return scenarioOf({
    kernel,
    geometry: 'tiny',
    layout: [
      ['nr', '48'],
      ['hole', '8', '32'],
      ['identity', '32', '48'],
    ],
    threads,
  });
}

/** `machine` with its row `label` doing `act` instead, or as well where that says so. */
function changed(machine: Machine, label: string, act: Machine['step']): Machine {
  const at = machine.rows.findIndex((row) => row.label === label);
  return { ...machine, step: (r, cpu) => (r.pc === at ? act(r, cpu) : machine.step(r, cpu)) };
}

function withMachines(of: Scenario, machines: (own: Machines) => Partial<Machines>): ScenarioProgram {
  return new ScenarioProgram({ ...of, machines: machines(machinesOf(of.form)) });
}

/** All that undo has to put back. */
function image(program: ScenarioProgram): string[] {
  return [hashText(program), stateText(program), ...program.agents.map(({ at, enabled }) => `${at} ${enabled}`)];
}

/** Runs one thread to its end, and tells what it did. */
function tellAll(program: ScenarioProgram, agent = 0): StepRow[] {
  const rows: StepRow[] = [];
  while (!program.ended && program.agents[agent]!.enabled) rows.push(...program.tell(agent));
  return rows;
}

function texts(rows: readonly StepRow[]): string[] {
  return rows.filter(({ effect }) => effect !== '').map(({ label, does, effect }) => `${label} ${does}: ${effect}`);
}

describe('tell', () => {
  test('says of each row what it read, or what it stored, in the words of the field', () => {
    const program = new ScenarioProgram(
      scenario([
        [
          ['set', 17, 'm:77'],
          ['lookup', 17],
        ],
      ]),
    );
    expect(texts(tellAll(program))).toEqual([
      'S2 W entry[pfn]: fault at p2m_missing',
      'S3 R PMD: p2m_missing_pte',
      'S4 R PTE: p2m_missing_pte[0] p2m_missing',
      'A2 R PMD: p2m_missing_pte',
      'P1 ALLOC a PT page: pte#1',
      'P3.1 copy the shared PT page: copy of p2m_missing_pte',
      'P3.4 LOCK: free -> taken',
      'P3.5 R PMD: p2m_missing_pte',
      'P3.6 W generation + 1: shared_info.p2m_generation 0 -> 1',
      'P3.6 W PMD: p2m_missing_pte -> pte#1',
      'P3.6 W generation + 1: shared_info.p2m_generation 1 -> 2',
      'P3.7 UNLOCK: taken -> free',
      'P4 R PMD: pte#1',
      'A4.1 R p2m_top_mfn_p[top]: mid_missing',
      'A4.2 R p2m_top_mfn[top]: mid_missing',
      'A4.3 ALLOC a mid page: mid#1',
      'A4.4 CAS p2m_top_mfn[top]: mid_missing -> mid#1',
      'A4.5 W p2m_top_mfn_p[top]: mid_missing -> mid#1',
      'A5 R PTE: pte#1[0] p2m_missing',
      'A6.1 ALLOC a leaf: leaf#1',
      'A6.3 LOCK: free -> taken',
      'A6.4 R PTE: pte#1[0] p2m_missing',
      'A6.5 W generation + 1: shared_info.p2m_generation 2 -> 3',
      'A6.6 W PTE: pte#1[0] p2m_missing -> leaf#1',
      'A6.7 W generation + 1: shared_info.p2m_generation 3 -> 4',
      'A6.8 W mid[mididx]: p2m_missing -> leaf#1',
      'A6.9 UNLOCK: taken -> free',
      'A7.1 R xen_p2m_last_pfn: 48',
      'S2 W entry[pfn]: leaf#1[1] ~ -> m:77',
      '5.1.2 R entry[pfn]: leaf#1[1] m:77',
    ]);
  });

  test('names the kernel function, all rows of the step, and entries of every class', () => {
    const program = new ScenarioProgram(
      scenario([
        [
          ['set', 2, 'fi:9'],
          ['get', 2],
          ['get', 40],
        ],
      ]),
    );
    expect(program.tell(0)).toEqual([
      { where: '__set_phys_to_machine', label: 'S2', does: 'W entry[pfn]', effect: 'boot leaf#1[2] m:1002 -> fi:9' },
      { where: 'set_phys_to_machine', label: 'M2', does: 'return, or call alloc_p2m', effect: '' },
      { where: 'get_phys_to_machine', label: '5.2.1', does: 'R xen_p2m_size', effect: '' },
    ]);
    expect(texts(tellAll(program))).toEqual([
      '5.2.2 R PMD: boot pte#1',
      '5.2.3 R PTE: boot pte#1[0] boot leaf#1',
      '5.2.5 R entry[pfn]: boot leaf#1[2] fi:9',
      '5.2.2 R PMD: p2m_identity_pte',
      '5.2.3 R PTE: p2m_identity_pte[2] p2m_identity',
    ]);
  });

  test('is a step like any other: undo takes it back', () => {
    const program = new ScenarioProgram(scenario([[['set', 17, 'm:77']]]));
    const before = image(program);
    program.step(0);
    const after = image(program);
    program.undo();
    expect(image(program)).toEqual(before);
    program.tell(0);
    expect(image(program)).toEqual(after);
  });
});

/** Accesses of the last step that share a location with those of another, and not both read it. */
function depend(a: Accesses, b: Accesses): boolean {
  for (let i = 0; i < a.count; i++) {
    for (let j = 0; j < b.count; j++) {
      const bothRead = a.kinds[i] === AccessKind.read && b.kinds[j] === AccessKind.read;
      if (a.locations[i] === b.locations[j] && !bothRead) return true;
    }
  }
  return false;
}

describe('accesses', () => {
  /** Those of each thread's first step. */
  function firstSteps(threads: Parameters<typeof scenario>[0]): Accesses[] {
    const program = new ScenarioProgram(scenario(threads));
    return threads.map((_, agent) => {
      const accesses = new Accesses();
      program.step(agent);
      program.accesses(accesses);
      program.undo();
      return accesses;
    });
  }

  test.each<[string, boolean, Parameters<typeof scenario>[0]]>([
    ['a store and a look-up of one entry', true, [[['set', 2, 'm:1']], [['lookup', 2]]]],
    ['stores of entries of two leaves', false, [[['set', 2, 'm:1']], [['set', 5, 'm:2']]]],
    ['look-ups of two entries', false, [[['lookup', 2]], [['lookup', 3]]]],
    // Which was first is a fact that a history of the entry has to fit.
    ['two look-ups of one entry', true, [[['lookup', 2]], [['lookup', 2]]]],
  ])('%s depend on each other: %s', (_, expected, threads) => {
    const [a, b] = firstSteps(threads);
    expect(depend(a!, b!)).toBe(expected);
  });

  test('steps that do not depend on each other lead to one state in either order, from every state of a path', () => {
    const program = new ScenarioProgram(
      scenario([
        [['set', 17, 'm:7']],
        [
          ['set', 21, 'm:8'],
          ['lookup', 17],
        ],
      ]),
    );
    let pairs = 0;
    const both = (first: number, second: number): [string, Accesses[]] | undefined => {
      const accesses = [new Accesses(), new Accesses()];
      program.step(first);
      program.accesses(accesses[0]!);
      let result: [string, Accesses[]] | undefined;
      if (program.agents[second]!.enabled && !program.ended) {
        program.step(second);
        program.accesses(accesses[1]!);
        result = [hashText(program), accesses];
        program.undo();
      }
      program.undo();
      return result;
    };
    for (let turn = 0; program.agents.every(({ enabled }) => enabled) && !program.ended; turn = 1 - turn) {
      const [ab, ba] = [both(0, 1), both(1, 0)];
      if (ab !== undefined && ba !== undefined && !depend(ab[1][0]!, ab[1][1]!)) {
        pairs++;
        expect(ab[0]).toBe(ba[0]);
      }
      program.step(turn);
    }
    expect(pairs).toBeGreaterThan(8);
  });
});

describe("a scenario's own machines", () => {
  const race = scenario([[['set', 17, 'm:7']], [['set', 18, 'm:8']]]);

  test('stand in for those of the form', () => {
    const program = withMachines(race, ({ allocP2mPmd }) => ({
      allocP2mPmd: { ...changed(allocP2mPmd, 'P4', (r, cpu) => cpu.ret(r.count)), name: 'broken_alloc_p2m_pmd' },
    }));
    const rows = tellAll(program);
    expect(rows.map(({ where }) => where)).toContain('broken_alloc_p2m_pmd');
    expect(texts(rows)).toContain('A6.6 W PTE: p2m_missing_pte[0] p2m_missing -> leaf#1');
    expect(tellAll(new ScenarioProgram(race)).map(({ where }) => where)).not.toContain('broken_alloc_p2m_pmd');
  });

  /** The leaf is freed when it is linked, so many times. */
  const frees = (times: number): ScenarioProgram =>
    withMachines(race, ({ allocP2m }) => ({
      allocP2m: changed(allocP2m, 'A6.8', (r, { port }) => {
        for (let i = 0; i < times; i++) port.freePage(r.leaf);
        return allocP2m.rows.findIndex(({ label }) => label === 'A6.9');
      }),
    }));

  test('that free a page twice are explored all the same: it is part of the state, and undo takes it back', () => {
    const program = frees(2);
    let steps = 0;
    const states: string[][] = [];
    for (; program.agents[0]!.enabled; steps++) {
      states.push(image(program));
      program.step(0);
    }
    const end = image(program);
    for (; steps > 0; steps--) {
      program.undo();
      expect(image(program)).toEqual(states[steps - 1]);
    }
    states.forEach(() => {
      program.step(0);
    });
    expect(image(program)).toEqual(end);
    const once = frees(1);
    states.forEach(() => {
      once.step(0);
    });
    expect(image(once)[0]).not.toBe(end[0]);
    expect(image(once)[1]).not.toBe(end[1]);
  });

  test('that touch what they freed are told so', () => {
    expect(texts(tellAll(frees(2))).at(-1)).toBe('S2 W entry[pfn]: ~ -> m:7 in leaf#1 (freed)');
  });

  test('that fill a page in use are hashed and taken back', () => {
    const program = withMachines(scenario([[['set', 2, 'm:7']]]), ({ setPhysToMachineNoAlloc: own }) => ({
      setPhysToMachineNoAlloc: changed(own, 'S2', (r, cpu) => {
        cpu.port.fillIdentity(cpu.memory.storePage(r.pfn), 100);
        return own.step(r, cpu);
      }),
    }));
    const before = image(program);
    program.step(0);
    expect(hashText(program)).not.toBe(before[0]);
    program.undo();
    expect(image(program)).toEqual(before);
  });

  const unlock: Machine['step'] = ({ pc }, { port }) => {
    port.unlock();
    return pc;
  };
  const allocate: Machine['step'] = ({ pc }, { port }) => {
    port.allocPage(Role.leaf);
    return pc;
  };

  test.each<[what: string, message: string, act: Machine['step']]>([
    ['give back a lock that they do not hold', 'does not hold', unlock],
    ['follow a null pointer', 'null pointer', (r, { port }) => port.loadPte(0, r.pfn)],
    ['run on and on', 'runs on and on', ({ pc }) => pc],
    ['take all pages there are', 'all pages', allocate],
  ])('that %s are told so, and the step is not taken', (_, message, act) => {
    // A6.2 begins no step of its own: it ends the step of A5.
    const program = withMachines(race, ({ allocP2m }) => ({ allocP2m: changed(allocP2m, 'A6.2', act) }));
    let before: string[] = [];
    const run = (): void => {
      for (;;) {
        before = image(program);
        program.step(0);
      }
    };
    expect(run).toThrow(message);
    expect(run).toThrow(P2mError);
    expect(image(program)).toEqual(before);
  });
});

describe('a path', () => {
  test('may be as long as its operations are many, and is taken back to its begin', () => {
    const operations = Array.from({ length: 2000 }, (_, i) => ['set', i % 4, `m:${i}`] as const);
    const of = scenario([[...operations] as unknown as [['set', number, string]]]);
    const program = new ScenarioProgram({ ...of, check: ['BUG_ON'] });
    const before = image(program);
    let steps = 0;
    for (; program.agents[0]!.enabled; steps++) program.step(0);
    expect(steps).toBe(2000);
    expect(program.ends().final['3']).toBe('m:1999');
    for (; steps > 0; steps--) program.undo();
    expect(image(program)).toEqual(before);
  });
});
