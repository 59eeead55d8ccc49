import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { inputError, P2mError, usageError } from '../events/index.js';
import {
  inlineScenario,
  inlineThread,
  mutantKernel,
  readScenario,
  scenarioJson,
  scenarioOf,
  ScenarioProgram,
  windowScenario,
  type Scenario,
} from '../replay/index.js';
import { LINEAR, type Machines } from '../src/index.js';
import { readInput, readPieces, readText } from './input.js';
import { note } from './output.js';
import { quoted } from './quoted.js';

/** Where a scenario comes from, as a command line says it. */
export interface ScenarioOptions {
  readonly kernel?: string;
  readonly geometry?: string;
  readonly layout: readonly string[];
  readonly thread: readonly string[];
  readonly watch?: readonly string[];
  readonly check?: readonly string[];
  readonly failAt?: string;
  readonly failFrom?: string;
  readonly from?: string;
  readonly window?: string;
  readonly init?: string;
  readonly initPt?: string;
  readonly machines?: string;
  readonly mutant?: string;
}

/** A scenario, and the words of a command line that give it again. */
export interface GivenScenario {
  readonly scenario: Scenario;
  /** The file that it was read from. */
  readonly file?: string;
  readonly words: readonly string[];
}

/** Reads the scenario from a file, from the command line itself or from a log. @throws {P2mError} it is none, or it is three */
export async function givenScenario(file: string | undefined, options: ScenarioOptions): Promise<GivenScenario> {
  const sources = [file, options.from, options.thread[0]].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw usageError(sources.length === 0 ? 'no scenario' : 'more than one scenario', {
      ...(sources.length === 0 ? {} : { got: sources.join(' and ') }),
      expected: "one of: a FILE, --thread 'set 0x402 m:77' ..., or --from LOG --window A..B",
    });
  }
  const given = withMutant(await fromSource(file, options), options.mutant);
  if (options.machines === undefined) return given;
  return {
    ...given,
    scenario: { ...given.scenario, machines: await readMachines(options.machines) },
    words: [...given.words, '--machines', quoted(options.machines)],
  };
}

/** The kernel with one mistake in it. */
function withMutant(given: GivenScenario, name: string | undefined): GivenScenario {
  if (name === undefined) return given;
  const { form, machines } = mutantKernel(given.scenario.form, name);
  return { ...given, scenario: { ...given.scenario, form, machines }, words: [...given.words, '--mutant', name] };
}

async function fromSource(file: string | undefined, options: ScenarioOptions): Promise<GivenScenario> {
  if (options.from !== undefined) return fromLog(options.from, options);
  if (options.window !== undefined) throw usageError('--window without --from', { expected: '--from LOG' });
  if (file !== undefined) return fromFile(file, options);
  const { geometry, layout, thread, watch, check } = options;
  const { kernel } = options;
  if (kernel === undefined) throw usageError('a scenario without a kernel', { expected: '--kernel VERSION' });
  const failAt = numberOf(options.failAt, '--fail-at');
  const failFrom = numberOf(options.failFrom, '--fail-from');
  const scenario = inlineScenario({ kernel, geometry, layout, threads: thread, watch, failAt, failFrom, check });
  return { scenario, words: [...inlineWords(options), ...otherWords(options)] };
}

function fromFile(file: string, options: ScenarioOptions): GivenScenario {
  const { kernel, geometry, layout, watch, failAt, failFrom } = options;
  const others = { geometry, watch, 'fail-at': failAt, 'fail-from': failFrom, layout: layout[0] };
  const given = Object.entries(others).find(([, value]) => value !== undefined);
  if (given !== undefined) {
    throw usageError('a file says itself what its scenario is', {
      got: `--${given[0]} with ${file}`,
      expected: '--kernel or --check alone',
    });
  }
  let scenario = readScenario(readText(file), file);
  if (kernel !== undefined) scenario = underKernel(scenario, kernel);
  if (options.check !== undefined) scenario = { ...scenario, check: checksOf(scenario, options.check) };
  return { scenario, file, words: [file === '-' ? '-' : quoted(file), ...otherWords(options)] };
}

/** Boots the scenario. @throws {P2mError} the model cannot hold it: a file that says so is bad input */
export function programOf({ scenario, file }: GivenScenario): ScenarioProgram {
  try {
    return new ScenarioProgram(scenario);
  } catch (error) {
    if (!(error instanceof P2mError) || file === undefined) throw error;
    throw inputError(error.message, { file });
  }
}

/** The scenario under another kernel, on the geometry that it has. */
function underKernel(scenario: Scenario, kernel: string): Scenario {
  const json = scenarioJson(scenario);
  const geometry = kernel.endsWith('-pae') ? undefined : scenario.geometry.name;
  try {
    return scenarioOf({ ...json, kernel, geometry });
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    throw usageError(error.message);
  }
}

function checksOf(scenario: Scenario, names: readonly string[]): Scenario['check'] {
  const { kernel } = scenario;
  // Held to the same list of names as a scenario of the command line.
  return inlineScenario({ kernel, layout: [], threads: scenario.threads.slice(0, 1).map(inlineThread), check: names })
    .check;
}

async function fromLog(log: string, options: ScenarioOptions): Promise<GivenScenario> {
  const { window, init, initPt, kernel } = options;
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(window ?? '');
  if (match === null) {
    throw usageError('--from without a window', {
      ...(window === undefined ? {} : { got: JSON.stringify(window) }),
      expected: '--window A..B: line numbers of the log, or numbers of events of an event log; B is not in it',
    });
  }
  if (log === '-') throw usageError('a log to draw a scenario from is read twice', { got: '-', expected: 'a file' });
  if (init === undefined && initPt !== undefined) throw usageError('--init-pt without --init');
  const from =
    init === undefined
      ? undefined
      : {
          name: init,
          read: () => ({
            words: { bytes: readInput(init), file: init },
            kinds: initPt === undefined ? undefined : { bytes: readInput(initPt), file: initPt },
            info: undefined,
          }),
        };
  const input = { log, open: () => readPieces(log), from, kernel };
  const { scenario, notes } = await windowScenario(input, { start: Number(match[1]), end: Number(match[2]) });
  for (const line of notes) note(`note: ${line}`);
  const words = ['--from', quoted(log), '--window', `${match[1]}..${match[2]}`];
  if (init !== undefined) words.push('--init', quoted(init));
  if (initPt !== undefined) words.push('--init-pt', quoted(initPt));
  return {
    scenario: options.check === undefined ? scenario : { ...scenario, check: checksOf(scenario, options.check) },
    words: [...words, ...otherWords(options)],
  };
}

/** Machines that stand in for those of the form: what a module exports as `machines`. */
async function readMachines(file: string): Promise<Partial<Machines>> {
  let module: { readonly machines?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as { readonly machines?: unknown };
  } catch (error) {
    throw inputError('cannot load the machines', { file, got: (error as Error).message });
  }
  const { machines } = module;
  if (typeof machines !== 'object' || machines === null || Object.keys(machines).length === 0) {
    throw inputError('no machines', {
      file,
      got: typeof machines,
      expected: 'export const machines = { allocP2mPmd: { ... } }',
    });
  }
  for (const [name, machine] of Object.entries(machines)) {
    if (!Object.hasOwn(LINEAR, name)) {
      throw inputError('unknown machine', { file, got: name, expected: Object.keys(LINEAR).join(', ') });
    }
    const { rows, step } = machine as { readonly rows?: unknown; readonly step?: unknown };
    if (!Array.isArray(rows) || typeof step !== 'function') {
      throw inputError(`machine ${name} is none`, { file, expected: '{ name, rows, step(r, cpu) }' });
    }
  }
  return machines;
}

function inlineWords({ geometry, layout, thread, watch, failAt, failFrom }: ScenarioOptions): string[] {
  const words = [
    ...layout.flatMap((text) => ['--layout', quoted(text)]),
    ...thread.flatMap((text) => ['--thread', quoted(text)]),
    ...(watch === undefined ? [] : ['--watch', ...watch]),
  ];
  if (geometry !== undefined) words.push('--geometry', quoted(geometry));
  if (failAt !== undefined) words.push('--fail-at', failAt);
  if (failFrom !== undefined) words.push('--fail-from', failFrom);
  return words;
}

function otherWords({ kernel, check }: ScenarioOptions): string[] {
  const words: string[] = [];
  if (kernel !== undefined) words.push('--kernel', quoted(kernel));
  if (check !== undefined) words.push('--check', ...check);
  return words;
}

function numberOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) {
    throw usageError(`bad ${option}`, { got: JSON.stringify(text), expected: 'a number from 1 on' });
  }
  return Number(text);
}
