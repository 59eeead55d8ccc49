import { Global, GLOBALS, usageError } from '../events/index.js';
import {
  debugfsDump,
  digests,
  entryRuns,
  isTree,
  ptePage,
  structure,
  type EntryRun,
  type NameRun,
} from '../src/index.js';
import { hex, parseNumber, parseRange } from './numbers.js';
import type { Reply, Session } from './session.js';
import { tableLines, treeLines } from './structure_text.js';

/** An operation of a session by hand. */
export interface Verb {
  /** Arguments, as --help shows them. */
  readonly usage: string;
  readonly does: string;
  readonly args: readonly [least: number, most: number];
  run(session: Session, args: readonly string[]): Reply;
}

/** A half-open range of pfns as somebody wrote it. @throws P2mError where it is none of the geometry's. */
export const rangeOf = (s: Session, text: string): { pfnStart: number; pfnEnd: number } =>
  parseRange(text, 'pfn range', s.domain.geometry.pfnEnd);

/** The operations that only look, by name, in the order of --help. */
export const INSPECTIONS: Readonly<Record<string, Verb>> = {
  tools: {
    usage: '',
    does: "what Xen's tools read: leaves through p2m_cr3 (or the tree), with the generation",
    args: [0, 0],
    run: (s) => {
      const { memory } = s.domain;
      const outcome = s.run('read_p2m_cr3', s.domain.machines.readP2mCr3, 0);
      const pages = s.domain.takeEmitted();
      const maxPfn = s.domain.global(Global['shared_info.max_pfn']);
      const reply = s.reply(outcome, (leaves) => (leaves < 0 ? 'unreadable' : { maxPfn, leaves }));
      if (typeof reply.result !== 'object' || reply.violated === true) return reply;
      const text = `max_pfn ${hex(maxPfn)}: ${pages.length} leaves`;
      if (isTree(memory)) return { ...reply, text };
      const { perPage } = memory.geometry;
      const wrong = pages.filter((page, leaf) => page !== ptePage(memory.pteOf(leaf * perPage))).length;
      const behind = privatePages(structure(memory).leaves, Math.ceil(maxPfn / perPage));
      return {
        result: { ...reply.result, wrong, behind },
        text:
          `${text}, ${wrong === 0 ? 'as the list has them' : `${wrong} of them NOT what the list has`}` +
          (behind === 0 ? '' : `; private leaves behind max_pfn: ${behind}, NOT seen`),
      };
    },
  },
  dump: {
    usage: '[A-B]',
    does: 'look-ups as runs',
    args: [0, 1],
    run: (s, [text]) => {
      const { pfnStart, pfnEnd } = windowOf(s, text);
      const runs = entryRuns(s.domain.memory, pfnStart, pfnEnd);
      return {
        result: runs.map((run) => [
          run.start,
          run.count,
          run.kind,
          ...(hasValue(run) ? [s.codec.format(run.first)] : []),
        ]),
        text: `${runs.length} runs`,
        lines: runs.map((run) => runLine(s, run)),
      };
    },
  },
  debugfs: {
    usage: '',
    does: 'the text of debugfs xen/mmu/p2m',
    args: [0, 0],
    run: (s) => {
      const lines = [...debugfsDump(s.domain.memory)];
      return { result: lines, text: `${lines.length} lines`, lines };
    },
  },
  digest: {
    usage: '[A-B]',
    does: 'digests of look-ups and of stored words, as in the vectors',
    args: [0, 1],
    run: (s, [text]) => {
      const { pfnStart, pfnEnd } = windowOf(s, text);
      const result = digests(s.domain.memory, pfnStart, pfnEnd);
      return { result, text: `look-ups ${result.lookup}, words ${result.raw}` };
    },
  },
  size: {
    usage: '',
    does: 'what the list takes: addresses, and pages that are not shared',
    args: [0, 0],
    run: (s) => {
      const { memory, geometry } = s.domain;
      const { ptePages, leaves } = structure(memory);
      const result = { privateLeaves: privatePages(leaves), privateTables: privatePages(ptePages) };
      if (isTree(memory)) {
        return { result, text: `private leaves ${result.privateLeaves}, private mid pages ${result.privateTables}` };
      }
      const entries = s.domain.global(Global.xen_p2m_size);
      const entryBytes = geometry.entryBits / 8;
      return {
        result: { entries, entryBytes, ...result },
        text:
          `${hex(entries)} entries of ${entryBytes} bytes are ${bytesText(entries * entryBytes)} of addresses; ` +
          `private leaves ${result.privateLeaves}, private PT pages ${result.privateTables}`,
      };
    },
  },
  tables: {
    usage: '',
    does: 'PT pages (up to 3.18: mid pages) and leaves by name',
    args: [0, 0],
    run: (s) => {
      const { ptePages, leaves, sharedIntact } = structure(s.domain.memory);
      return {
        result: { ptePages, leaves, sharedIntact },
        text: `shared pages ${sharedIntact ? 'intact' : 'WRITTEN'}`,
        lines: tableLines(s.domain.memory),
      };
    },
  },
  tree: {
    usage: '',
    does: "the tools' tree by name",
    args: [0, 0],
    run: (s) => {
      const { top, mids, topP } = structure(s.domain.memory);
      if (top === undefined) return { result: null, text: 'no tree' };
      return {
        result: { top, mids, ...(topP === undefined ? {} : { topP }) },
        text: topP === undefined ? 'p2m_top_mfn = p2m_top_mfn_p' : 'p2m_top_mfn and p2m_top_mfn_p DIFFER',
        lines: treeLines(s.domain.memory),
      };
    },
  },
  state: {
    usage: '',
    does: 'the global state',
    args: [0, 0],
    run: (s) => {
      const set = GLOBALS.map((name, i) => [name, s.domain.global(i)] as const).filter(([, value]) => value !== 0);
      return {
        result: Object.fromEntries(set),
        text: `${set.length} globals that are not 0`,
        lines: set.map(([name, value]) => `  ${name} = ${value < 0 ? value : hex(value)}`),
      };
    },
  },
  events: {
    usage: '[N]',
    does: 'the last N events, or all since the boot began',
    args: [0, 1],
    run: (s, [n]) => {
      s.domain.flush();
      const from = n === undefined ? 0 : Math.max(0, s.log.length - parseNumber(n, 'count', 2 ** 31));
      const lines = s.events(from);
      return { result: lines, text: `${s.log.length} events`, lines };
    },
  },
};

function windowOf(s: Session, text: string | undefined): { pfnStart: number; pfnEnd: number } {
  if (text === undefined) return { pfnStart: 0, pfnEnd: s.domain.global(Global.xen_max_p2m_pfn) };
  const range = rangeOf(s, text);
  if (range.pfnEnd - range.pfnStart > 2 ** 30) {
    throw usageError('window too large', { got: text, expected: 'at most 2^30 pfns' });
  }
  return range;
}

function hasValue(run: EntryRun): boolean {
  return run.kind !== 'missing' && run.kind !== 'identity' && run.kind !== 'fault';
}

function runLine(s: Session, run: EntryRun): string {
  const range = `[${hex(run.start)}, ${hex(run.start + run.count)})`;
  return `  ${range} ${run.kind}${hasValue(run) ? ` ${s.codec.format(run.first)}` : ''}`;
}

/** How many private pages, from index `from` on: they are numbered, shared ones are not. */
function privatePages(runs: readonly NameRun[], from = 0): number {
  let pages = 0;
  for (const [index, count, name] of runs) {
    if (name.includes('#')) pages += Math.max(0, index + count - Math.max(index, from));
  }
  return pages;
}

function bytesText(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${bytes / 2 ** 20} MiB`;
}
