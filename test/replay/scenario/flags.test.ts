import { describe, expect, test } from 'vitest';
import { Global, mfnWord, Role } from '../../../events/index.js';
import { Accesses, CHECKS, scenarioOf, scenarioSchema, VECTOR_FLAGS, type Scenario } from '../../../replay/index.js';
import { ScenarioChecks } from '../../../replay/scenario/scenario_checks.js';
import { bootScenario } from '../../../replay/scenario/scenario_domain.js';
import { ScenarioThread, type Finished } from '../../../replay/scenario/scenario_thread.js';
import { makePte, type Domain, type Port } from '../../../src/index.js';

const TARGET = 1000;
const BYSTANDER = 4000;

const scenario: Scenario = {
  ...scenarioOf(
    scenarioSchema.parse({
      kernel: '7.0',
      layout: [
        ['nr', '8192'],
        ['hole', '512', '1024'],
      ],
      threads: [[['set', TARGET, 'm:77']], [['lookup', TARGET]]],
      initial: { [TARGET]: '~', [BYSTANDER]: 'm:5000' },
    }),
  ),
  check: VECTOR_FLAGS,
};

interface Run {
  readonly domain: Domain;
  readonly port: Port;
  readonly threads: ScenarioThread[];
  /** Made before the run, told of none of its steps. */
  readonly checks: ScenarioChecks;
}

/** The end of a run in which each thread in turn ran to its end: nothing is wrong. */
function ran(): Run {
  const domain = bootScenario(scenario);
  domain.hold();
  const checks = new ScenarioChecks(scenario, domain);
  const threads = scenario.threads.map((operations, i) => new ScenarioThread(domain, i, 'AB'[i]!, operations));
  for (const thread of threads) {
    thread.settle();
    while (thread.at !== undefined) thread.step();
  }
  return { domain, port: domain.cpus[0]!.port, threads, checks };
}

describe('flags of the end', () => {
  test('a run that went well raises none, and its pages are counted', () => {
    const { checks, threads } = ran();
    expect(checks.flags(threads)).toEqual([]);
    expect([checks.allocated(0).length, checks.allocated(1)]).toEqual([1, []]);
  });

  test.each<[string, (run: Run) => void, string]>([
    [
      'shared-pte-page-written',
      ({ port }) =>
        port.setPte(port.global(Global.p2m_missing_pte), 0, makePte(port.global(Global.p2m_identity), false)),
      'p2m_missing_pte[0] now names p2m_identity instead of p2m_missing: a store through it changes every area still mapped by p2m_missing_pte',
    ],
    [
      'shared-leaf-written',
      ({ port }) => port.storeLeaf(port.global(Global.p2m_identity), 7, mfnWord(1)),
      'p2m_identity[7] now holds m:1 instead of ~: it is an entry of every pfn whose leaf is p2m_identity',
    ],
    [
      'mfn-tree-misses-leaf',
      ({ port }) => port.setMidMfn(port.loadTopMfn(0), 1, port.global(Global.p2m_missing)),
      "the list has leaf#1 for 0x3e8, and the tools' tree has p2m_missing there (boot mid#1[1])",
    ],
    [
      'top-mismatch',
      ({ port }) => port.setTopMfnP(3, port.loadTopMfn(0)),
      'at the end p2m_top_mfn[3] names mid_missing, p2m_top_mfn_p[3] names boot mid#1',
    ],
    [
      'leak',
      ({ port }) => port.allocPage(Role.leaf),
      'leaf#2, which A allocated, is not freed, and no PMD, no PT page and no p2m_top_mfn names it',
    ],
    [
      'freed-page-reachable',
      ({ port, checks }) => port.freePage(checks.allocated(0)[0]!),
      'leaf#1 was freed, and boot pte#1[1] still names it',
    ],
    [
      'lost-update',
      ({ port }) => port.storeEntry(TARGET, mfnWord(78)),
      'at the end 0x3e8 reads m:78, but what the threads last set there, and were told true, is m:77',
    ],
    [
      'last-pfn-too-low',
      ({ port }) => port.setGlobal(Global.xen_p2m_last_pfn, 1023),
      'at the end xen_p2m_last_pfn is 0x3ff, and leaf#1, the leaf of 0x3e8, reaches to 0x400',
    ],
    [
      'shared-max_pfn-too-low',
      ({ port }) => port.setGlobal(Global['shared_info.max_pfn'], 5),
      'at the end max_pfn is 0x5, and xen_p2m_last_pfn is 0x2000',
    ],
  ])('raises %s alone', (flag, damage, words) => {
    const run = ran();
    damage(run);
    expect(run.checks.flags(run.threads)).toEqual([flag]);
    expect(run.checks.endBroken(run.threads)).toBe(1 << CHECKS.findIndex((name) => name === flag));
    expect(run.checks.explain(CHECKS.findIndex((name) => name === flag))).toBe(words);
  });

  test('a kernel assertion is all that is said of a leak on a path that it ended', () => {
    const run = ran();
    run.port.allocPage(Role.leaf);
    run.domain.cpus[1]!.bug('unmapped-entry', 1);
    expect(run.checks.flags(run.threads)).toEqual(['BUG_ON']);
    expect(run.checks.explain(0)).toBe('lookup 0x3e8 by B ended in a kernel assertion (unmapped-entry)');
  });

  test('a shared page that is what it was again raises no flag, though the path has broken the check', () => {
    const { port, checks, threads, domain } = ran();
    const { length } = domain.batch;
    port.storeLeaf(port.global(Global.p2m_identity), 7, mfnWord(1));
    const step = { thread: 0, inHand: [], finished: [], accesses: new Accesses() };
    checks.afterStep({ ...step, eventsFrom: length });
    port.storeLeaf(port.global(Global.p2m_identity), 7, 0);
    checks.afterStep({ ...step, eventsFrom: length + 1 });
    expect(checks.flags(threads)).toEqual([]);
    expect(checks.endBroken(threads)).toBe(1 << CHECKS.indexOf('shared-leaf-written'));
  });
});

describe('flags of the way', () => {
  const operation = scenario.threads[1]![0]!;
  const lookUp = (value: number): Finished => ({ operation, value });

  /** Checks that were told of the run, and how to tell them of what the port does next. */
  function watched(): Run & {
    step: (act: () => void, thread?: number, finished?: Finished[]) => void;
    flags: () => readonly string[];
  } {
    const domain = bootScenario(scenario);
    domain.hold();
    const checks = new ScenarioChecks(scenario, domain);
    const { port } = domain.cpus[0]!;
    const threads = scenario.threads.map((operations, i) => new ScenarioThread(domain, i, 'AB'[i]!, operations));
    threads[0]!.settle();
    while (threads[0]!.at !== undefined) threads[0]!.step();
    const accesses = new Accesses();
    checks.afterStep({ thread: 0, inHand: [], finished: [], eventsFrom: 0, accesses });
    const step = (act: () => void, thread = 0, finished: Finished[] = []): void => {
      const eventsFrom = domain.batch.length;
      act();
      checks.afterStep({ thread, inHand: [scenario.threads[0]![0], operation], finished, eventsFrom, accesses });
    };
    const flags = (): readonly string[] => CHECKS.filter((_, check) => (checks.broken() & (1 << check)) !== 0);
    return { domain, port, threads, checks, step, flags };
  }

  const nothing = (): undefined => undefined;

  test('there are none while nothing changes', () => {
    const { step, flags } = watched();
    step(nothing);
    expect(flags()).toEqual([]);
  });

  test('a bystander changes, and that is remembered when it has changed back', () => {
    const { port, step, flags, checks } = watched();
    const old = port.loadEntry(BYSTANDER);
    step(() => port.storeEntry(BYSTANDER, mfnWord(9)));
    step(() => port.storeEntry(BYSTANDER, old));
    expect(flags()).toEqual(['bystander-changed']);
    expect(checks.explain(CHECKS.indexOf('bystander-changed'))).toBe(
      '0xfa0, which no operation sets, reads m:9 after a step of set 0x3e8 m:77 by A; before the run it read m:5000',
    );
  });

  test('a target holds what nobody set', () => {
    const { port, step, flags, checks } = watched();
    step(() => port.storeEntry(TARGET, mfnWord(9)));
    expect(flags()).toEqual(['target-had-never-set-value']);
    expect(checks.explain(CHECKS.indexOf('target-had-never-set-value'))).toBe(
      '0x3e8 reads m:9 after a step of set 0x3e8 m:77 by A; before the run it read ~, and operations set only m:77 there',
    );
  });

  test('a look-up is held to what was there between its first step and its last', () => {
    const { port, step, flags, checks } = watched();
    // Before its first step it may be anything: m:77 until now, ~ when it begins, m:77 again at its second step.
    step(() => port.storeEntry(TARGET, 0));
    checks.beforeStep(1, operation);
    step(nothing, 1);
    const begun = checks.image;
    checks.beforeStep(1, operation);
    step(nothing, 1, [lookUp(mfnWord(77))]);
    expect(flags()).toEqual(['lookup-outside-interval']);
    expect(checks.explain(CHECKS.indexOf('lookup-outside-interval'))).toBe(
      'lookup 0x3e8 by B returned m:77, but from its first step to its last 0x3e8 read ~',
    );

    checks.image = begun;
    step(() => port.storeEntry(TARGET, mfnWord(77)));
    step(() => port.storeEntry(TARGET, 0));
    checks.beforeStep(1, operation);
    step(nothing, 1, [lookUp(mfnWord(77))]);
    expect(flags()).toEqual([]);
  });

  test('a look-up that saw what nobody set raises both flags', () => {
    const { step, flags, checks } = watched();
    step(nothing, 1, [lookUp(mfnWord(1))]);
    expect(flags()).toEqual(['lookup-outside-interval', 'lookup-never-set-value']);
    expect(checks.explain(CHECKS.indexOf('lookup-never-set-value'))).toBe(
      'lookup 0x3e8 by B returned m:1; before the run it read ~, and operations set only m:77 there',
    );
  });
});
