import type { StoredLog } from '../../../events/index.js';
import { IndexFileKind, writeIndexFile, type OpenedIndexFile } from './index_file.js';
import type { IndexStore } from './index_store.js';
import { LEVELS, PfnPostings } from './pfn_postings.js';
import { Postings } from './postings.js';

/** A stretch of the log whose postings are in a file. */
export interface PostingStretch {
  /** Events [seqStart, seqEnd), to the end of block `block`. */
  readonly seqStart: number;
  readonly seqEnd: number;
  readonly block: number;
  /** The last snapshot up to its end is of this moment; 0 none. */
  readonly snapshot: number;
}

/** The name of the file of stretch `index`. */
export function postingFileName(index: number): string {
  return `postings-${String(index).padStart(8, '0')}.p2mindex`;
}

/** Writes the postings of a stretch. @throws what the store throws */
export function writePostings(
  store: IndexStore,
  log: StoredLog,
  index: number,
  stretch: PostingStretch,
  postings: PfnPostings,
): void {
  const lengths = postings.levels.flatMap(({ keys, seqs }) => [keys.length, seqs.length]);
  const facts = { kind: IndexFileKind.postings, lengths, ...stretch };
  const words = postings.levels.flatMap(({ keys, starts, seqs }) => [keys, starts, seqs]);
  writeIndexFile(store, postingFileName(index), log, facts, words);
}

/** The postings in a file; undefined where its lengths do not add up. */
export function postingsOf({ words, lengths }: OpenedIndexFile): PfnPostings | undefined {
  let at = 0;
  const take = (count: number): Int32Array => words.subarray(at, (at += count));
  const levels = LEVELS.map((level) => {
    const [keys, seqs] = [lengths[2 * level]!, lengths[2 * level + 1]!];
    return new Postings(take(keys), take(keys + 1), take(seqs));
  });
  return at === words.length ? new PfnPostings(levels) : undefined;
}
