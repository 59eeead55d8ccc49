/**
 * A reviewer's own alloc_p2m_pmd in the place of the kernel's: is it the fix of B3 that it is meant to be? Two CPUs set pfns
 * of one gigabyte whose PMD is still shared; every interleaving is explored, and the one that breaks is shown.
 *
 *     node dist/examples/broken_fix.js
 */
import {
  brokenChecks,
  countOutcomes,
  inlineScenario,
  ScenarioProgram,
  stepTable,
  tellPath,
  type CountedOutcome,
  type Scenario,
} from 'xen-p2m/replay';
import { machines, mendedMachines } from './broken_fix_machine.js';

/** 3 GiB, of which the second is a hole; without the tools' tree, which has a race of its own. */
const scenario = inlineScenario({
  kernel: '3.19-rc1',
  layout: ['nr 786432', 'hole 0x40000 0x80000', 'notree'],
  threads: ['set 0x40002 m:77', 'set 0x40402 m:78'],
});

/** Explores all, and says how many interleavings break something; the one with the fewest changes of CPU is shown. */
function explore(name: string, tried: Scenario): void {
  const program = new ScenarioProgram(tried);
  const counts = countOutcomes(program);
  if (!counts.complete) throw new Error('a scenario of two sets is small enough to go through');
  const broken = counts.outcomes.filter((outcome) => outcome.broken !== 0).sort((a, b) => a.switches - b.switches);
  const violating = broken.reduce((sum, { count }) => sum + count, 0n);
  console.log(`${name}: ${violating} of ${counts.interleavings} interleavings break something`);
  if (broken[0] !== undefined && tried.machines === machines) show(program, broken[0]);
}

function show(program: ScenarioProgram, { schedule, broken, switches }: CountedOutcome): void {
  for (const { name, message } of brokenChecks(program, schedule, broken)) console.log(`  ${name}: ${message}`);
  console.log(`with ${switches} changes of CPU:`);
  const names = program.agents.map((agent) => agent.name);
  for (const line of stepTable(names, tellPath(program, schedule))) console.log(line);
}

explore('3.19-rc1', scenario);
explore('the walk before the lock', { ...scenario, machines });
explore('the walk after the lock', { ...scenario, machines: mendedMachines });
