import { GLOBALS, KINDS, OPERATIONS, usageError, type GlobalName } from '../../events/index.js';
import { parseMoment, resolveMoment } from '../audit/moment.js';
import { numberOf, type Named, type TypedCommand } from './command_line.js';
import { INFO_TOPICS, infoOf } from './info.js';
import { entryWords, mapWords, pfnWords } from './list_words.js';
import { lockWords } from './lock_words.js';
import type { Pieces } from './pieces.js';
import type { Travel } from './travel.js';
import { globalText, watchedGlobal, watchedPfn, watchedPmd, watchedPte, type WatchedValue } from './watched_value.js';

/** A command of a journey through a log. */
export interface Command extends Named {
  readonly usage: string;
  readonly does: string;
  readonly args: readonly [least: number, most: number];
  /** Whether an empty line does it again: what marks or deletes is done once. */
  readonly repeats: boolean;
  /** What may stand behind it and the words that are there already. */
  completions?(words: readonly string[]): readonly string[];
  run(travel: Travel, typed: TypedCommand): string[] | Pieces<string[]>;
}

/** Counts are below this. */
const COUNT_END = 2 ** 31;
/** Entries that one command shows. */
const ENTRIES_END = 65_537;
/** Events that `list` shows before and after one. */
const LIST_AROUND = 5;
const WATCH_WORDS = ['pfn', 'pmd', 'pte', 'global', 'lock'];
const GLOBAL_NAMES = GLOBALS.slice(1);

/** All commands, in the order of `help`. */
export const COMMANDS: readonly Command[] = [
  move('next', ['n'], 'over operations: on until that of the next event has returned', (t, n) => t.next(n, true)),
  move(
    'previous',
    ['p', 'rn', 'reverse-next'],
    'back over operations: to before the call of that of the last event',
    (t, n) => t.next(n, false),
  ),
  move('step', ['s'], 'one event on, within an operation or not', (t, n) => t.step(n, true)),
  move('reverse-step', ['rs'], 'one event back', (t, n) => t.step(n, false)),
  move('continue', ['c'], 'on to a watch, a breakpoint or the end; past all but the last of N', (t, n) =>
    t.continue(n, true),
  ),
  move('reverse-continue', ['rc'], 'back to a watch, a breakpoint or the start', (t, n) => t.continue(n, false)),
  {
    ...plain('finish', [], '', 'on until the operation of the last event has returned', [0, 0], (t) => t.finish()),
    repeats: true,
  },
  {
    ...once(
      'goto',
      ['g'],
      'MOMENT',
      'to right after an event (4711), a time (12.345s, @87.52), start or end',
      [1, 1],
      (t, [text]) => t.jump(resolveMoment(t.log, parseMoment(text!), t.facts)),
    ),
    completions: (words) => (words.length === 0 ? ['start', 'end'] : []),
  },
  {
    ...once(
      'watch',
      ['wa'],
      '[pfn|pmd|pte] PFN | global NAME | lock',
      'stop where the value changes',
      [1, 2],
      (t, args) => {
        const { id, value } = t.stops.addWatch(watched(t, args));
        return [`watch ${id}: ${value.name} = ${value.format(value.read())}`];
      },
    ),
    completions: (words) => (words.length === 0 ? WATCH_WORDS : words[0] === 'global' ? GLOBAL_NAMES : []),
  },
  {
    ...once(
      'break',
      ['b'],
      'KIND|OPERATION',
      'stop at events of a kind, or where an operation is called',
      [1, 1],
      (t, [name]) => {
        const { id } = t.stops.addBreak(name!);
        return [`breakpoint ${id}: ${name!}`];
      },
    ),
    completions: (words) => (words.length === 0 ? [...Object.keys(KINDS), ...OPERATIONS.slice(1)] : []),
  },
  {
    ...once('delete', ['d'], '[N | checkpoint N]', 'a watch or breakpoint, all of them, a checkpoint', [0, 2], remove),
    completions: (words) => (words.length === 0 ? ['checkpoint'] : []),
  },
  once('reload', [], '', 'look for events that were appended since; c, n and s do at the end', [0, 0], reloadWords),
  once('checkpoint', [], '', 'mark the moment', [0, 0], (t) => [`checkpoint ${t.mark()}: ${t.place}`]),
  once('restart', [], 'N', 'back to a checkpoint', [1, 1], (t, [text]) => t.jump(marked(t, text!))),
  {
    ...again('info', ['i'], INFO_TOPICS.join('|'), 'what there is', [1, 1], (t, [topic]) => infoOf(topic!)(t)),
    completions: (words) => (words.length === 0 ? INFO_TOPICS : []),
  },
  again('when', [], '', 'the event, its operation, task, CPU and time', [0, 0], whenWords),
  again('backtrace', ['bt', 'where'], '', 'the chain of causes of the last event', [0, 0], (t) =>
    t.at === 0 ? t.here() : t.causes.chain(t.at - 1),
  ),
  again('list', [], '[N]', 'events around the moment, or around event N', [0, 1], listWords),
  again('map', ['m'], '[PFN]', 'the list as runs: its beginning, or around a pfn', [0, 1], (t, [text]) =>
    mapWords(t.timeline.memory, text === undefined ? undefined : pfnOf(t, text)),
  ),
  plain('lock', ['l'], '', 'who holds p2m_update_lock, and who may wait for it', [0, 0], (t) =>
    lockWords(t.timeline, t.causes),
  ),
  plain('x', [], '/N[w] [PFN]', 'N look-ups from a pfn on; w: the stored words', [0, 1], examine),
  {
    ...again('print', [], 'PFN|GLOBAL', 'a pfn with its page tables, or a word of the global state', [1, 1], printed),
    completions: (words) => (words.length === 0 ? GLOBAL_NAMES : []),
  },
];

type Lines = string[] | Pieces<string[]>;

function plain(
  name: string,
  aliases: readonly string[],
  usage: string,
  does: string,
  args: readonly [number, number],
  run: (travel: Travel, typed: TypedCommand) => Lines,
): Command {
  return { name, aliases, usage, does, args, repeats: true, run };
}

/** A command that an empty line repeats. */
function again(
  name: string,
  aliases: readonly string[],
  usage: string,
  does: string,
  args: readonly [number, number],
  run: (travel: Travel, args: readonly string[]) => Lines,
): Command {
  return {
    name,
    aliases,
    usage,
    does,
    args,
    repeats: true,
    run: (travel, typed) => run(travel, unformatted(typed).args),
  };
}

/** One that an empty line does not repeat. */
function once(...command: Parameters<typeof again>): Command {
  return { ...again(...command), repeats: false };
}

/** A move, which takes a count. */
function move(
  name: string,
  aliases: readonly string[],
  does: string,
  run: (travel: Travel, count: number) => Pieces<string[]>,
): Command {
  return again(name, aliases, '[N]', does, [0, 1], (travel, [text]) =>
    run(travel, text === undefined ? 1 : numberOf(text, 'count', COUNT_END, 1)),
  );
}

function unformatted(typed: TypedCommand): TypedCommand {
  if (typed.format !== '') throw usageError('only x takes a format', { got: `${typed.name}/${typed.format}` });
  return typed;
}

function pfnOf({ timeline }: Travel, text: string): number {
  return numberOf(text, 'pfn', timeline.memory.geometry.pfnEnd);
}

function watched(travel: Travel, args: readonly string[]): WatchedValue {
  const { memory, form } = travel.timeline;
  const [what, name] = args.length === 1 && args[0] !== 'lock' ? ['pfn', args[0]!] : [args[0]!, args[1]];
  if (what === 'lock' && name === undefined) return watchedGlobal(memory, 'p2m_update_lock');
  if (!WATCH_WORDS.includes(what) || what === 'lock' || name === undefined) {
    throw usageError('nothing to watch', {
      got: args.join(' '),
      expected: 'a pfn, pmd PFN, pte PFN, global NAME, lock',
    });
  }
  if (what === 'global') return watchedGlobal(memory, name);
  const pfn = pfnOf(travel, name);
  if (what === 'pfn') return watchedPfn(memory, pfn);
  if (form.structure === 'tree') {
    throw usageError('this kernel has no page tables for the list', { got: what, expected: 'a pfn' });
  }
  return what === 'pte' ? watchedPte(memory, pfn) : watchedPmd(memory, pfn);
}

function remove(travel: Travel, [what, number]: readonly string[]): string[] {
  if (what === undefined) {
    travel.stops.deleteAll();
    return ['all watches and breakpoints deleted'];
  }
  if ('checkpoint'.startsWith(what) && number !== undefined) {
    marked(travel, number);
    travel.checkpoints.delete(Number(number));
    return [`checkpoint ${Number(number)} deleted`];
  }
  if (number !== undefined)
    throw usageError('nothing to delete', { got: `${what} ${number}`, expected: 'N, or checkpoint N' });
  const id = numberOf(what, 'number', COUNT_END);
  travel.stops.delete(id);
  return [`${id} deleted`];
}

function marked({ checkpoints }: Travel, text: string): number {
  const moment = checkpoints.get(numberOf(text, 'checkpoint', COUNT_END));
  if (moment === undefined) {
    throw usageError('no such checkpoint', { got: text, expected: 'a number that `info checkpoints` lists' });
  }
  return moment;
}

function reloadWords(travel: Travel): string[] {
  const events = travel.reload();
  return [events === 0 ? 'nothing new' : `${events} more, up to event ${travel.log.events - 1}`];
}

function whenWords(travel: Travel): string[] {
  const { at, log, causes } = travel;
  if (at === 0) return [`${travel.here()[0]!}; it has ${log.events} events`];
  const seq = at - 1;
  const call = causes.calls.of(seq);
  const time = causes.time(seq);
  return [
    `right after event ${seq} of ${log.events}: ${causes.line(seq).replace(/^\d+ +/, '')}`,
    call === undefined ? 'no operation that the log has a call of' : causes.operation(call),
    time === undefined ? 'the log says no time of it' : `began at ${time}`,
  ];
}

function listWords(travel: Travel, [text]: readonly string[]): string[] {
  const { log, at, causes } = travel;
  if (log.events === 0) return ['the log has no events'];
  const middle = text === undefined ? at - 1 : numberOf(text, 'event', log.events);
  const first = Math.max(0, middle - LIST_AROUND);
  const last = Math.min(log.events - 1, middle + LIST_AROUND);
  const lines: string[] = [];
  for (let seq = first; seq <= last; seq++) lines.push(`${seq === at - 1 ? '=>' : '  '} ${causes.line(seq)}`);
  return lines;
}

function examine(travel: Travel, { format, args: [text] }: TypedCommand): string[] {
  const match = /^([0-9]*)(w?)$/.exec(format);
  if (match === null) throw usageError('bad format', { got: `x/${format}`, expected: 'x/8, or x/8w for stored words' });
  const count = match[1] === '' ? 1 : numberOf(match[1]!, 'count', ENTRIES_END, 1);
  const { pfnEnd } = travel.timeline.memory.geometry;
  const pfn = text === undefined ? Math.min(travel.shownTo, pfnEnd - 1) : pfnOf(travel, text);
  travel.shownTo = pfn + count;
  return entryWords(travel.timeline.memory, pfn, count, match[2] === 'w');
}

function printed(travel: Travel, [text]: readonly string[]): string[] {
  const { memory } = travel.timeline;
  const name = text === 'lock' ? 'p2m_update_lock' : text!;
  const index = GLOBALS.indexOf(name as GlobalName);
  if (index > 0) return [`${name} = ${globalText(index, memory.words[index]!)}`];
  if (!/^[0-9]/.test(name))
    throw usageError('nothing to print', { got: JSON.stringify(name), expected: 'a pfn, or the name of a global' });
  const pfn = pfnOf(travel, name);
  return pfnWords(memory, pfn);
}
