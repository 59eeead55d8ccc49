import { P2mError, usageError } from '../../events/index.js';
import type { Schedule } from '../explore/schedule.js';
import { scenarioJson, scenarioOf } from '../scenario/read_scenario.js';
import type { Scenario } from '../scenario/scenario.js';
import { REDUCTIONS, type ScenarioParts } from './reductions.js';

/** A scenario that cannot be made smaller. */
export interface ShrunkScenario {
  readonly scenario: Scenario;
  /** A schedule of it that fails. */
  readonly schedule: Schedule;
  /** Scenarios that were tried, the first included. */
  readonly tried: number;
}

/**
 * Makes a failing scenario as small as it can be, so that it still fails: fewer operations, threads, pfns, watched pfns, no
 * failing allocation, a shorter list, narrower ranges, fewer entries of the layout, plain values, in that order. Whenever
 * something could go, all is tried again: what is left fails, and with any one of these taken away it does not, as far as
 * `fails` can tell. The kernel, the checks and machines of one's own stay.
 *
 * @param fails gives a schedule with which a scenario fails in the way that is of interest; undefined: none was found. The
 *   same scenario must give the same answer. Where it throws a P2mError, there can be no such scenario
 * @throws {P2mError} code `usage`: the scenario does not fail as it is
 */
export function shrinkScenario(
  scenario: Scenario,
  fails: (scenario: Scenario) => Schedule | undefined,
): ShrunkScenario {
  return new Shrinker(fails).shrink(scenario);
}

class Shrinker {
  readonly #fails: (scenario: Scenario) => Schedule | undefined;
  /** Scenarios that do not fail, as JSON: after each success most of what is tried was tried before. */
  readonly #passing = new Set<string>();
  #tried = 0;

  constructor(fails: (scenario: Scenario) => Schedule | undefined) {
    this.#fails = fails;
  }

  shrink(scenario: Scenario): ShrunkScenario {
    this.#tried++;
    const schedule = this.#fails(scenario);
    if (schedule === undefined) {
      throw usageError('a scenario that does not fail cannot be made smaller', { expected: 'one that fails' });
    }
    let smallest = { scenario, schedule };
    for (;;) {
      const smaller = this.#smaller(smallest.scenario);
      if (smaller === undefined) return { ...smallest, tried: this.#tried };
      smallest = smaller;
    }
  }

  /** The first that is smaller and fails. */
  #smaller(scenario: Scenario): Omit<ShrunkScenario, 'tried'> | undefined {
    for (const reduction of REDUCTIONS) {
      for (const parts of reduction(scenario)) {
        const smaller = this.#try(scenario, parts);
        if (smaller !== undefined) return smaller;
      }
    }
    return undefined;
  }

  #try(scenario: Scenario, parts: Partial<ScenarioParts>): Omit<ShrunkScenario, 'tried'> | undefined {
    const json = scenarioJson({ ...scenario, ...parts });
    const key = JSON.stringify(json);
    if (this.#passing.has(key)) return undefined;
    this.#tried++;
    try {
      const { form, machines } = scenario;
      const smaller = { ...scenarioOf(json), form, machines };
      const schedule = this.#fails(smaller);
      if (schedule !== undefined) return { scenario: smaller, schedule };
    } catch (error) {
      // Such a domain cannot be.
      if (!(error instanceof P2mError)) throw error;
    }
    this.#passing.add(key);
    return undefined;
  }
}
