import { FAULT, type EntryCodec, type Word } from '../events/index.js';
import { leafKinds, listRuns } from '../replay/index.js';
import { isTree, type Memory } from '../src/index.js';
import { hex } from './numbers.js';

/** An entry in the field's way, or that it faults. */
export function entryText(codec: EntryCodec, word: Word): string {
  return word === FAULT ? 'fault' : codec.format(word);
}

/** The entries of [pfnStart, pfnEnd) as a recording's `p2m-NAME.runs.txt` has them. */
export function runsText(memory: Memory, pfnStart: number, pfnEnd: number): string[] {
  const { codec } = memory;
  return listRuns(memory, pfnStart, pfnEnd).map((run) => {
    // Without the indicator bits, as recordings have it; INVALID is all ones.
    const mfn = run.first === FAULT ? 'fault' : codec.toHex(codec.clearBits(run.first));
    return `pfn [${hex(run.pfnStart)},${hex(run.pfnEnd)}) ${run.kind} mfn ${mfn}`;
  });
}

/** The leaves and PT pages of [pfnStart, pfnEnd) as `p2m-NAME.pt.txt` has them, behind a `#`; none of the old tree. */
export function leafKindsText(memory: Memory, pfnStart: number, pfnEnd: number): string[] {
  if (isTree(memory)) return [];
  return leafKinds(memory, pfnStart, pfnEnd).map(
    ({ pfnStart: start, pfnEnd: end, kind, ptePage }) =>
      `# pfn [${hex(start)},${hex(end)}) ${kind}${ptePage === undefined ? '' : ` pte_page=${ptePage}`}`,
  );
}
