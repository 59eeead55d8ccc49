import { P2mError } from '../../events/index.js';
import { countOutcomes } from '../explore/count_outcomes.js';
import type { Scenario } from '../scenario/scenario.js';
import { ScenarioProgram } from '../scenario/scenario_program.js';
import type { Mutant } from './mutant.js';
import type { MutationScenario } from './mutation_scenarios.js';

/** Stands beside the checks: a machine did what no kernel could go on from, such as storing through no pointer. */
export const CRASH = 'crash';

/** What came of a scenario. */
export interface Judgement {
  /** `unknown`: a bound was hit, and more may be broken. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  /** Names of the checks that some interleaving breaks. */
  readonly broken: readonly string[];
}

/** Says what interleavings of a scenario break. */
export type Judge = (scenario: Scenario) => Judgement;

/** What found a mutant. */
export interface Kill {
  /** The first check that the mutant breaks and its kernel does not. */
  readonly check: string;
  /** All of them, in that scenario. */
  readonly checks: readonly string[];
  /** Name of the scenario. */
  readonly scenario: string;
}

/** What came of a mutant. */
export interface MutantResult {
  readonly mutant: Mutant;
  /** Undefined where it survived. */
  readonly killed: Kill | undefined;
  /** Where it survived: checks that its kernel breaks in some scenario, and the mutant in none. */
  readonly mended: readonly string[];
  /** Scenarios that it was tried in. */
  readonly tried: number;
  /** Those of them where a bound was hit, so that it may have been missed. */
  readonly unknown: readonly string[];
}

/**
 * Tries each mutant in one scenario after the other, until one finds it.
 *
 * A kernel has defects of its own, and a check that it breaks itself in a scenario finds no mutant there: what counts is
 * what the mutant breaks and its kernel, in the same scenario, does not. Where that is not known of the kernel, because a
 * bound was hit, the scenario is left out.
 */
export function* runMutants(
  mutants: Iterable<Mutant>,
  scenarios: readonly MutationScenario[],
  judge: Judge = exhaustiveJudge,
): Generator<MutantResult> {
  const kernels = new Map<MutationScenario, Judgement>();
  const kernelIn = (tried: MutationScenario): Judgement => {
    const known = kernels.get(tried) ?? judge(tried.scenario);
    kernels.set(tried, known);
    return known;
  };
  for (const mutant of mutants) {
    const fit = scenarios.filter(({ scenario }) => scenario.form.structure === mutant.structure);
    yield runMutant(mutant, fit, judge, kernelIn);
  }
}

function runMutant(
  mutant: Mutant,
  scenarios: readonly MutationScenario[],
  judge: Judge,
  kernelIn: (tried: MutationScenario) => Judgement,
): MutantResult {
  const unknown: string[] = [];
  const mended = new Set<string>();
  const broken = new Set<string>();
  for (const [i, tried] of scenarios.entries()) {
    const kernel = kernelIn(tried);
    const found = kernel.verdict === 'unknown' ? kernel : judge(mutant.apply(tried.scenario));
    const checks = found.broken.filter((name) => !kernel.broken.includes(name));
    const [check] = checks;
    if (check !== undefined) {
      const killed = { check, checks, scenario: tried.name };
      return { mutant, killed, mended: [], tried: i + 1, unknown };
    }
    if (found.verdict === 'unknown') unknown.push(tried.name);
    kernel.broken.forEach((name) => mended.add(name));
    found.broken.forEach((name) => broken.add(name));
  }
  broken.forEach((name) => mended.delete(name));
  return { mutant, killed: undefined, mended: [...mended], tried: scenarios.length, unknown };
}

/** Whether what came of a mutant is what is said of it: it was found, or survived for the reason it gives. */
export function isExplained({ mutant, killed }: MutantResult): boolean {
  return (killed === undefined) === (mutant.survives !== undefined);
}

/** The judge that knows all interleavings: a stateful search to the end. */
export function exhaustiveJudge(scenario: Scenario): Judgement {
  try {
    const program = new ScenarioProgram(scenario);
    const counts = countOutcomes(program);
    const bits = counts.complete
      ? counts.outcomes.reduce((sum, outcome) => sum | outcome.broken, 0)
      : counts.seen.reduce((sum, seen) => sum | seen.bits, 0);
    const broken = program.checks.filter((_, check) => (bits & (1 << check)) !== 0);
    return { verdict: !counts.complete ? 'unknown' : broken.length > 0 ? 'violated' : 'ok', broken };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    return { verdict: 'violated', broken: [CRASH] };
  }
}
