import type { Command } from 'commander';
import { Global, GLOBALS, inputError, usageError, type StoredLog } from '../events/index.js';
import { leafKinds, listEnd, listRuns, listStands, parseMoment, resolveMoment } from '../replay/index.js';
import { debugfsDump, isTree, structure, type Memory } from '../src/index.js';
import { entryText, leafKindsText, runsText } from './list_text.js';
import { momentText } from './moment_text.js';
import { parseRange } from './numbers.js';
import { note, print } from './output.js';
import { keptFactsOf, timelineTo } from './log_index.js';
import { addLogOptions, openStoredLog, type LogOptions } from './stored_log.js';
import { tableLines, treeLines } from './structure_text.js';

interface AtCliOptions extends LogOptions {
  readonly pfn?: string;
  readonly format: string;
  readonly json?: boolean;
}

interface Window {
  readonly pfnStart: number;
  readonly pfnEnd: number;
}

/** How a list is printed, by the name of the format. */
const FORMATS: Readonly<Record<string, (memory: Memory, window: Window) => Iterable<string>>> = {
  runs: (memory, { pfnStart, pfnEnd }) => [
    ...runsText(memory, pfnStart, pfnEnd),
    ...leafKindsText(memory, pfnStart, pfnEnd),
  ],
  debugfs: (memory) => debugfsDump(memory),
  tree: (memory) => [...tableLines(memory), ...treeLines(memory)],
};

/** `p2m at LOG X`: the list, its page tables and the tools' tree at a moment. */
export function addAt(program: Command): void {
  const command = program
    .command('at')
    .description('the list, its page tables and the mfn tree at a moment of a log')
    .argument('<log>', 'event log')
    .argument('<moment>', 'N (right after event N), 12.345s, @TIMESTAMP, start or end')
    .option('--pfn <range>', 'pfns A-B, B not included (runs); default: the whole list')
    .option('--format <name>', 'runs, debugfs or tree', 'runs')
    .option('--json', 'one JSON object instead of text');
  addLogOptions(command)
    .addHelpText(
      'after',
      `
runs     the words as a recording's p2m-NAME.runs.txt has them; then, behind '#', the leaves and PT pages as its .pt.txt:
         which are the kernel's own and which are shared. What the list holds: a shared identity page reads invalid.
debugfs  the text of /sys/kernel/debug/xen/mmu/p2m
tree     PMD slots, PT pages and leaves, p2m_top_mfn, its mid pages and leaves, by name
Exit: 0 ok, 2 usage, 3 bad input, or no list that stands at this moment.

Examples:
  p2m at run.p2mlog end --format debugfs
  p2m at run.p2mlog 4798 --pfn 0x40500-0x40600`,
    )
    .action(async (path: string, moment: string, options: AtCliOptions) => {
      process.exitCode = await run(path, moment, options);
    });
}

async function run(path: string, text: string, options: AtCliOptions): Promise<number> {
  const format = Object.hasOwn(FORMATS, options.format) ? FORMATS[options.format] : undefined;
  if (format === undefined) {
    throw usageError('unknown format', { got: JSON.stringify(options.format), expected: 'runs, debugfs or tree' });
  }
  if (options.pfn !== undefined && options.format !== 'runs') {
    throw usageError('--pfn is of runs', { got: `--format ${options.format}`, expected: '--format runs' });
  }
  const wanted = parseMoment(text);
  const log = await openStoredLog(path, options);
  const moment = resolveMoment(log, wanted, keptFactsOf(log, path));
  const { memory } = timelineTo(log, path, moment);
  const window = options.pfn === undefined ? undefined : parseRange(options.pfn, 'pfn range', memory.layout.areaPfns);
  note(momentText(log, moment));
  if (!listStands(memory)) {
    throw inputError('no list stands at this moment', { file: path, got: text, expected: 'a moment behind the boot' });
  }
  const shown = window ?? { pfnStart: 0, pfnEnd: listEnd(memory) };
  if (options.json === true) print(JSON.stringify(jsonOf(log, moment, memory, shown), null, 2));
  else for (const line of format(memory, shown)) print(line);
  return 0;
}

/** All formats in one: entries in raw hexadecimal. */
function jsonOf(log: StoredLog, moment: number, memory: Memory, { pfnStart, pfnEnd }: Window): unknown {
  const { codec } = memory;
  const hexOf = (word: number): string => (entryText(codec, word) === 'fault' ? 'fault' : codec.toHex(word));
  const globals = GLOBALS.map((name, i) => [name, memory.words[i]!] as const).filter(([, value]) => value !== 0);
  return {
    moment,
    events: log.events,
    maxPfn: memory.words[Global['shared_info.max_pfn']],
    runs: listRuns(memory, pfnStart, pfnEnd).map((run) => ({ ...run, first: hexOf(run.first) })),
    pages: isTree(memory) ? [] : leafKinds(memory, pfnStart, pfnEnd),
    structure: structure(memory),
    globals: Object.fromEntries(globals),
  };
}
