import { INVALID, type Word } from '../../events/index.js';

/** Entries that count up from a word: how many, the first, by how much. */
export type EntryRun = [count: number, word: Word, stride: number];

/** `runs`, from pfn 0 on, with [start, end) replaced by one that counts up from `word`. */
export function overlay(
  runs: readonly EntryRun[],
  start: number,
  end: number,
  word: Word,
  stride: number,
  add: (word: Word, delta: number) => Word,
): EntryRun[] {
  const result: EntryRun[] = [];
  let at = 0;
  let placed = false;
  for (const [length, first, step] of runs) {
    const next = at + length;
    if (at < start) result.push([Math.min(next, start) - at, first, step]);
    if (!placed && next > start) {
      result.push([end - start, word === INVALID ? INVALID : word, stride]);
      placed = true;
    }
    if (next > end) {
      const skipped = Math.max(end - at, 0);
      result.push([length - skipped, add(first, skipped * step), step]);
    }
    at = next;
  }
  return result;
}
