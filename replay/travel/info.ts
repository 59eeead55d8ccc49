import { usageError } from '../../events/index.js';
import type { Stop } from './stop.js';
import type { Travel } from './travel.js';

type Told = (travel: Travel) => string[];

const stopLine = (stop: Stop): string => {
  const hits = stop.hits === 0 ? '' : `, hit ${stop.hits} time${stop.hits === 1 ? '' : 's'}`;
  if (stop.kind === 'break') return `breakpoint ${stop.id}: ${stop.name}${hits}`;
  return `watch ${stop.id}: ${stop.name} = ${stop.value.format(stop.value.read())}${hits}`;
};

const listOr = (lines: string[], none: string): string[] => (lines.length === 0 ? [none] : lines);

const TOPICS: Readonly<Record<string, Told>> = {
  watch: ({ stops }) => listOr(stops.all.map(stopLine), 'no watches, no breakpoints'),
  break: ({ stops }) => listOr(stops.all.map(stopLine), 'no watches, no breakpoints'),
  checkpoints: ({ checkpoints }) =>
    listOr(
      [...checkpoints].map(([id, at]) => `checkpoint ${id}: ${at === 0 ? 'start' : at - 1}`),
      'no checkpoints',
    ),
  ops: ({ causes, at }) => {
    const open = causes.calls
      .at(at)
      .map((call) => `${causes.operation(call)}, called by event ${call.call ?? '(next)'}`);
    return listOr(open, 'no operation is in the middle');
  },
  log: ({ log, timeline }) => {
    const { geometry, kernel, origin } = log.header;
    return [
      `${log.name}: ${log.events} events, ${log.end.kind}`,
      `Linux form ${kernel}, ${geometry}, ${timeline.memory.kind} memory${origin === undefined ? '' : `, made of ${origin}`}`,
    ];
  },
};

/** What `info` can be asked about. */
export const INFO_TOPICS: readonly string[] = Object.keys(TOPICS);

/** What answers of a topic, by its name or its beginning. @throws {P2mError} code `usage`: it is none, or several */
export function infoOf(name: string): Told {
  const found = INFO_TOPICS.filter((topic) => topic.startsWith(name));
  if (found.length !== 1) {
    throw usageError('no such topic', { got: JSON.stringify(name), expected: INFO_TOPICS.join(', ') });
  }
  return TOPICS[found[0]!]!;
}
