import { explore, type Exploration, type ExploreOptions } from '../explore/explore.js';
import { scenarioOf } from '../scenario/read_scenario.js';
import { ScenarioProgram } from '../scenario/scenario_program.js';
import type { SmallScenario } from './small_scenarios.js';

/** What a small scenario came to. */
export interface SmallResult {
  readonly small: SmallScenario;
  readonly exploration: Exploration;
  /** Names of the checks that are broken, over all violations. */
  readonly broken: readonly string[];
}

/** Explores each scenario in turn: everything in it, where no bound is hit. */
export function* runSmall(
  family: Iterable<SmallScenario>,
  options: Partial<ExploreOptions> = {},
): Generator<SmallResult> {
  for (const small of family) {
    const program = new ScenarioProgram(scenarioOf(small.json));
    const exploration = explore(program, { method: 'stateful', ...options });
    const bits = exploration.violations.reduce((sum, violation) => sum | violation.bits, 0);
    yield { small, exploration, broken: program.checks.filter((_, check) => (bits & (1 << check)) !== 0) };
  }
}
