import type { Command } from 'commander';
import { fieldsOf, kindAt, KINDS, usageError, viewEvent, type EventBatch, type StoredLog } from '../events/index.js';
import {
  EventWords,
  innerFunctions,
  loggedOperationOf,
  nextOf,
  PageRoles,
  PfnConcern,
  previousOf,
  type LoggedOperation,
} from '../replay/index.js';
import { formByKernel } from '../src/index.js';
import { colors } from './colors.js';
import { noteEnd } from './log_end.js';
import { callWords, factsOf, operationJson } from './log_text.js';
import { hex, parseNumber } from './numbers.js';
import { addLogOptions, type LogOptions } from './log_options.js';
import { print } from './output.js';
import { openStoredLog } from './stored_log.js';

interface ShowOptions extends LogOptions {
  readonly json?: boolean;
}

/** `p2m show LOG SEQ`: one event. */
export function addShow(program: Command): void {
  const command = program
    .command('show')
    .description('one event of a log: what it changed, and the chain of causes up to its call')
    .argument('<log>', 'a log, or a recording; - for stdin')
    .argument('<seq>', 'number of the event')
    .option('--json', 'one JSON object instead of text');
  addLogOptions(command)
    .addHelpText('after', '\nExample:\n  p2m show run.p2mlog 4789')
    .action(async (path: string, seq: string, options: ShowOptions) => {
      const log = await openStoredLog(path, options);
      show(log, parseSeq(log, seq), options.json === true);
      noteEnd(log);
    });
}

function parseSeq(log: StoredLog, text: string): number {
  const seq = parseNumber(text, 'event', Number.MAX_SAFE_INTEGER);
  if (seq < log.events) return seq;
  const expected = log.events === 0 ? 'an event, but there are none' : `at most ${log.events - 1}`;
  throw usageError(`no such event in ${log.name}`, { got: text, expected });
}

/** An event with its row. */
interface Shown {
  readonly log: StoredLog;
  readonly seq: number;
  readonly batch: EventBatch;
  readonly i: number;
  readonly operation: LoggedOperation | undefined;
  /** The functions of the kernel between event and operation. */
  readonly inner: readonly string[];
  readonly neighbours: Neighbours | undefined;
}

/** The events before and after that change what the pfn of the event leads to; -1 where there is none. */
interface Neighbours {
  readonly pfn: number;
  readonly previous: number;
  readonly next: number;
}

function show(log: StoredLog, seq: number, json: boolean): void {
  const block = log.blockOf(seq);
  const batch = log.read(block);
  const i = seq - log.seqOf(block);
  const operation = loggedOperationOf(log, seq);
  const form = formByKernel(log.header.kernel);
  const inner = operation?.call === undefined ? [] : innerFunctions(batch, i, operation.call.operation, form);
  const shown = { log, seq, batch, i, operation, inner, neighbours: neighboursOf(log, seq, batch, i) };
  if (json) print(JSON.stringify(jsonOf(shown), null, 2));
  else for (const line of textOf(shown)) print(line);
}

function neighboursOf(log: StoredLog, seq: number, batch: EventBatch, i: number): Neighbours | undefined {
  const field = fieldsOf(kindAt(batch, i)).find(({ name }) => name === 'pfn' || name === 'pfnStart');
  if (field === undefined) return undefined;
  const upper = field.type === 'pfn64' ? batch.column(field.column + 1)[i]! : 0;
  const pfn = upper * 2 ** 32 + (batch.column(field.column)[i]! >>> 0);
  const concern = new PfnConcern(log.header, pfn, pfn + 1);
  return { pfn, previous: previousOf(log, seq, concern), next: nextOf(log, seq, concern) };
}

function jsonOf({ log, seq, batch, i, operation, inner, neighbours }: Shown): object {
  return {
    event: viewEvent(batch, i, log.codec, seq),
    inside: inner,
    operation: operationJson(operation, log.codec),
    ...(neighbours === undefined
      ? {}
      : { pfn: neighbours.pfn, previous: seqJson(neighbours.previous), next: seqJson(neighbours.next) }),
  };
}

function seqJson(seq: number): number | null {
  return seq < 0 ? null : seq;
}

function textOf({ log, seq, batch, i, operation, inner, neighbours }: Shown): string[] {
  const words = new EventWords(log.codec, rolesOf(log));
  const lines = [colors.yellow(`event ${seq} ${kindAt(batch, i)} ${words.of(batch, i)}`)];
  lines.push(row('means', KINDS[kindAt(batch, i)].doc));
  lines.push(...fieldLines(log, seq, batch, i));
  for (const name of inner) lines.push(row('in', name));
  if (operation?.call !== undefined) lines.push(row('in', `op ${operation.op} ${callWords(words, operation)}`));
  else lines.push(row('in', operation === undefined ? 'no operation' : `op ${operation.op}, whose call the log lacks`));
  lines.push(row('of', factsOf(operation, batch.cpu[i]!).join(', ')));
  if (neighbours !== undefined) {
    lines.push(row('before it', neighbour(log, words, neighbours.previous, neighbours.pfn)));
    lines.push(row('after it', neighbour(log, words, neighbours.next, neighbours.pfn)));
  }
  return lines;
}

function fieldLines(log: StoredLog, seq: number, batch: EventBatch, i: number): string[] {
  const event: Readonly<Record<string, unknown>> = viewEvent(batch, i, log.codec, seq);
  const fields = fieldsOf(kindAt(batch, i)).map(({ name }) => `${name} ${shortened(event[name])}`);
  return fields.length === 0 ? [] : [row('fields', fields.join(', '))];
}

const SHOWN_MAX = 100;

function shortened(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}... (all with --json)` : text;
}

function neighbour(log: StoredLog, words: EventWords, seq: number, pfn: number): string {
  if (seq < 0) return `nothing changed what pfn ${hex(pfn)} leads to`;
  const block = log.blockOf(seq);
  const batch = log.read(block);
  const i = seq - log.seqOf(block);
  return `event ${seq} ${kindAt(batch, i)} ${words.of(batch, i)}`;
}

/** What every page of the log was given out for. */
function rolesOf(log: StoredLog): (page: number) => number {
  const roles = new PageRoles(log.header);
  for (let block = 0; block < log.blocks; block++) {
    const batch = log.read(block);
    for (let i = 0; i < batch.length; i++) roles.note(batch, i);
  }
  return (page) => roles.of(page);
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(10)}${text}`;
}
