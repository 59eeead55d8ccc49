import type { Command } from 'commander';
import { ACCESSES, BUGS, CLOCKS, Global, KINDS, P2mError, ROLES, WARNINGS, type StoredLog } from '../events/index.js';
import { LogStats, Timeline, timeText, type TimeHistogram } from '../replay/index.js';
import { geometryByName, structure } from '../src/index.js';
import { noteEnd } from './log_end.js';
import { hex, parseNumber } from './numbers.js';
import { addLogOptions, type LogOptions } from './log_options.js';
import { note, print } from './output.js';
import { openStoredLog } from './stored_log.js';

interface StatsOptions extends LogOptions {
  readonly top: string;
  readonly json?: boolean;
}

type Counts = readonly (readonly [name: string, count: number])[];

/** `p2m stats LOG`: what a log is made of. */
export function addStats(program: Command): void {
  const command = program
    .command('stats')
    .description('events by kind, operation, task, CPU and time; hot pfns and leaves; leaf populations at the end')
    .argument('<log>', 'a log, or a recording; - for stdin')
    .option('--top <n>', 'hot pfns, leaves and tasks to list', '10')
    .option('--json', 'one JSON object instead of text');
  addLogOptions(command)
    .addHelpText('after', '\nAll counts are exact. Example:\n  p2m stats run.p2mlog --json | jq .kinds')
    .action(async (path: string, options: StatsOptions) => {
      const { top, json } = options;
      const log = await openStoredLog(path, options);
      const shown = parseNumber(top, 'count', 10_001);
      const answer = answerOf(log, shown);
      if (json === true) print(JSON.stringify(jsonOf(answer), null, 2));
      else for (const line of textOf(answer)) print(line);
      noteEnd(log);
    });
}

interface Answer {
  readonly events: number;
  readonly sections: Readonly<Record<string, Counts>>;
  readonly lostExchanges: number;
  readonly times: TimeHistogram | undefined;
  readonly hotPfns: readonly (readonly [pfn: number, stores: number])[];
  readonly hotLeaves: readonly (readonly [pfn: number, stores: number])[];
  /** Leaves of the list at the end by what they are; undefined where the log cannot be played. */
  readonly leaves: Counts | undefined;
}

function answerOf(log: StoredLog, shown: number): Answer {
  const stats = new LogStats(geometryByName(log.header.geometry).perPage);
  for (let block = 0; block < log.blocks; block++) stats.take(log.read(block));
  const kindNames = Object.entries(KINDS).map(([name, { id }]) => [name, stats.kinds[id]!] as const);
  const cpus = [...stats.cpus].map((count, cpu) => [String(cpu), count] as const);
  return {
    events: stats.events,
    sections: {
      kinds: falling(kindNames),
      operations: falling([...stats.operations]),
      tasks: falling([...stats.tasks]).slice(0, shown),
      cpus: cpus.filter(([, count]) => count > 0),
      allocated: named(ROLES, stats.allocated),
      freed: named(ROLES, stats.freed),
      bugs: named(BUGS, stats.bugs),
      warnings: named(WARNINGS, stats.warnings),
      faults: named(ACCESSES, stats.faults),
    },
    lostExchanges: stats.lostExchanges,
    times: stats.times,
    hotPfns: stats.stores.hotPfns(shown),
    hotLeaves: stats.stores.hotLeaves(shown),
    leaves: leavesOf(log),
  };
}

function named(names: readonly string[], counts: Float64Array): Counts {
  return falling(names.map((name, i) => [name, counts[i]!] as const));
}

/** Those that are not 0, the largest first; equal ones by name. */
function falling(counts: Counts): Counts {
  return counts
    .filter(([, count]) => count > 0)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
}

function leavesOf(log: StoredLog): Counts | undefined {
  try {
    const timeline = new Timeline(log);
    timeline.goTo(log.events);
    const { words } = timeline.memory;
    if (words[Global.p2m_missing] === 0) return [];
    const counts = new Map<string, number>();
    for (const [, count, name] of structure(timeline.memory).leaves) {
      const [role] = name.split('#');
      counts.set(role!, (counts.get(role!) ?? 0) + count);
    }
    return falling([...counts]);
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    note(`note: no leaf populations: ${error.message}`);
    return undefined;
  }
}

function textOf({ events, sections, lostExchanges, times, hotPfns, hotLeaves, leaves }: Answer): string[] {
  const lines = [`events ${events}`];
  for (const [name, counts] of Object.entries(sections)) lines.push(...section(name, counts));
  if (lostExchanges > 0) lines.push(`lost exchanges ${lostExchanges}`);
  lines.push(...(times === undefined ? ['times: the log has none'] : timeLines(times)));
  lines.push(
    ...section(
      'hot pfns (stores)',
      hotPfns.map(([pfn, stores]) => [hex(pfn), stores]),
    ),
  );
  lines.push(
    ...section(
      'hot leaves (stores)',
      hotLeaves.map(([pfn, stores]) => [hex(pfn), stores]),
    ),
  );
  if (leaves !== undefined) lines.push(...section('leaves at the end', leaves));
  return lines;
}

function section(name: string, counts: Counts): string[] {
  if (counts.length === 0) return [];
  const width = Math.max(...counts.map(([what]) => what.length));
  const digits = Math.max(...counts.map(([, count]) => String(count).length));
  return [name, ...counts.map(([what, count]) => `  ${what.padEnd(width)}  ${String(count).padStart(digits)}`)];
}

const BAR = 40;

function timeLines({ clock, start, width, counts }: TimeHistogram): string[] {
  const most = Math.max(...counts);
  const digits = String(most).length;
  const span = CLOCKS[clock] === 'ns' ? `${timeText(clock, width)} s` : String(width);
  return [
    `operations over time, each line ${span}`,
    ...counts.map((count, i) => {
      const bar = '#'.repeat(Math.ceil((count * BAR) / most));
      return `  @${timeText(clock, Math.max(0, start + i * width))}  ${String(count).padStart(digits)}  ${bar}`.trimEnd();
    }),
  ];
}

function jsonOf({ events, sections, lostExchanges, times, hotPfns, hotLeaves, leaves }: Answer): object {
  const hot = ([pfn, stores]: readonly [number, number]): object => ({ pfn, stores });
  const { tasks, ...others } = sections;
  return {
    events,
    ...Object.fromEntries(Object.entries(others).map(([name, counts]) => [name, Object.fromEntries(counts)])),
    tasks: tasks!.map(([task, operations]) => ({ task, operations })),
    lostExchanges,
    times:
      times === undefined
        ? null
        : { clock: CLOCKS[times.clock], start: times.start, width: times.width, operations: times.counts },
    hotPfns: hotPfns.map(hot),
    hotLeaves: hotLeaves.map(hot),
    leaves: leaves === undefined ? null : Object.fromEntries(leaves),
  };
}
