import type { FileSet } from './recordings.js';
import { RacedList, type Kind } from './racing_log.js';

/**
 * Recordings of logs written by hand, a line an event, such as
 *
 *     A set_phys_to_machine pfn=0x5 mfn=0x7          entry
 *     A set_phys_to_machine_ret ret=1                return
 *     B xen_mmu_set_pte pteval ... (raw ...)         a tracepoint
 *
 * The first word is the task. Line n is line n + WRITTEN_HEADER of the file.
 */
export const WRITTEN_HEADER = 4;

const TASKS: Readonly<Record<string, string>> = {
  A: '              gnt-71    [000]',
  B: '      xen-balloon-41    [001]',
  C: '          insmod-90     [002]',
  I: '           <idle>-0     [000]',
  J: '           <idle>-0     [001]',
};

/** The lines of a hand-written log as ftrace prints them. */
export function writtenLines(short: readonly string[]): string[] {
  return short.map((line, i) => {
    const [, task, event, args] = /^(\w) (\w+) ?(.*)$/.exec(line)!;
    const time = ((i + 1) / 1000).toFixed(6).padStart(12);
    const name = event!.replace(/_ret$/, '');
    const place = event!.startsWith('xen_mmu_')
      ? ''
      : event === name
        ? `(${name}+0x0/0x40) `
        : `(caller+0x14/0x40 <- ${name}) `;
    return `${TASKS[task!]!} ..... ${time}: ${event!}: ${place}${args!}`;
  });
}

/** What a hand-written recording starts from and ends in. */
export interface WrittenList {
  /** Kinds of its first leaves; the others are identity. */
  readonly kinds?: readonly Kind[];
  /** Words of private leaves; the others are INVALID. */
  readonly words?: ReadonlyMap<number, bigint>;
  /** Words that the list ends with, beside those; undefined: nothing is compared. */
  readonly after?: ReadonlyMap<number, bigint>;
  readonly kindsAfter?: readonly Kind[];
  readonly noDump?: boolean;
}

/** The recording folder of a hand-written log. */
export function writtenRecording(short: readonly string[], list: WrittenList = {}): FileSet {
  const { kinds = ['own', 'missing', 'identity'], words = new Map<number, bigint>(), after, noDump = false } = list;
  const start = new RacedList(kinds, words);
  const end = new RacedList(list.kindsAfter ?? kinds, new Map([...words, ...(after ?? [])]));
  const lines = writtenLines(short);
  const n = lines.length;
  const header = ['# tracer: nop', '#', `# entries-in-buffer/entries-written: ${n}/${n}   #P:4`, '#'];
  const step = { from: noDump ? null : 'before', log: 'trace.txt', to: after === undefined ? null : 'after' };
  return new Map([
    ...start.dump('before'),
    ...end.dump('after'),
    ['replay.json', bytesOf(JSON.stringify({ kernel: '6.1', steps: [step] }))],
    ['trace.txt', bytesOf(`${[...header, ...lines].join('\n')}\n`)],
  ]);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
