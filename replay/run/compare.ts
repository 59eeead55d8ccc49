import { FAULT, Global, INVALID, type EntryCodec } from '../../events/index.js';
import { LeafClass, leafClass, NO_PAGE, ptePage, pteWritable, type Memory } from '../../src/index.js';
import type { ListDump } from '../recording/list_dump.js';
import type { PageKind, PageRun, PtePage } from '../recording/page_kinds.js';

/** A place where the model's list is not the dump's. */
export interface Difference {
  /** `entry`, `page kind` or a symbol. */
  readonly what: string;
  readonly pfn: number;
  readonly expected: string;
  readonly actual: string;
}

/** What a comparison covered. Each difference was told to the listener. */
export interface Compared {
  readonly entries: number;
  readonly leaves: number;
  readonly differences: number;
}

/**
 * Compares the model's list with a dump: every word, the kind of every leaf with its PT page and whether it is writable,
 */
export function compareWithDump(
  memory: Memory,
  dump: ListDump,
  listForTools: boolean,
  onDifference: (difference: Difference) => void,
): Compared {
  let differences = 0;
  const tell = (difference: Difference): void => {
    differences++;
    onDifference(difference);
  };
  const entries = compareEntries(memory, dump.entries, tell);
  let leaves = 0;
  for (const run of dump.kinds) leaves += compareKinds(memory, run, tell);
  const lastPfn = dump.info?.xenP2mLastPfn;
  if (listForTools && lastPfn !== undefined && lastPfn !== memory.words[Global.xen_p2m_last_pfn]) {
    tell({
      what: 'xen_p2m_last_pfn',
      pfn: lastPfn,
      expected: hex(memory.words[Global.xen_p2m_last_pfn]!),
      actual: hex(lastPfn),
    });
  }
  return { entries, leaves, differences };
}

function compareEntries(memory: Memory, words: Int32Array, tell: (difference: Difference) => void): number {
  const { perPage } = memory.geometry;
  const size = Math.min(words.length, memory.words[Global.xen_p2m_size]!);
  for (let pfn = 0; pfn < size;) {
    const end = Math.min(size, pfn + perPage);
    const kind = leafClass(memory, pfn);
    let address = kind === LeafClass.entries ? memory.entryAddress(pfn) : -1;
    for (; pfn < end; pfn++, address++) {
      const model = kind === LeafClass.entries ? memory.words[address]! : kind === LeafClass.unmapped ? FAULT : INVALID;
      if (model !== words[pfn]) {
        tell({ what: 'entry', pfn, expected: show(memory.codec, model), actual: show(memory.codec, words[pfn]!) });
      }
    }
  }
  return size;
}

function compareKinds(memory: Memory, run: PageRun, tell: (difference: Difference) => void): number {
  const { perPage } = memory.geometry;
  let leaves = 0;
  const wanted = describe(run.kind, run.ptePage, run.writable);
  for (let pfn = run.pfnStart; pfn < run.pfnEnd; pfn += perPage) {
    leaves++;
    const writable = pteWritable(memory.pteOf(pfn));
    const model = describe(
      kindOf(memory, pfn),
      ptePageOf(memory, pfn),
      run.writable === undefined ? undefined : writable,
    );
    if (model !== wanted) tell({ what: 'page kind', pfn, expected: model, actual: wanted });
  }
  return leaves;
}

function kindOf(memory: Memory, pfn: number): PageKind {
  const page = ptePage(memory.pteOf(pfn));
  if (page === NO_PAGE) return 'unmapped';
  if (page === memory.words[Global.p2m_identity]) return 'identity';
  return page === memory.words[Global.p2m_missing] ? 'missing' : 'own';
}

function ptePageOf(memory: Memory, pfn: number): PtePage | undefined {
  const page = memory.ptPageOf(pfn);
  if (page === NO_PAGE) return undefined;
  if (page === memory.words[Global.p2m_identity_pte]) return 'p2m_identity_pte';
  return page === memory.words[Global.p2m_missing_pte] ? 'p2m_missing_pte' : 'own_pte';
}

function describe(kind: PageKind, pte: PtePage | undefined, writable: boolean | undefined): string {
  const access = writable === undefined ? '' : writable ? ' writable' : ' read-only';
  return `${kind}${access} in ${pte ?? 'no page'}`;
}

function show(codec: EntryCodec, word: number): string {
  return word === FAULT ? 'fault' : codec.toHex(word);
}

function hex(n: number): string {
  return `0x${n.toString(16)}`;
}
