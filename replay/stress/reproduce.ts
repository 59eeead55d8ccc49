import { P2mError, type StoredLog } from '../../events/index.js';
import { FAIL_AT, FAIL_FROM, type Memory } from '../../src/index.js';
import { Timeline } from '../audit/timeline.js';
import { explore, type ExploreOptions, type Violation } from '../explore/explore.js';
import type { Schedule } from '../explore/schedule.js';
import { quoted } from '../finding/quoted_word.js';
import { scenarioHash } from '../finding/scenario_hash.js';
import { shrinkScenario } from '../finding/shrink.js';
import { printToken } from '../finding/token_replay.js';
import type { Mutant } from '../mutate/mutant.js';
import { scenarioJson, scenarioOf } from '../scenario/read_scenario.js';
import { inlineThread } from '../scenario/inline_scenario.js';
import { CHECKS, type CheckName, type Scenario } from '../scenario/scenario.js';
import { ScenarioProgram } from '../scenario/scenario_program.js';
import { candidateCalls } from './call_groups.js';
import { callsIn, windowOf, type CallWindow, type RoundCall } from './round_calls.js';
import type { RoundCheck, RoundFinding } from './round_finding.js';
import { roundScenario } from './round_scenario.js';

/** What a round was made of beside its log, and bounds. */
export interface ReproduceOptions {
  /** The mistake that was in its kernel. */
  readonly mutant?: Mutant | undefined;
  /** Operations that had broken the list before: they are part of every scenario. */
  readonly behind?: readonly number[];
  /** Whether what shows it is made as small as can be, most of the work; default true. */
  readonly isShrunk?: boolean;
  /** Most scenarios that are tried before one shows the finding, by one set of checks; default 40. */
  readonly scenariosMax?: number;
  /** Of each exploration. */
  readonly explore?: Partial<ExploreOptions>;
}

/** A finding of a round as a scenario that shows it. */
export interface ReproducedFinding {
  readonly verdict: 'reproduced';
  /** As small as can be, where that was asked for. */
  readonly scenario: Scenario;
  /** Numbers of the operations in the log that it was made of. */
  readonly operations: readonly number[];
  readonly schedule: Schedule;
  /** What the schedule breaks. */
  readonly checks: readonly CheckName[];
  readonly token: string;
  /** Scenarios that were explored. */
  readonly tried: number;
  /** Runs the schedule again. */
  readonly command: string;
}

/** A finding that no scenario was found for. */
export interface NotReproduced {
  readonly verdict: 'not reproduced';
  readonly why: string;
  readonly tried: number;
  /** Explores the window of the log; undefined where it has none. */
  readonly command: string | undefined;
}

/** What came of a finding. */
export type Reproduction = ReproducedFinding | NotReproduced;

const SCENARIOS_MAX = 40;
/** Of one exploration: what two operations do is far below. */
const BOUNDS: Partial<ExploreOptions> = { method: 'auto', first: true, runs: 100, statesMax: 2 ** 15 };
/** Attempts to allocate of a set: PT pages, mid page, leaf. */
const ATTEMPTS = 4;

/** What a scenario may say of what a round says; without: what no scenario says. */
const SAID_AS: Readonly<Partial<Record<RoundCheck, readonly CheckName[]>>> = {
  'not-linearizable': ['not-linearizable', 'lost-update', 'lookup-never-set-value', 'bystander-changed'],
  'false-outcome': [
    'not-linearizable',
    'lost-update',
    'lookup-outside-interval',
    'lookup-never-set-value',
    'false-set',
  ],
  'bystander-changed': ['bystander-changed', 'lost-update', 'not-linearizable'],
  'list-and-tree-differ': ['list-and-tree-differ', 'mfn-tree-misses-leaf'],
  'mfn-tree-misses-leaf': ['mfn-tree-misses-leaf', 'list-and-tree-differ'],
  'max-pfn-misses-leaf': ['max-pfn-misses-leaf', 'last-pfn-too-low', 'shared-max_pfn-too-low'],
  'no-return': ['deadlock'],
  'lock-kept': ['deadlock'],
  accounts: ['leak', 'freed-page-reachable'],
};

/**
 * The checks of a scenario that say what a round's check says: first by the same name, then by others that the same mistake
 * breaks; none where no scenario can.
 */
export function scenarioChecks(check: RoundCheck): readonly (readonly CheckName[])[] {
  const same = CHECKS.filter((name) => name === check);
  return [same, SAID_AS[check] ?? []].filter((names) => names.length > 0);
}

/**
 * Looks for the smallest scenario that shows what a round has broken: the operations that broke it, alone, then with one, then
 * with two of those that ran beside them, on the list as it stood before them. Each is explored within bounds; the first that
 * shows it is made as small as can be.
 *
 * @throws {P2mError} the log is damaged
 */
export function reproduceFinding(log: StoredLog, finding: RoundFinding, options: ReproduceOptions = {}): Reproduction {
  const checks = scenarioChecks(finding.check);
  const guilty = [...new Set([...(options.behind ?? []), ...finding.operations])];
  const window = finding.operations.length === 0 ? undefined : windowOf(log, guilty);
  if (checks.length === 0 || window === undefined) {
    const why = window === undefined ? 'no operation is known to have done it' : 'no scenario says such a thing';
    return { verdict: 'not reproduced', why, tried: 0, command: undefined };
  }
  return new Reproducer(log, { ...finding, operations: guilty }, checks, window, options).run();
}

class Reproducer {
  readonly #log: StoredLog;
  readonly #finding: RoundFinding;
  readonly #checks: readonly (readonly CheckName[])[];
  readonly #window: CallWindow;
  readonly #options: ReproduceOptions;
  #tried = 0;

  constructor(
    log: StoredLog,
    finding: RoundFinding,
    checks: readonly (readonly CheckName[])[],
    window: CallWindow,
    options: ReproduceOptions,
  ) {
    this.#log = log;
    this.#finding = finding;
    this.#checks = checks;
    this.#window = window;
    this.#options = options;
  }

  run(): Reproduction {
    const log = this.#log;
    const calls = callsIn(log, this.#window);
    const timeline = new Timeline(log);
    const { scenariosMax = SCENARIOS_MAX } = this.#options;
    for (const checks of this.#checks) {
      const most = this.#tried + scenariosMax;
      for (const group of candidateCalls(calls, this.#finding, timeline.memory.geometry)) {
        if (this.#tried >= most) break;
        timeline.goTo(Math.min(...group.map(({ call }) => call)));
        const found = this.#tryCalls(timeline.memory, group, checks);
        if (found !== undefined) return this.#reproduced(found, group);
      }
    }
    return this.#notFound(`none of ${this.#tried} scenarios showed it`);
  }

  /** Memory may have been short: then as a last resort the n-th allocation fails. */
  #tryCalls(memory: Memory, group: readonly RoundCall[], checks: readonly CheckName[]): Scenario | undefined {
    const isShort = memory.words[FAIL_AT] !== 0 || memory.words[FAIL_FROM] !== 0;
    for (let failAt = 0; failAt <= (isShort ? ATTEMPTS : 0); failAt++) {
      let scenario: Scenario;
      try {
        scenario = roundScenario(memory, this.#log.header.kernel, group, checks, failAt);
      } catch (error) {
        if (error instanceof P2mError) return undefined;
        throw error;
      }
      const kernel = this.#options.mutant?.apply(scenario) ?? scenario;
      if (this.#explore(kernel) !== undefined) return kernel;
    }
    return undefined;
  }

  #explore(scenario: Scenario): Violation | undefined {
    this.#tried++;
    try {
      return explore(new ScenarioProgram(scenario), { ...BOUNDS, ...this.#options.explore }).violations[0];
    } catch (error) {
      if (error instanceof P2mError) return undefined;
      throw error;
    }
  }

  #reproduced(found: Scenario, group: readonly RoundCall[]): ReproducedFinding {
    const { isShrunk = true } = this.#options;
    const small = isShrunk ? shrinkScenario(found, (one) => this.#explore(one)?.schedule).scenario : found;
    const scenario = watchedByDefault(small);
    const program = new ScenarioProgram(scenario);
    const [{ bits, schedule }] = explore(program, { ...BOUNDS, ...this.#options.explore }).violations as [Violation];
    const token = printToken(program, scenarioHash(scenario), schedule);
    return {
      verdict: 'reproduced',
      scenario,
      operations: group.map(({ op }) => op),
      schedule,
      checks: CHECKS.filter((_, check) => (bits & (1 << check)) !== 0),
      token,
      tried: this.#tried,
      command: `${scenarioCommand(scenario, this.#options.mutant)} --replay ${token}`,
    };
  }

  #notFound(why: string): NotReproduced {
    const { start, end } = this.#window;
    const { mutant } = this.#options;
    const words = ['p2m explore --from', quoted(this.#log.name), '--window', `${start}..${end}`];
    if (mutant !== undefined) words.push('--mutant', mutant.name);
    return { verdict: 'not reproduced', why, tried: this.#tried, command: words.join(' ') };
  }
}

/** The scenario with the pfns watched that are watched where nobody says which: who watches more breaks no less. */
function watchedByDefault(scenario: Scenario): Scenario {
  const { form, machines } = scenario;
  const { watch: _, ...json } = scenarioJson(scenario);
  return { ...scenarioOf(json), form, machines };
}

/** The command that explores the scenario, with all of it in its words; watched are the pfns that are so by default. */
export function scenarioCommand(scenario: Scenario, mutant?: Mutant): string {
  const { kernel, geometry, layout, threads, fail, check } = scenario;
  const words = ['p2m explore --kernel', quoted(kernel)];
  if (mutant !== undefined) words.push('--mutant', mutant.name);
  if (geometry.name !== 'x86_64' && !kernel.endsWith('-pae')) words.push('--geometry', geometry.name);
  words.push('--layout', quoted(layout.map((entry) => entry.join(' ')).join('; ')));
  for (const thread of threads) words.push('--thread', quoted(inlineThread(thread)));
  if (fail.at > 0) words.push('--fail-at', String(fail.at));
  if (fail.from > 0) words.push('--fail-from', String(fail.from));
  if (check.length < CHECKS.length) words.push('--check', ...check);
  return words.join(' ');
}
