import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Option, type Command } from 'commander';
import { ExitCode, inputError, usageError } from '../events/index.js';
import {
  CHECKS,
  explore,
  EXPLORE_DEFAULTS,
  findingJson,
  findingHead,
  findingText,
  keepSchedule,
  METHODS,
  parseToken,
  printToken,
  replayToken,
  scenarioHash,
  scenarioJson,
  ScenarioProgram,
  shrinkScenario,
  type Exploration,
  type ExploreOptions,
  type Method,
  type Scenario,
  type Schedule,
  type Violation,
} from '../replay/index.js';
import { EventFiles } from './event_files.js';
import { assumptionsOf, checkNames, explorationText, scenarioLine } from './explore_text.js';
import { runMutation } from './mutation.js';
import { parseNumber } from './numbers.js';
import { note, print } from './output.js';
import { quoted } from './quoted.js';
import { givenScenario, programOf, type GivenScenario, type ScenarioOptions } from './scenario_source.js';

interface ExploreCliOptions extends ScenarioOptions {
  readonly method: Method;
  readonly seed?: string;
  readonly runs: string;
  readonly depth: string;
  readonly states: string;
  readonly executions: string;
  readonly exact?: boolean;
  readonly first?: boolean;
  readonly outcomes?: boolean;
  readonly replay?: string;
  readonly shrink?: string;
  readonly mutate?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** No bug that anybody has heard of is as deep: beyond it a run is all changes of priority. */
const DEPTH_END = 100;

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

/** `p2m explore`: every interleaving of a scenario. */
export function addExplore(program: Command): void {
  program
    .command('explore')
    .description('run a few operations in every order of their steps: a proof, or the smallest order that breaks')
    .argument('[file]', 'scenario (JSON; a concurrency vector is one), - for stdin')
    .option('--kernel <version>', 'kernel form; instead of the one that a file names')
    .option('--geometry <name>', 'x86_64, pae, tiny or tiny-pae')
    .option('--layout <text>', "'hole 1024 786432; notree': see below", collect, [])
    .option('--thread <text>', "operations of a thread, 'set 0x402 m:77; get 0x402'; one option a thread", collect, [])
    .option('--watch <pfn...>', 'pfns that are looked up after each step; default: those named, and some beside them')
    .option('--fail-at <n>', 'the n-th attempt to allocate fails')
    .option('--fail-from <n>', 'the n-th attempt to allocate and all later ones fail')
    .option('--check <name...>', 'what it is held to; default: everything (--help lists them)')
    .option('--machines <module>', 'a module whose `machines` stand in for those of the kernel form')
    .option('--mutant <name>', 'put one mistake into the kernel (--mutate all lists them)')
    .option('--from <log>', 'draw the scenario from the calls of a log')
    .option('--window <A..B>', 'lines of that log from A to before B (events, of an event log)')
    .option('--init <dump>', 'list before that log')
    .option('--init-pt <file>', 'page kinds of that list')
    .addOption(new Option('--method <name>', 'how to explore').choices(METHODS).default(EXPLORE_DEFAULTS.method))
    .option('--seed <n>', 'of the random and PCT runs; default 1')
    .option('--runs <n>', 'random and PCT runs', String(EXPLORE_DEFAULTS.runs))
    .option('--depth <n>', 'depth of the bugs that PCT runs are after', String(EXPLORE_DEFAULTS.depth))
    .option('--states <n>', 'most states to keep', String(EXPLORE_DEFAULTS.statesMax))
    .option('--executions <n>', 'most executions of dpor', String(EXPLORE_DEFAULTS.executionsMax))
    .option('--exact', 'keep the states themselves instead of 128-bit hashes of them')
    .option('--first', 'stop at the first violation')
    .option('--outcomes', 'list what the interleavings lead to, and how many lead there')
    .option('--replay <token>', 'run the one schedule of a token, and report it')
    .option('--shrink <file>', 'where a check is broken: write the smallest scenario that still breaks it')
    .option('--mutate <name>', 'all, or one: put a mistake into the kernel, and see what finds it')
    .option('-o, --output <file>', 'keep the events of the first violation: FILE.p2mlog, or FILE.jsonl')
    .option('--json', 'one JSON object instead of text')
    .addHelpText(
      'after',
      `
Operations: set PFN VALUE (set_phys_to_machine), rawSet PFN VALUE (__set_phys_to_machine), lookup PFN (__pfn_to_mfn),
get PFN (get_phys_to_machine), alloc PFN (xen_alloc_p2m_entry). Values: m:N, i:N, f:N, ~ (INVALID).
Layout: hole START END, identity START END (list entries before the run), nr COUNT, limit GIB, notree.
Methods: auto (a burst of random and PCT runs, then the proof), random, pct, stateful (every state once, interleavings
counted), dpor (one execution of each class of equivalent interleavings), fewest (0-1 breadth-first search).
Checks: ${wrapped(CHECKS)}
Exit: 0 ok (proven), 1 violated, 2 usage, 3 bad input, 4 unknown: a bound was hit first.

Examples:
  p2m explore --kernel 3.19-rc1 --layout 'nr 786432; hole 262144 786432' --thread 'set 0x40002 m:77' --thread 'set 0x40003 m:78'
  p2m explore race.json --kernel 7.0 --json
  p2m explore --from trace.txt --window 1200..1240 --init p2m-before.bin`,
    )
    .action(async (file: string | undefined, options: ExploreCliOptions) => {
      process.exitCode = await run(file, options);
    });
}

async function run(file: string | undefined, options: ExploreCliOptions): Promise<number> {
  if (options.mutate !== undefined) {
    const own = file === undefined && options.thread.length === 0 && options.from === undefined;
    const scenario = own ? undefined : (await givenScenario(file, options)).scenario;
    return runMutation(options.mutate, scenario, options.json === true);
  }
  const given = await givenScenario(file, options);
  if (options.replay !== undefined) return replay(given, options.replay, options);
  const chosen = exploreOptions(options);
  const program = programOf(given);
  const began = performance.now();
  const exploration = explore(program, chosen);
  const elapsedMs = Math.round(performance.now() - began);
  const exitCode = exitCodeOf(exploration);
  // Even where nobody reads the report to its end.
  process.exitCode = exitCode;
  const [first] = exploration.violations;
  if (first !== undefined && options.shrink !== undefined) shrink(given.scenario, first, chosen, options.shrink);
  if (first !== undefined && options.output !== undefined) keep(given.scenario, first.schedule, options.output);
  const finding = (violation: Violation): Parameters<typeof findingText>[0] => {
    const { bits, schedule } = violation;
    const token = printToken(program, scenarioHash(given.scenario), schedule);
    return { program, schedule, bits, command: `p2m explore ${[...given.words, '--replay', token].join(' ')}`, token };
  };
  if (options.json === true) {
    print(
      JSON.stringify(
        json(
          given.scenario,
          exploration,
          exploration.violations.flatMap((v) => findingJson(finding(v))),
        ),
        null,
        2,
      ),
    );
  } else {
    for (const line of explorationText(given.scenario, exploration, options.outcomes === true)) print(line);
    exploration.violations.forEach((violation, i) => {
      print(`\n${i === 0 ? findingText(finding(violation)) : findingHead(finding(violation))}`);
    });
    if (exploration.violations.length === 0) print(`verdict: ${exploration.verdict}`);
    note(`${exploration.states} states, ${exploration.executions} executions in ${elapsedMs} ms`);
  }
  return exitCode;
}

function exploreOptions(options: ExploreCliOptions): ExploreOptions {
  const count = (text: string, option: string, end = 2 ** 31): number => {
    const value = parseNumber(text, option, end);
    if (value === 0) throw usageError(`bad ${option}`, { got: text, expected: 'a number from 1 on' });
    return value;
  };
  return {
    method: options.method,
    seed: parseNumber(options.seed ?? String(EXPLORE_DEFAULTS.seed), '--seed', 2 ** 32),
    runs: count(options.runs, '--runs'),
    depth: count(options.depth, '--depth', DEPTH_END),
    statesMax: count(options.states, '--states'),
    executionsMax: count(options.executions, '--executions'),
    exact: options.exact === true,
    first: options.first === true,
  };
}

function exitCodeOf({ verdict }: Exploration): number {
  return { ok: ExitCode.ok, violated: ExitCode.violated, unknown: ExitCode.noVerdict }[verdict];
}

function json(scenario: Scenario, exploration: Exploration, violations: readonly object[]): object {
  const { verdict, method, executions, interleavings, violating, states, bound, outcomes } = exploration;
  return {
    verdict,
    exitCode: exitCodeOf(exploration),
    scenario: scenarioJson(scenario),
    method,
    assumptions: assumptionsOf(exploration),
    executions,
    interleavings: interleavings?.toString() ?? null,
    violating: violating?.toString() ?? null,
    states,
    bound: bound ?? null,
    violations,
    outcomes: outcomes.map(({ outcome, count, broken, switches }) => ({
      outcome: JSON.parse(outcome) as unknown,
      count: count.toString(),
      broken: checkNames(broken),
      switches,
    })),
  };
}

/** The one schedule of a token. */
function replay(given: GivenScenario, text: string, options: ExploreCliOptions): number {
  const { scenario, words } = given;
  const program = programOf(given);
  const token = parseToken(text);
  const bits = replayToken(program, token, scenarioHash(scenario));
  const exitCode = bits === 0 ? ExitCode.ok : ExitCode.violated;
  process.exitCode = exitCode;
  const { schedule } = token;
  const finding = {
    program,
    schedule,
    bits,
    command: `p2m explore ${[...words, '--replay', text].join(' ')}`,
    token: text,
  };
  if (options.json === true) {
    const verdict = bits === 0 ? 'ok' : 'violated';
    print(
      JSON.stringify(
        { verdict, exitCode, scenario: scenarioJson(scenario), violations: bits === 0 ? [] : findingJson(finding) },
        null,
        2,
      ),
    );
  } else {
    print(scenarioLine(scenario));
    print(findingText(finding));
  }
  if (options.output !== undefined) keep(scenario, schedule, options.output);
  return exitCode;
}

/** Writes the events of a path, those of the boot before it, as a log of their own. */
function keep(scenario: Scenario, schedule: Schedule, name: string): void {
  const files = new EventFiles(name, []);
  keepSchedule(scenario, schedule, 'p2m explore', (header, codec) => files.begin(header, codec));
  files.close();
  // A race may map a frame twice, which the flat memory cannot show.
  note(`kept in ${name}: p2m replay ${quoted(name)} --memory paged`);
}

/** Writes the smallest scenario that breaks what the violation breaks. */
function shrink(scenario: Scenario, { bits }: Violation, chosen: ExploreOptions, file: string): void {
  const shrunk = shrinkScenario(scenario, (smaller) => {
    const { violations } = explore(new ScenarioProgram(smaller), { ...chosen, method: 'auto', first: true });
    return violations.find((violation) => (violation.bits & bits) !== 0)?.schedule;
  });
  try {
    writeFileSync(file, `${JSON.stringify(scenarioJson(shrunk.scenario), null, 2)}\n`);
  } catch (error) {
    throw inputError('cannot write', { file, got: (error as Error).message });
  }
  note(`${scenarioLine(shrunk.scenario)}, after ${shrunk.tried} tries: p2m explore ${quoted(file)}`);
}

/** Names in lines that the help can print. */
function wrapped(names: readonly string[]): string {
  const lines: string[] = [];
  let line = '';
  for (const name of names) {
    if (line.length + name.length > 100) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? name : `, ${name}`;
  }
  return [...lines, line].join(',\n  ');
}
