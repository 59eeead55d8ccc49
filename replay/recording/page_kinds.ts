import { inputError, type P2mError } from '../../events/index.js';
import { textLines } from './text_lines.js';

/**
 * The page tables over the list, as `p2m-NAME.pt.txt` of a recording tells them, a line a run of pages of the list:
 *
 *     pfn [0x40000,0x48000) own flags=0x8010000000000007 pte_page=own_pte pte_page_pfn=0x1d7ec
 *     pfn [0x80000,0x8000000) identity pte_page=p2m_identity_pte pmd=0x78649067
 */

/** What a page of the list is: its own, one of the two shared ones, not mapped, or something else. */
export const PAGE_KINDS = ['own', 'missing', 'identity', 'unmapped', 'unknown'] as const;
/** One of `PAGE_KINDS`. */
export type PageKind = (typeof PAGE_KINDS)[number];

/** What the page of PTEs is that maps it. */
export const PTE_PAGES = ['own_pte', 'p2m_missing_pte', 'p2m_identity_pte', 'unknown'] as const;
/** One of `PTE_PAGES`. */
export type PtePage = (typeof PTE_PAGES)[number];

/** Pages of the list that are alike, for the pfns `pfnStart <= pfn < pfnEnd`. */
export interface PageRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly kind: PageKind;
  /** Bit 1 of the PTE's flags; `undefined` where the line has no flags (shared PTE pages, unmapped pages). */
  readonly writable: boolean | undefined;
  /** `undefined` where there is no page of PTEs. */
  readonly ptePage: PtePage | undefined;
  /** Frame of a PTE page of its own. */
  readonly ptePagePfn: number | undefined;
}

const PFN_END = 2 ** 52;
const RUN_SHAPE = 'pfn [0xA,0xB) KIND flags=0xF pte_page=NAME pte_page_pfn=0xN';

/**
 * Reads a `p2m-NAME.pt.txt`; lines that begin with `#` are notes.
 *
 * @returns the runs, ascending, without overlap; gaps are possible
 * @throws {P2mError} with the line's number
 */
export function parsePageKinds(bytes: Uint8Array, file: string): PageRun[] {
  const runs: PageRun[] = [];
  for (const [index, text] of textLines(bytes, file).entries()) {
    if (text.startsWith('#') || text.trim() === '') continue;
    const bad: Complain = (what, got, expected) =>
      inputError(what, { file, line: index + 1, column: Math.max(0, text.indexOf(got)) + 1, text, got, expected });
    const run = parseRun(text, bad);
    const before = runs.at(-1);
    if (before !== undefined && run.pfnStart < before.pfnEnd) {
      throw bad('runs overlap or descend', hex(run.pfnStart), `a first pfn from ${hex(before.pfnEnd)} on`);
    }
    runs.push(run);
  }
  return runs;
}

type Complain = (what: string, got: string, expected: string) => P2mError;

function parseRun(text: string, bad: Complain): PageRun {
  const match = /^pfn \[(0x[0-9a-f]+|\d+),(0x[0-9a-f]+|\d+)\) (\S+)((?: [a-z_0-9]+=\S+)*)\s*$/i.exec(text);
  if (match === null) throw bad('bad line', text, RUN_SHAPE);
  const pfnStart = pfnOf(match[1]!, bad);
  const pfnEnd = pfnOf(match[2]!, bad);
  if (pfnStart >= pfnEnd) throw bad('empty run', `[${match[1]!},${match[2]!})`, 'the first pfn below the next');
  const fields = new Map(match[4]!.split(' ').filter(Boolean).map(splitField));
  const flags = fields.get('flags');
  if (flags !== undefined && !/^0x[0-9a-f]{1,16}$/i.test(flags)) throw bad('bad flags', flags, 'hexadecimal with 0x');
  const ptePagePfn = fields.get('pte_page_pfn');
  const ptePage = fields.get('pte_page');
  return {
    pfnStart,
    pfnEnd,
    kind: oneOf(PAGE_KINDS, match[3]!, 'page kind', bad),
    writable: flags === undefined ? undefined : (Number.parseInt(flags.slice(-1), 16) & 2) !== 0,
    ptePage: ptePage === undefined ? undefined : oneOf(PTE_PAGES, ptePage, 'kind of PTE page', bad),
    ptePagePfn: ptePagePfn === undefined ? undefined : pfnOf(ptePagePfn, bad),
  };
}

function pfnOf(text: string, bad: Complain): number {
  const pfn = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(pfn < PFN_END)) throw bad('bad pfn', text, 'hexadecimal with 0x or decimal, below 2^52');
  return pfn;
}

function splitField(field: string): [string, string] {
  const equals = field.indexOf('=');
  return [field.slice(0, equals), field.slice(equals + 1)];
}

function oneOf<T extends string>(names: readonly T[], name: string, what: string, bad: Complain): T {
  const found = names.find((candidate) => candidate === name);
  if (found === undefined) throw bad(`unknown ${what}`, name, names.join(', '));
  return found;
}

function hex(pfn: number): string {
  return `0x${pfn.toString(16)}`;
}
