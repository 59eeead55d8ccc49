import { describe, expect, test } from 'vitest';
import { Global, mfnWord, Role } from '../../../events/index.js';
import { scenarioOf, scenarioSchema, type Scenario } from '../../../replay/index.js';
import { EndChecker } from '../../../replay/scenario/end_flags.js';
import { PathChecker } from '../../../replay/scenario/path_flags.js';
import { bootScenario } from '../../../replay/scenario/scenario_domain.js';
import { ScenarioThread, type Finished } from '../../../replay/scenario/scenario_thread.js';
import { makePte, type Domain, type Port } from '../../../src/index.js';

const TARGET = 1000;
const BYSTANDER = 4000;

const scenario: Scenario = scenarioOf(
  scenarioSchema.parse({
    kernel: '7.0',
    layout: [
      ['nr', '8192'],
      ['hole', '512', '1024'],
    ],
    threads: [[['set', TARGET, 'm:77']], [['lookup', TARGET]]],
    initial: { [TARGET]: '~', [BYSTANDER]: 'm:5000' },
  }),
);

interface Run {
  readonly domain: Domain;
  readonly port: Port;
  readonly threads: ScenarioThread[];
  readonly end: EndChecker;
  /** Made before the run, told of none of its steps. */
  readonly path: PathChecker;
}

/** The end of a run in which each thread in turn ran to its end: nothing is wrong. */
function ran(): Run {
  const domain = bootScenario(scenario);
  const end = new EndChecker(scenario, domain);
  const path = new PathChecker(scenario, domain.memory);
  const threads = scenario.threads.map((operations, i) => new ScenarioThread(domain, i, 'AB'[i]!, operations));
  for (const thread of threads) {
    thread.settle();
    while (thread.at !== undefined) thread.step();
  }
  return { domain, port: domain.cpus[0]!.port, threads, end, path };
}

describe('EndChecker', () => {
  test('finds nothing wrong with a run that went well, and counts its pages', () => {
    const { end, threads } = ran();
    expect([...end.flags(threads)]).toEqual([]);
    expect([end.allocated(0).length, end.allocated(1)]).toEqual([1, []]);
  });

  test.each<[string, (run: Run) => void]>([
    [
      'shared-pte-page-written',
      ({ port }) =>
        port.setPte(port.global(Global.p2m_missing_pte), 0, makePte(port.global(Global.p2m_identity), false)),
    ],
    ['shared-leaf-written', ({ port }) => port.storeLeaf(port.global(Global.p2m_identity), 7, mfnWord(1))],
    ['mfn-tree-misses-leaf', ({ port }) => port.setMidMfn(port.loadTopMfn(0), 1, port.global(Global.p2m_missing))],
    ['top-mismatch', ({ port }) => port.setTopMfnP(3, port.loadTopMfn(0))],
    ['leak', ({ port }) => port.allocPage(Role.leaf)],
    ['freed-page-reachable', ({ port, end }) => port.freePage(end.allocated(0)[0]!)],
    ['lost-update', ({ port }) => port.storeEntry(TARGET, mfnWord(78))],
    ['shared-max_pfn-too-low', ({ port }) => port.setGlobal(Global['shared_info.max_pfn'], 5)],
  ])('raises %s alone', (flag, damage) => {
    const run = ran();
    damage(run);
    expect([...run.end.flags(run.threads)]).toEqual([flag]);
  });

  test('raises last-pfn-too-low where xen_p2m_last_pfn does not cover the leaf of a target', () => {
    const run = ran();
    run.port.setGlobal(Global.xen_p2m_last_pfn, 1023);
    expect([...run.end.flags(run.threads)]).toEqual(['last-pfn-too-low']);
  });

  test('a kernel assertion is all that is said of a leak on a path that it ended', () => {
    const run = ran();
    run.port.allocPage(Role.leaf);
    run.domain.cpus[1]!.bug('unmapped-entry', 1);
    expect([...run.end.flags(run.threads)]).toEqual(['BUG_ON']);
  });
});

describe('PathChecker', () => {
  const lookUp = (value: number): Finished => ({ operation: ['lookup', TARGET], value });

  test('is silent while nothing changes', () => {
    const { path } = ran();
    path.afterStep(0, [], []);
    expect(path.flags).toEqual([]);
  });

  test('sees a bystander change, and remembers it when it has changed back', () => {
    const { port, path } = ran();
    const old = port.loadEntry(BYSTANDER);
    port.storeEntry(BYSTANDER, mfnWord(9));
    path.afterStep(0, [], []);
    port.storeEntry(BYSTANDER, old);
    path.afterStep(0, [], []);
    expect(path.flags).toEqual(['bystander-changed']);
  });

  test('sees a target hold what nobody set', () => {
    const { port, path } = ran();
    port.storeEntry(TARGET, mfnWord(9));
    path.afterStep(0, [], []);
    expect(path.flags).toEqual(['target-had-never-set-value']);
  });

  test('holds a look-up to what was there between its first step and its last', () => {
    const operation = scenario.threads[1]![0]!;
    const { port, path } = ran();
    // Before its first step it may be anything: m:77 until now, ~ when it begins, m:77 again at its second step.
    port.storeEntry(TARGET, 0);
    path.beforeStep(1, operation);
    path.afterStep(1, [undefined, operation], []);
    const begun = path.image;
    path.beforeStep(1, operation);
    path.afterStep(1, [undefined, operation], [lookUp(mfnWord(77))]);
    expect(path.flags).toEqual(['lookup-outside-interval']);

    path.image = begun;
    port.storeEntry(TARGET, mfnWord(77));
    path.afterStep(0, [undefined, operation], []);
    port.storeEntry(TARGET, 0);
    path.beforeStep(1, operation);
    path.afterStep(1, [undefined, operation], [lookUp(mfnWord(77))]);
    expect(path.flags).toEqual([]);
  });

  test('gives both flags for a look-up that saw what nobody set', () => {
    const { path } = ran();
    path.afterStep(1, [], [lookUp(mfnWord(1))]);
    expect(path.flags).toEqual(['lookup-outside-interval', 'lookup-never-set-value']);
  });
});
