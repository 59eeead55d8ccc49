import { Global, INVALID, type Word } from '../../events/index.js';
import { entryRuns, isTree, LIST_AREA, type Memory, type RunKind } from '../../src/index.js';
import type { PageKind, PtePage } from '../recording/page_kinds.js';
import { kindOf, ptePageOf } from '../run/compare.js';

/** Entries as a recording's `p2m-NAME.runs.txt` has them: `kind` in its words, `first` the entry of `pfnStart`. */
export interface ListRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly kind: string;
  readonly first: Word;
}

/** Leaves that are alike, as its `p2m-NAME.pt.txt` has them. */
export interface LeafKindRun {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly kind: PageKind;
  readonly ptePage: PtePage | undefined;
}

const KINDS: Readonly<Partial<Record<RunKind, string>>> = { missing: 'invalid', mfn: 'ram' };

/** Whether there is a list to look at: the linear one in its own area, or the old tree. */
export function listStands(memory: Memory): boolean {
  return isTree(memory) || memory.words[Global.xen_p2m_addr] === LIST_AREA;
}

/** The pfns of the list end here. */
export function listEnd(memory: Memory): number {
  return memory.words[isTree(memory) ? Global.xen_max_p2m_pfn : Global.xen_p2m_size]!;
}

/** The kinds of the leaves of [pfnStart, pfnEnd) of a linear list that stands. */
export function leafKinds(memory: Memory, pfnStart: number, pfnEnd: number): LeafKindRun[] {
  const { perPage } = memory.geometry;
  const runs: { pfnStart: number; pfnEnd: number; kind: PageKind; ptePage: PtePage | undefined }[] = [];
  for (let pfn = pfnStart; pfn < pfnEnd;) {
    const end = Math.min(pfnEnd, (Math.floor(pfn / perPage) + 1) * perPage);
    const kind = kindOf(memory, pfn);
    const ptePage = ptePageOf(memory, pfn);
    const last = runs.at(-1);
    if (last?.kind === kind && last.ptePage === ptePage) last.pfnEnd = end;
    else runs.push({ pfnStart: pfn, pfnEnd: end, kind, ptePage });
    pfn = end;
  }
  return runs;
}

/**
 * The words of [pfnStart, pfnEnd) as the list holds them: those of a shared identity page are INVALID, and a look-up
 * makes identity of them. In the old tree what look-ups say.
 */
export function listRuns(memory: Memory, pfnStart: number, pfnEnd: number): ListRun[] {
  const runs: ListRun[] = [];
  const add = (run: ListRun): void => {
    const last = runs.at(-1);
    if (run.kind === 'invalid' && last?.kind === 'invalid') runs[runs.length - 1] = { ...last, pfnEnd: run.pfnEnd };
    else runs.push(run);
  };
  const leaves = isTree(memory) ? [{ pfnStart, pfnEnd, kind: 'own' as const }] : leafKinds(memory, pfnStart, pfnEnd);
  for (const part of merged(leaves)) {
    if (!part.own) {
      add({ pfnStart: part.pfnStart, pfnEnd: part.pfnEnd, kind: 'invalid', first: INVALID });
      continue;
    }
    for (const { start, count, kind, first } of entryRuns(memory, part.pfnStart, part.pfnEnd)) {
      const word = kind === 'identity' ? memory.codec.identityOf(start) : first;
      add({ pfnStart: start, pfnEnd: start + count, kind: KINDS[kind] ?? kind, first: word });
    }
  }
  return runs;
}

interface Part {
  readonly pfnStart: number;
  pfnEnd: number;
  /** Not a page that all share. */
  readonly own: boolean;
}

/** Private leaves beside each other as one, whatever maps them: runs go on over their bounds. */
function merged(leaves: Iterable<{ pfnStart: number; pfnEnd: number; kind: PageKind }>): Part[] {
  const parts: Part[] = [];
  for (const { pfnStart, pfnEnd, kind } of leaves) {
    const own = kind !== 'missing' && kind !== 'identity';
    const last = parts.at(-1);
    if (last?.own === own) last.pfnEnd = pfnEnd;
    else parts.push({ pfnStart, pfnEnd, own });
  }
  return parts;
}
