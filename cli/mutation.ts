import { ExitCode } from '../events/index.js';
import {
  isExplained,
  MUTATION_SCENARIOS,
  mutantsByName,
  mutantTable,
  runMutants,
  type MutantResult,
  type MutationScenario,
  type Scenario,
} from '../replay/index.js';
import { note, print } from './output.js';

/**
 * `p2m explore --mutate NAME`: one mistake at a time put into the kernel's machines, and what finds it. Exit code 0 where each
 * mutant was found, or survives for a reason that is known.
 *
 * @param scenario the one to try them in; undefined: those that reach every row
 */
export function runMutation(name: string, scenario: Scenario | undefined, json: boolean): number {
  const mutants = mutantsByName(name);
  const scenarios: readonly MutationScenario[] =
    scenario === undefined ? MUTATION_SCENARIOS : [{ name: 'the one given', scenario }];
  const results: MutantResult[] = [];
  for (const result of runMutants(mutants, scenarios)) {
    results.push(result);
    if (json) print(JSON.stringify(jsonOf(result)));
    else note(`${results.length} of ${mutants.length}: ${result.mutant.name}: ${fate(result)}`);
  }
  if (!json) print(mutantTable(results));
  // In a scenario of the user's own a mutant may well change nothing.
  return scenario !== undefined || results.every(isExplained) ? ExitCode.ok : ExitCode.violated;
}

function fate({ killed }: MutantResult): string {
  return killed === undefined ? 'survives' : `found by ${killed.check} (${killed.scenario})`;
}

function jsonOf({ mutant, killed, mended, tried, unknown }: MutantResult): object {
  const { name, where, what, survives } = mutant;
  return { name, where, what, killed: killed ?? null, survives: survives ?? null, mended, tried, unknown };
}
