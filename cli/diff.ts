import type { Command } from 'commander';
import { ExitCode, Global, inputError, usageError, type P2mEvent, type StoredLog } from '../events/index.js';
import {
  ALL_KNOWN,
  compareWithDump,
  differingGlobals,
  firstDifference,
  listDifferences,
  listStands,
  makeListDump,
  parseMoment,
  resolveMoment,
  type Difference,
} from '../replay/index.js';
import type { Memory } from '../src/index.js';
import { readInput } from './input.js';
import { momentText } from './moment_text.js';
import { hex } from './numbers.js';
import { note, print } from './output.js';
import { keptFactsOf, timelineTo } from './log_index.js';
import { addLogOptions, openStoredLog, type LogOptions } from './stored_log.js';

interface DiffCliOptions extends LogOptions {
  readonly dump?: string;
  readonly dumpPt?: string;
  readonly at?: string;
  readonly json?: boolean;
}

/** What differs, for --json, and as lines. */
interface Found {
  readonly json: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/** `p2m diff`: two moments of a log, two logs, or a log and a dump. */
export function addDiff(program: Command): void {
  const command = program
    .command('diff')
    .description('what differs between two moments of a log, two logs, or a log and a dump')
    .argument('<log>', 'event log')
    .argument('[a]', 'the other log; with B a moment')
    .argument('[b]', 'a moment: N (right after event N), 12.345s, @TIMESTAMP, start or end')
    .option('--dump <file>', 'a dump of the list, p2m-NAME.bin.gz, to compare with')
    .option('--dump-pt <file>', 'its page kinds, p2m-NAME.pt.txt')
    .option('--at <moment>', 'the moment of the log that the dump is of; default: end')
    .option('--json', 'one JSON object instead of text');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
How many arguments there are says what is compared: LOG X Y two moments of a log; LOG1 LOG2 the events of two logs and how
they end; LOG --dump FILE a log and a dump. A line is a run [a,b) of pfns, what is there before, and after. Entries are
look-ups; they are compared by value, pages by what they are, operations by what they do and not by their numbers.
Exit: 0 no difference, 1 differences, 2 usage, 3 bad input.

Examples:
  p2m diff run.p2mlog 4019 end
  p2m diff yesterday.p2mlog today.p2mlog
  p2m diff run.p2mlog --dump p2m-after.bin.gz --dump-pt p2m-after.pt.txt`,
    )
    .action(async (log: string, a: string | undefined, b: string | undefined, options: DiffCliOptions) => {
      const found = await compare(log, a, b, options);
      process.exitCode = found.lines.length === 0 ? ExitCode.ok : ExitCode.violated;
      if (options.json === true) print(JSON.stringify(found.json, null, 2));
      else for (const line of found.lines) print(line);
    });
}

async function compare(
  path: string,
  a: string | undefined,
  b: string | undefined,
  options: DiffCliOptions,
): Promise<Found> {
  const { dump, dumpPt, at } = options;
  if (dump !== undefined) {
    if (a !== undefined)
      throw usageError('a log and a dump', { got: `another argument, ${a}`, expected: 'LOG --dump FILE' });
    return dumpDifferences(await openStoredLog(path, options), path, dump, dumpPt, at ?? 'end');
  }
  if (dumpPt !== undefined) throw usageError('--dump-pt without --dump');
  if (at !== undefined) throw usageError('--at without --dump', { expected: 'LOG X Y for two moments' });
  if (a === undefined)
    throw usageError('nothing to compare with', { expected: 'LOG X Y, LOG1 LOG2 or LOG --dump FILE' });
  if (b !== undefined) return momentDifferences(path, a, b, options);
  if (path === '-' && a === '-') throw usageError('two logs from stdin', { expected: '- once' });
  return logDifferences(await openStoredLog(path, options), await openStoredLog(a, options), [path, a]);
}

async function momentDifferences(path: string, a: string, b: string, options: LogOptions): Promise<Found> {
  const wanted = [parseMoment(a), parseMoment(b)] as const;
  const log = await openStoredLog(path, options);
  const [before, after] = wanted.map((moment) =>
    memoryAt(log, path, resolveMoment(log, moment, keptFactsOf(log, path))),
  ) as [Memory, Memory];
  return stateDifferences(before, after);
}

function logDifferences(a: StoredLog, b: StoredLog, [pathA, pathB]: readonly [string, string]): Found {
  if (a.header.geometry !== b.header.geometry) {
    throw inputError('logs of different geometries', {
      file: b.name,
      got: b.header.geometry,
      expected: a.header.geometry,
    });
  }
  const first = firstDifference(a, b);
  if (first === undefined) return { json: { first: null, runs: [], globals: [] }, lines: [] };
  const states = stateDifferences(memoryAt(a, pathA, a.events), memoryAt(b, pathB, b.events));
  const heads = [
    `first at event ${first.seq}:`,
    `  ${eventLine(a, first.a)}`,
    `  ${eventLine(b, first.b)}`,
    states.lines.length === 0 ? 'the lists at the end are the same' : 'the lists at the end:',
  ];
  return { json: { first, ...states.json }, lines: [...heads, ...states.lines] };
}

function eventLine({ name }: StoredLog, event: P2mEvent | undefined): string {
  return `${name}: ${event === undefined ? 'has ended' : JSON.stringify(event)}`;
}

function stateDifferences(before: Memory, after: Memory): Found {
  const runs = listDifferences(before, after);
  const globals = differingGlobals(before, after);
  const lines = runs.map((run) => {
    const what = run.what === 'entries' ? '' : `${run.what} `;
    return `${what}[${hex(run.pfnStart)},${hex(run.pfnEnd)}) ${run.before} -> ${run.after}`;
  });
  return {
    json: { runs, globals },
    lines: [...lines, ...globals.map(({ global, before: old, after: now }) => `${global} ${old} -> ${now}`)],
  };
}

function dumpDifferences(log: StoredLog, path: string, dump: string, dumpPt: string | undefined, at: string): Found {
  const memory = memoryAt(log, path, resolveMoment(log, parseMoment(at), keptFactsOf(log, path)));
  if (!listStands(memory) || memory.words[Global.xen_p2m_size] === 0) {
    throw inputError('no linear list stands at this moment', {
      file: log.name,
      got: at,
      expected: 'a moment behind the boot',
    });
  }
  const named = (file: string): { bytes: Uint8Array; file: string } => ({ bytes: readInput(file), file });
  const kinds = dumpPt === undefined ? undefined : named(dumpPt);
  const list = makeListDump(dump, named(dump), kinds, undefined, log.codec);
  const differences: Difference[] = [];
  const compared = compareWithDump(memory, ALL_KNOWN, list, false, (difference) => differences.push(difference));
  note(`${compared.entries} entries and ${compared.leaves} leaves compared; before: the log, after: the dump`);
  const lines = differences.map(
    ({ what, pfn, expected, actual }) =>
      `${what === 'entry' ? '' : `${what} `}[${hex(pfn)},${hex(pfn + (what === 'entry' ? 1 : memory.geometry.perPage))}) ${expected} -> ${actual}`,
  );
  return { json: { ...compared, list: differences }, lines };
}

function memoryAt(log: StoredLog, path: string, moment: number): Memory {
  const timeline = timelineTo(log, path, moment);
  note(`${log.name}: ${momentText(log, moment)}`);
  return timeline.memory;
}
