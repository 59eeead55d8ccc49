import type { Command } from 'commander';
import { ExitCode, usageError } from '../events/index.js';
import {
  GALLERY,
  grouped,
  pairs,
  runEntry,
  runSmall,
  triples,
  type GalleryEntry,
  type GalleryResult,
  type SmallScenario,
} from '../replay/index.js';
import { parseNumber } from './numbers.js';
import { note, print } from './output.js';

interface GalleryCliOptions {
  readonly list?: boolean;
  readonly print?: boolean;
  readonly small?: string;
  readonly states?: string;
  readonly json?: boolean;
}

/** Families of small scenarios of the newest form. */
const FAMILIES: Readonly<Record<string, () => Generator<SmallScenario>>> = { pairs, triples };

/** `p2m gallery`: known defects as scenarios, explored under the kernels that have them and those that do not. */
export function addGallery(program: Command): void {
  program
    .command('gallery')
    .description('explore the known defects of p2m.c, under kernels that have them and kernels that do not')
    .argument('[name...]', 'entries, or defects (B3); default: all')
    .option('--list', 'list the entries, run none')
    .option('--print', 'print the scenario of one entry, for p2m explore')
    .option('--small <family>', 'pairs or triples: every small scenario of set and look-up on 7.0')
    .option('--states <n>', 'most states to keep, of one scenario')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      `
An entry passes where each kernel's exploration comes to what is known of it: violated, or ok over all interleavings.
Exit: 0 all as expected, 1 some not (--small: a check is broken), 2 usage, 4 a bound was hit first.

Examples:
  p2m gallery
  p2m gallery B3
  p2m gallery stale-pte-pointer --print | p2m explore -`,
    )
    .action((names: string[], options: GalleryCliOptions) => {
      process.exitCode = run(names, options);
    });
}

function run(names: readonly string[], options: GalleryCliOptions): number {
  const statesMax = options.states === undefined ? undefined : parseNumber(options.states, '--states', 2 ** 27);
  const bounds = statesMax === undefined ? {} : { statesMax };
  if (options.small !== undefined) {
    if (names.length > 0) throw usageError('--small runs a family', { got: names.join(' '), expected: 'no names' });
    return runFamily(options.small, bounds, options.json === true);
  }
  const entries = chosen(names);
  if (options.print === true) return printScenario(entries);
  if (options.list === true) return list(entries, options.json === true);
  let failed = 0;
  let unknown = 0;
  let passed = 0;
  for (const entry of entries) {
    for (const result of runEntry(entry, bounds)) {
      const { verdict } = result.exploration;
      if (verdict === result.expected) passed++;
      else if (verdict === 'unknown') unknown++;
      else failed++;
      // Even where nobody reads the rest.
      process.exitCode = exitCode(failed, unknown);
      print(options.json === true ? JSON.stringify(jsonOf(result)) : lineOf(result));
    }
  }
  const needs = entries.filter(({ scenario }) => scenario === undefined);
  if (options.json !== true) {
    for (const { defect, name, needs: what } of needs)
      print(`${defect.padEnd(4)} ${name}: not run, needs ${what ?? 'more'}`);
    print(`${passed} as expected, ${failed} not, ${unknown} unknown`);
  }
  return exitCode(failed, unknown);
}

function exitCode(failed: number, unknown: number): number {
  return failed > 0 ? ExitCode.violated : unknown > 0 ? ExitCode.noVerdict : ExitCode.ok;
}

function chosen(names: readonly string[]): readonly GalleryEntry[] {
  if (names.length === 0) return GALLERY;
  return names.flatMap((name) => {
    const found = GALLERY.filter((entry) => entry.name === name || entry.defect.toLowerCase() === name.toLowerCase());
    if (found.length === 0)
      throw usageError('no such entry', { got: JSON.stringify(name), expected: 'a name of p2m gallery --list' });
    return found;
  });
}

function printScenario(entries: readonly GalleryEntry[]): number {
  const [entry] = entries;
  if (entries.length !== 1 || entry?.scenario === undefined) {
    throw usageError('--print prints one scenario', {
      got: entries.length === 1 ? `${entry!.name}, which needs ${entry!.needs}` : `${entries.length} entries`,
      expected: 'the name of one entry that has one',
    });
  }
  print(JSON.stringify(entry.scenario, null, 2));
  return ExitCode.ok;
}

function list(entries: readonly GalleryEntry[], json: boolean): number {
  for (const entry of entries) {
    const expected = Object.entries(entry.expect).map(([kernel, verdict]) => `${kernel} ${verdict}`);
    const when = entry.needs === undefined ? expected.join(', ') : `needs: ${entry.needs}`;
    print(json ? JSON.stringify(entry) : `${entry.defect.padEnd(4)} ${entry.name} (${when})\n     ${entry.about}`);
  }
  return ExitCode.ok;
}

function lineOf({ entry, kernel, expected, exploration, broken }: GalleryResult): string {
  const { verdict, violations, interleavings } = exploration;
  const of = interleavings === undefined ? '' : ` of ${grouped(interleavings)} interleavings`;
  const [first] = violations;
  const what =
    first === undefined
      ? `none${of}`
      : `${broken.join(', ')} (${first.preemptions} preemptions, ${first.schedule.length} steps)`;
  const mark = verdict === expected ? '' : `  EXPECTED ${expected}`;
  return `${entry.defect.padEnd(4)} ${entry.name} ${kernel}: ${verdict}: ${what}${mark}`;
}

function jsonOf({ entry, kernel, expected, exploration, broken }: GalleryResult): object {
  const { verdict, interleavings, violating, states, violations } = exploration;
  return {
    name: entry.name,
    defect: entry.defect,
    kernel,
    expected,
    verdict,
    broken,
    interleavings: interleavings?.toString() ?? null,
    violating: violating?.toString() ?? null,
    states,
    preemptions: violations[0]?.preemptions ?? null,
  };
}

function runFamily(name: string, bounds: { readonly statesMax?: number }, json: boolean): number {
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name] : undefined;
  if (family === undefined)
    throw usageError('unknown family', { got: JSON.stringify(name), expected: 'pairs or triples' });
  const counts = { ok: 0, violated: 0, unknown: 0 };
  const byCheck = new Map<string, { count: number; first: string }>();
  for (const { small, exploration, broken } of runSmall(family(), bounds)) {
    counts[exploration.verdict]++;
    if (exploration.verdict === 'violated') process.exitCode = ExitCode.violated;
    const key = broken.join(', ');
    const known = byCheck.get(key) ?? { count: 0, first: small.name };
    byCheck.set(key, { ...known, count: known.count + 1 });
    const { verdict, states, bound } = exploration;
    if (json)
      print(JSON.stringify({ name: small.name, verdict, broken, states, bound: bound ?? null, scenario: small.json }));
    else if (verdict !== 'ok')
      print(`${small.name}: ${verdict}${key === '' ? '' : `: ${key}`}${bound === undefined ? '' : ` (${bound})`}`);
  }
  const total = counts.ok + counts.violated + counts.unknown;
  const text = `${grouped(total)} scenarios: ${counts.ok} ok, ${counts.violated} violated, ${counts.unknown} unknown`;
  if (json) note(text);
  else {
    for (const [key, { count, first }] of byCheck)
      if (key !== '') print(`${String(count).padStart(5)} break ${key}; the first: ${first}`);
    print(text);
  }
  return exitCode(counts.violated, counts.unknown);
}
