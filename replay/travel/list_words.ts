import { Global } from '../../events/index.js';
import {
  entryRuns,
  isTree,
  leafAddress,
  LeafClass,
  leafClass,
  LIST_AREA,
  lookUp,
  runKind,
  type EntryRun,
  type Memory,
} from '../../src/index.js';
import { wordsOf } from './watched_value.js';

/** Runs that a summary shows. */
const SUMMARY_RUNS = 16;
/** Runs before and after the one that somebody asks for. */
const AROUND_RUNS = 3;
/** Entries in a line: of look-ups, and raw ones, which are 18 characters wide. */
const PER_LINE = 8;
const RAW_PER_LINE = 4;

const hex = (n: number): string => `0x${n.toString(16)}`;

/** The list as runs of look-ups: those around `pfn`, or the first of all. */
export function mapWords(memory: Memory, pfn?: number): string[] {
  const end = listEnd(memory);
  if (end === 0) return ['there is no list yet'];
  const runs = entryRuns(memory, 0, end);
  const at = pfn === undefined ? -1 : runs.findIndex(({ start, count }) => pfn < start + count);
  const head = `look-ups of [0x0, ${hex(end)}): ${plural(runs.length, 'run')}`;
  if (pfn !== undefined && at < 0)
    return [`${hex(pfn)} lies behind the list, ${end === 0 ? 'empty' : `[0x0, ${hex(end)})`}`];
  const first = at < 0 ? 0 : Math.max(0, at - AROUND_RUNS);
  const last = at < 0 ? Math.min(runs.length, SUMMARY_RUNS) : Math.min(runs.length, at + AROUND_RUNS + 1);
  const lines = runs.slice(first, last).map((run, i) => `${first + i === at ? '=>' : '  '} ${runWords(memory, run)}`);
  return [
    head,
    ...(first > 0 ? [`   ... ${first} more`] : []),
    ...lines,
    ...(last < runs.length ? [`   ... ${runs.length - last} more`] : []),
  ];
}

/** `count` look-ups from `pfn` on, some in a line; or the words that are stored, in hexadecimal. */
export function entryWords(memory: Memory, pfn: number, count: number, raw: boolean): string[] {
  const end = Math.min(pfn + count, memory.geometry.pfnEnd);
  const perLine = raw ? RAW_PER_LINE : PER_LINE;
  const lines: string[] = [];
  for (let start = pfn; start < end; start += perLine) {
    const words: string[] = [];
    for (let p = start; p < Math.min(start + perLine, end); p++)
      words.push(raw ? storedWord(memory, p) : lookUpWord(memory, p));
    lines.push(`${hex(start)}: ${words.join(' ')}`);
  }
  return lines;
}

/** All that there is to say of one pfn: its entry, and how a look-up gets there. */
export function pfnWords(memory: Memory, pfn: number): string[] {
  const word = lookUp(memory, pfn);
  const kind = runKind(memory, pfn, word);
  const lines = [`${hex(pfn)}: ${lookUpWord(memory, pfn)} (${kind})`];
  if (pfn >= listEnd(memory)) return [...lines, '  behind the end of the list'];
  lines.push(`  stored ${storedWord(memory, pfn)}`);
  if (isTree(memory)) return lines;
  if (memory.words[Global.xen_p2m_addr] !== LIST_AREA) return [...lines, "  in the domain builder's list"];
  const words = wordsOf(memory);
  return [...lines, `  pmd ${words.page(memory.linkedPtPage(pfn))}, pte ${words.pte(memory.pteOf(pfn))}`];
}

/** The end of the list: its entries, or of the old tree all that it spans up to xen_max_p2m_pfn. */
export function listEnd(memory: Memory): number {
  const { words, geometry } = memory;
  const size = isTree(memory) ? geometry.maxP2mPfn : words[Global.xen_p2m_size]!;
  return Math.min(size, words[Global.xen_max_p2m_pfn]! || size);
}

function runWords(memory: Memory, { start, count, kind, first }: EntryRun): string {
  const hasValue = kind !== 'missing' && kind !== 'identity' && kind !== 'fault';
  return `[${hex(start)}, ${hex(start + count)}) ${kind}${hasValue ? ` ${memory.codec.format(first)}` : ''}`;
}

function lookUpWord(memory: Memory, pfn: number): string {
  const word = lookUp(memory, pfn);
  return runKind(memory, pfn, word) === 'fault' ? 'fault' : memory.codec.format(word);
}

/** What is stored: a shared identity leaf holds INVALID, whatever a look-up answers. */
function storedWord(memory: Memory, pfn: number): string {
  const kind = leafClass(memory, pfn);
  if (kind === LeafClass.beyond) return 'beyond';
  if (kind === LeafClass.unmapped) return 'unmapped';
  return memory.codec.toHex(memory.words[leafAddress(memory, pfn)]!);
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
