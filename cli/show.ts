import type { Command } from 'commander';
import {
  fieldsOf,
  kindAt,
  KINDS,
  P2mError,
  Role,
  usageError,
  viewEvent,
  type EventBatch,
  type StoredLog,
} from '../events/index.js';
import {
  EntryHistory,
  eventEffect,
  EventWords,
  innerFunctions,
  loggedOperationOf,
  storedText,
  Timeline,
  type EventEffect,
  type LoggedOperation,
  type LookUpEffect,
} from '../replay/index.js';
import { formByKernel, NO_PAGE, type Memory } from '../src/index.js';
import { colors } from './colors.js';
import { noteEnd } from './log_end.js';
import { builtIndexOf, indexOf } from './log_index.js';
import { callWords, factsOf, operationJson } from './log_text.js';
import { hex, parseNumber } from './numbers.js';
import { addLogOptions, type LogOptions } from './log_options.js';
import { note, print } from './output.js';
import { openStoredLog } from './stored_log.js';
import { runsJson, valueText } from './value_text.js';

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
      show(log, path, parseSeq(log, seq), options.json === true);
      noteEnd(log);
    });
}

function parseSeq(log: StoredLog, text: string): number {
  const seq = parseNumber(text, 'event', Number.MAX_SAFE_INTEGER);
  if (seq < log.events) return seq;
  const expected = log.events === 0 ? 'an event, but there are none' : `at most ${log.events - 1}`;
  throw usageError(`no such event in ${log.name}`, { got: text, expected });
}

/** An event with its row, and what is known of it. */
interface Shown {
  readonly log: StoredLog;
  readonly seq: number;
  readonly batch: EventBatch;
  readonly i: number;
  readonly operation: LoggedOperation | undefined;
  /** The functions of the kernel between event and operation. */
  readonly inner: readonly string[];
  /** Undefined where the log cannot be played. */
  readonly played: Played | undefined;
}

/** What playing the log tells of an event. */
interface Played {
  readonly effect: EventEffect;
  /** Undefined where the event names no pfn. */
  readonly neighbours: Neighbours | undefined;
  /** Behind all the events that are told of: pages keep what they are. */
  readonly memory: Memory;
}

/** The events before and after that changed what a look-up of the pfn of the event answers; -1 where there is none. */
interface Neighbours {
  readonly pfn: number;
  readonly previous: number;
  readonly next: number;
}

function show(log: StoredLog, path: string, seq: number, json: boolean): void {
  const [batch, i] = rowOf(log, seq);
  const operation = loggedOperationOf(log, seq);
  const form = formByKernel(log.header.kernel);
  const inner = operation?.call === undefined ? [] : innerFunctions(batch, i, operation.call.operation, form);
  const shown = { log, seq, batch, i, operation, inner, played: play(log, path, seq) };
  if (json) print(JSON.stringify(jsonOf(shown), null, 2));
  else for (const line of textOf(shown)) print(line);
}

function rowOf(log: StoredLog, seq: number): [batch: EventBatch, i: number] {
  const block = log.blockOf(seq);
  return [log.read(block), seq - log.seqOf(block)];
}

function play(log: StoredLog, path: string, seq: number): Played | undefined {
  try {
    const timeline = new Timeline(log, 'paged', builtIndexOf(log, path));
    const effect = eventEffect(timeline, seq);
    const neighbours = neighboursOf(log, path, seq);
    if (neighbours !== undefined && neighbours.next >= 0) timeline.goTo(neighbours.next + 1);
    return { effect, neighbours, memory: timeline.memory };
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    note(`note: no before and after: ${error.message}`);
    return undefined;
  }
}

function neighboursOf(log: StoredLog, path: string, seq: number): Neighbours | undefined {
  const [batch, i] = rowOf(log, seq);
  const field = fieldsOf(kindAt(batch, i)).find(({ name }) => name === 'pfn' || name === 'pfnStart');
  if (field === undefined) return undefined;
  const upper = field.type === 'pfn64' ? batch.column(field.column + 1)[i]! : 0;
  const pfn = upper * 2 ** 32 + (batch.column(field.column)[i]! >>> 0);
  const history = new EntryHistory(log, indexOf(log, path));
  const next = history.eventsOf(pfn).find((event) => event > seq) ?? -1;
  return { pfn, previous: history.setBy(pfn, seq), next };
}

function jsonOf({ log, seq, batch, i, operation, inner, played }: Shown): object {
  return {
    event: viewEvent(batch, i, log.codec, seq),
    inside: inner,
    operation: operationJson(operation, log.codec),
    lookUps: played === undefined ? null : played.effect.lookUps.map((effect) => lookUpJson(log, effect)),
    ...(played?.neighbours === undefined ? {} : neighboursJson(played.neighbours)),
  };
}

function lookUpJson({ codec }: StoredLog, { pfnStart, pfnEnd, before, after }: LookUpEffect): object {
  return { pfnStart, pfnEnd, before: runsJson(codec, before), after: runsJson(codec, after) };
}

function neighboursJson({ pfn, previous, next }: Neighbours): object {
  return { pfn, previous: previous < 0 ? null : previous, next: next < 0 ? null : next };
}

function textOf({ log, seq, batch, i, operation, inner, played }: Shown): string[] {
  const words = new EventWords(log.codec, (page) => roleOf(played?.memory, page));
  const lines = [colors.yellow(eventText(words, log, seq))];
  lines.push(row('means', KINDS[kindAt(batch, i)].doc));
  lines.push(...fieldLines(log, seq, batch, i));
  for (const name of inner) lines.push(row('in', name));
  if (operation?.call !== undefined) lines.push(row('in', `op ${operation.op} ${callWords(words, operation)}`));
  else lines.push(row('in', operation === undefined ? 'no operation' : `op ${operation.op}, whose call the log lacks`));
  lines.push(row('of', factsOf(operation, batch.cpu[i]!).join(', ')));
  if (played !== undefined) lines.push(...playedLines(log, words, batch.kind[i]!, played));
  return lines;
}

function roleOf(memory: Memory | undefined, page: number): number {
  return memory === undefined || page <= NO_PAGE || page >= memory.layout.pageEnd ? Role.none : memory.role(page);
}

/** `event 4711 set_entry 0x402 m:10 -> m:77 in private leaf 31`. */
function eventText(words: EventWords, log: StoredLog, seq: number): string {
  const [batch, i] = rowOf(log, seq);
  return `event ${seq} ${kindAt(batch, i)} ${words.of(batch, i)}`.trimEnd();
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

/** Spans of pfns that are told; --json has all. */
const SPANS_TOLD = 3;

function playedLines(log: StoredLog, words: EventWords, kind: number, { effect, neighbours }: Played): string[] {
  const { word, lookUps } = effect;
  const lines: string[] = [];
  if (word !== undefined) {
    lines.push(row('before', storedText(words, kind, word.before)), row('after', storedText(words, kind, word.after)));
  }
  for (const effect of lookUps.slice(0, SPANS_TOLD)) lines.push(row('look-ups', lookUpText(log, effect)));
  if (lookUps.length > SPANS_TOLD) lines.push(row('look-ups', `of ${lookUps.length - SPANS_TOLD} more ranges`));
  if (lookUps.length === 0 && isEntry(kind)) lines.push(row('look-ups', 'none goes through it'));
  if (neighbours === undefined) return lines;
  const { pfn, previous, next } = neighbours;
  const nothing = `nothing changed what look-ups of ${hex(pfn)} answer`;
  lines.push(row('set before', previous < 0 ? nothing : eventText(words, log, previous)));
  lines.push(row('set after', next < 0 ? nothing : eventText(words, log, next)));
  return lines;
}

function isEntry(kind: number): boolean {
  return kind === KINDS.set_entry.id || kind === KINDS.set_pte.id;
}

/** `0x402: m:10 -> m:77`; where they answer the same, `0x400-0x600: ~, as before`. */
function lookUpText({ codec }: StoredLog, { pfnStart, pfnEnd, before, after }: LookUpEffect): string {
  const pfns = pfnEnd === pfnStart + 1 ? hex(pfnStart) : `${hex(pfnStart)}-${hex(pfnEnd)}`;
  const isSame = JSON.stringify(before) === JSON.stringify(after);
  const was = valueText(codec, before);
  return `${pfns}: ${isSame ? `${was}, as before` : `${was} -> ${valueText(codec, after)}`}`;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(11)}${text}`;
}
