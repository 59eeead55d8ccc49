import { KINDS, type EventBatch } from '../../events/index.js';
import type { Memory } from '../../src/index.js';

/** Pages that rows [0, end) of the log gave a content; what the others hold nobody can read. */
function pagesWritten(memory: Memory, log: EventBatch, end: number): Set<number> {
  const pages = new Set<number>();
  for (let page = 1; page <= memory.layout.initPages; page++) pages.add(page);
  for (let i = 0; i < end; i++) {
    if (log.kind[i] === KINDS.fill_page.id) pages.add(log.a[i]!);
    if (log.kind[i] === KINDS.populate_pmd.id) pages.add(log.b[i]!);
  }
  return pages;
}

/**
 * Where two memories differ, as text, in what can be read after rows [0, end) of the log: the words before the pages, the
 * linear list, the content of pages that were filled, roles and homes. Empty where they are the same.
 */
export function readableDifferences(got: Memory, want: Memory, log: EventBatch, end: number): string[] {
  const found: string[] = [];
  const compare = (what: string, gotAt: number, wantAt: number, count: number): void => {
    for (let i = 0; i < count; i++) {
      const [a, b] = [got.words[gotAt + i], want.words[wantAt + i]];
      if (a !== b) found.push(`${what}[${i}]: got ${a}, want ${b}`);
    }
  };
  const { pagesBase, linearBase, words } = want.layout;
  compare('word', 0, 0, pagesBase);
  compare('linear', linearBase, linearBase, words - linearBase);
  for (let page = 1; page < want.layout.pageEnd; page++) {
    if (got.roles[page] !== want.roles[page])
      found.push(`role of ${page}: got ${got.roles[page]}, want ${want.roles[page]}`);
    if (got.homes[page] !== want.homes[page])
      found.push(`home of ${page}: got ${got.homes[page]}, want ${want.homes[page]}`);
  }
  for (const page of pagesWritten(want, log, end)) {
    compare(`page ${page}`, got.homes[page]!, want.homes[page]!, want.geometry.pageWords);
  }
  return found;
}

/** Whether two memories of one kind are the same in every word, role and home, read or not. */
export function sameState(a: Memory, b: Memory): boolean {
  return sameInts(a.words, b.words) && sameInts(a.homes, b.homes) && Buffer.compare(a.roles, b.roles) === 0;
}

function sameInts(a: Int32Array, b: Int32Array): boolean {
  const bytes = (ints: Int32Array): Uint8Array => new Uint8Array(ints.buffer, ints.byteOffset, ints.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}
