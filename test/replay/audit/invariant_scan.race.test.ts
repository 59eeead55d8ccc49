import { describe, expect, it } from 'vitest';
import {
  CHECKS,
  GALLERY,
  INVARIANT_NAMES,
  INVARIANTS,
  Random,
  randomRun,
  runEntry,
  scanFor,
  type CheckName,
  type GalleryEntry,
  type InvariantName,
  type Schedule,
} from '../../../replay/index.js';
import { scenarioOf } from '../../../replay/scenario/read_scenario.js';
import { ScenarioProgram } from '../../../replay/scenario/scenario_program.js';
import { scheduleLog } from './race_logs.js';

/** A log is held to more than a scenario is, which looks at its own pfns alone: what else the path then says. */
const SEEN_AS: Readonly<Partial<Record<InvariantName, CheckName>>> = {
  'bystander-changed': 'lost-update',
  'mfn-tree-misses-leaf': 'list-and-tree-differ',
};

/** Invariants that the log breaks and the path does not say, or the other way round. */
function disagreements(entry: GalleryEntry, kernel: string, schedule: Schedule): string[] {
  const scenario = scenarioOf({ ...entry.scenario!, kernel, check: [...CHECKS] });
  const program = new ScenarioProgram(scenario);
  for (const agent of schedule) program.step(agent);
  const bits = program.broken();
  const path = program.checks.filter((_, check) => (bits & (1 << check)) !== 0);
  const log = scheduleLog(scenario, schedule);
  return INVARIANT_NAMES.filter((name) => {
    const isBroken = scanFor(log, INVARIANTS[name]).verdict === 'broken';
    const seenAs = SEEN_AS[name];
    return isBroken !== path.includes(name) && !(isBroken && seenAs !== undefined && path.includes(seenAs));
  });
}

/** One of every invariant that a race or a sequence of the gallery breaks, and the fixed form beside it. */
const RUNS: readonly (readonly [entry: string, broken: string, fixed: string])[] = [
  ['compare-value-read-again', '3.16', '3.18'],
  ['freed-mid-mfn-used', '3.16', '3.18'],
  ['freed-mid-used', '3.18', '3.19.8'],
  ['stale-pte-pointer', '3.19-rc1', '3.19'],
  ['identity-leaf-written', '3.18', '7.0'],
  ['identity-leaf-split-to-missing', '3.18', '7.0'],
  ['mfn-tree-by-virt-to-mfn', 'v3', '7of8'],
  ['identity-base-unmasked', '3.19', '7.0'],
  ['last-pfn-off-by-one', '5.12', '5.17'],
  ['out-of-range-store-dies', '5.10', '5.12'],
];

describe('scanFor', () => {
  it.each(RUNS)('says of a log of %s what the path breaks, on %s and on %s', (name, ...kernels) => {
    const entry = GALLERY.find((candidate) => candidate.name === name)!;
    for (const kernel of kernels) {
      const program = new ScenarioProgram(scenarioOf({ ...entry.scenario!, kernel }));
      const schedules: Schedule[] = [randomRun(program, new Random(1)).schedule];
      for (const { exploration } of runEntry(
        { ...entry, expect: { [kernel]: entry.expect[kernel]! } },
        { first: true },
      ))
        schedules.push(...exploration.violations.slice(0, 1).map(({ schedule }) => schedule));
      for (const schedule of schedules) expect(disagreements(entry, kernel, schedule)).toEqual([]);
    }
  });
});
