import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { CPU_MAX, SegmentedLog, usageError, type EventBatch, type StoredLog } from '../events/index.js';
import {
  EventFilter,
  LoggedOperations,
  MfnConcern,
  PageRoles,
  parseKinds,
  parseMoment,
  PfnConcern,
  resolveMoment,
  resolveSince,
  type EventQuestion,
  type LogFacts,
} from '../replay/index.js';
import { geometryByName } from '../src/index.js';
import { noteEnd } from './log_end.js';
import { keptFactsOf } from './log_index.js';
import { JsonLines, LogLines, OneLines, type EventText } from './log_text.js';
import { parseNumber, parsePfns } from './numbers.js';
import { addLogOptions, type LogOptions } from './log_options.js';
import { print } from './output.js';
import { openStoredLog } from './stored_log.js';

interface QuestionOptions extends LogOptions {
  readonly pfn?: string;
  readonly mfn?: string;
  readonly cpu?: string;
  readonly task?: string;
  readonly op?: string;
  readonly since?: string;
  readonly until?: string;
  readonly follow?: boolean;
  readonly oneline?: boolean;
  readonly json?: boolean;
}

/** Frames are below what the kernel can store beside the two indicator bits. */
const MFN_END = Number.MAX_SAFE_INTEGER;

/** A log that grows is looked at so often. */
const FOLLOW_MS = 100;

/** `p2m log LOG`: what happened. */
export function addLog(program: Command): void {
  const command = program
    .command('log')
    .description('what happened: the events of a log, each under its operation')
    .argument('<log>', 'a log, or a recording; - for stdin')
    .option('--pfn <range>', 'events that concern a pfn, or one of a range A-B')
    .option('--mfn <m>', 'events that name a machine frame, own or foreign')
    .option('--cpu <list>', 'events of these CPUs: 0,2-3')
    .option('--task <task>', 'events of operations of a task: its name, its pid, or NAME-PID')
    .option(
      '--op <kinds>',
      'kinds of events (set_entry), or operations with all their events (set_phys_to_machine): A,B',
    )
    .option('--since <moment>', 'from here on: an event, 12.345s from the start, @87.520279 of the trace')
    .option('--until <moment>', 'up to here, included')
    .option('-f, --follow', 'go on while the log grows, until its writer closes it (a binary log)')
    .option('--oneline', 'a line an event, in columns')
    .option('--json', 'a line of JSON an event: {"event": {...}, "operation": {...}}');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
An event is shown where it passes all options. Columns of --oneline: number, time, CPU, task, number of the operation, its
name, kind of event, the event; - is what the log does not say.

Examples:
  p2m log run.p2mlog --pfn 0x40500
  p2m log run.p2mlog --op set_entry,set_pte --since @87.520279 --oneline
  p2m log run.p2mlog --task balloon-42 --json | jq .event.kind
  p2m log run --follow --oneline`,
    )
    .action(async (path: string, options: QuestionOptions) => {
      const log = await openStoredLog(path, options);
      if (options.follow === true) checkFollows(log);
      const told = new ToldLog(log, options, keptFactsOf(log, path));
      told.go();
      if (options.follow === true) await follow(log, told);
      noteEnd(log);
    });
}

/** Tells of what is there, and each time of what has come since. */
class ToldLog {
  readonly #log: StoredLog;
  readonly #filter: EventFilter;
  readonly #facts: LogFacts | undefined;
  #operations = new LoggedOperations();
  readonly #roles: PageRoles;
  readonly #text: EventText;
  readonly #start: number;
  /** Events from here on are not told; `Infinity`: all are. */
  readonly #end: number;
  #block = 0;

  /** @param facts what an index of the log knows of its blocks: those that have nothing to tell are left out */
  constructor(log: StoredLog, options: QuestionOptions, facts?: LogFacts) {
    const { since, until } = options;
    this.#log = log;
    this.#facts = facts;
    this.#filter = new EventFilter(question(log, options));
    this.#roles = new PageRoles(log.header);
    this.#text = textOf(log, this.#roles, options);
    this.#start = since === undefined ? 0 : resolveSince(log, parseMoment(since), facts);
    this.#end = until === undefined ? Infinity : resolveMoment(log, parseMoment(until), facts);
  }

  /** Whether nothing that may come is told. */
  get isOver(): boolean {
    return this.#log.events >= this.#end;
  }

  /** Tells of what was not told yet. */
  go(): void {
    const log = this.#log;
    for (; this.#block < log.blocks && log.seqOf(this.#block) < this.#end; this.#block++) {
      this.#skip();
      if (this.#block === log.blocks || log.seqOf(this.#block) >= this.#end) break;
      const lines = this.#linesOf(log.read(this.#block), log.seqOf(this.#block));
      if (lines.length > 0) print(lines.join('\n'));
    }
  }

  /** Leaves the blocks out that have nothing to tell. */
  #skip(): void {
    const facts = this.#facts;
    if (facts === undefined) return;
    const first = this.#block;
    let block = first;
    while (block < facts.blocks && !this.#mayTell(facts, block)) block++;
    if (block === first) return;
    for (const granted of facts.grants(first, block)) this.#roles.grant(granted);
    this.#operations = new LoggedOperations();
    facts.tellBefore(block, (batch, i, seq) => this.#operations.note(batch, i, seq));
    this.#block = block;
  }

  #mayTell(facts: LogFacts, block: number): boolean {
    return this.#log.seqOf(block + 1) > this.#start && this.#filter.mayPass(facts, block);
  }

  #linesOf(batch: EventBatch, first: number): string[] {
    const rows = Math.min(batch.length, this.#end - first);
    const lines: string[] = [];
    for (let i = 0; i < rows; i++) {
      this.#roles.note(batch, i);
      const operation = this.#operations.note(batch, i, first + i);
      if (first + i < this.#start || !this.#filter.passes(batch, i, operation)) continue;
      lines.push(...this.#text.of(batch, i, first + i, operation));
    }
    return lines;
  }
}

function checkFollows(log: StoredLog): void {
  if (log instanceof SegmentedLog) return;
  throw usageError('only a binary log can be followed', {
    got: log.name,
    expected: 'a .p2mlog file or a log folder',
  });
}

/** Tells of what its writer appends, until that closes the log. A torn end is the writer in the middle of a block. */
async function follow(log: StoredLog, told: ToldLog): Promise<void> {
  while (log.end.kind !== 'closed' && !told.isOver) {
    await sleep(FOLLOW_MS);
    if (log.refresh()) told.go();
  }
}

function textOf(log: StoredLog, roles: PageRoles, { oneline, json }: QuestionOptions): EventText {
  if (json === true && oneline === true) throw usageError('--json and --oneline', { expected: 'one of them' });
  if (json === true) return new JsonLines(log.codec);
  const roleOf = (page: number): number => roles.of(page);
  return oneline === true ? new OneLines(log.codec, roleOf) : new LogLines(log.codec, roleOf);
}

function question(log: StoredLog, { pfn, mfn, cpu, task, op }: QuestionOptions): EventQuestion {
  const { pfnEnd } = geometryByName(log.header.geometry);
  const pfns = pfn === undefined ? undefined : parsePfns(pfn, pfnEnd);
  return {
    ...(pfns === undefined ? {} : { pfns: new PfnConcern(log.header, pfns.pfnStart, pfns.pfnEnd) }),
    ...(mfn === undefined ? {} : { mfn: new MfnConcern(log.codec, parseNumber(mfn, 'mfn', MFN_END)) }),
    ...(cpu === undefined ? {} : { cpus: parseCpus(cpu) }),
    ...(task === undefined ? {} : { task }),
    ...(op === undefined ? {} : { of: parseKinds(op) }),
  };
}

/** CPUs as Linux lists them: `0,2-3`, both ends included. */
function parseCpus(text: string): Set<number> {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last] = part.split('-', 2).map((number) => parseNumber(number, 'CPU', CPU_MAX + 1));
    if ((last ?? first!) < first!)
      throw usageError('reversed range of CPUs', { got: part, expected: 'A-B, A at most B' });
    for (let cpu = first!; cpu <= (last ?? first!); cpu++) cpus.add(cpu);
  }
  return cpus;
}
