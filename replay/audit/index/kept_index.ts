import type { StoredLog } from '../../../events/index.js';
import { snapshotOf, type Snapshot } from '../snapshots/snapshot.js';
import { factsFileName } from './block_facts.js';
import { IndexFileKind, openIndexFile, openIndexHead, type IndexFileHead } from './index_file.js';
import type { IndexStore } from './index_store.js';
import { postingFileName, type PostingStretch } from './posting_file.js';

/** Told of what is dropped and built anew, and why; for who looks for a fault. */
export type IndexNote = (file: string, why: string) => void;

/** What of an index can be used: it tells of the events from 0 on without gaps. */
export interface KeptIndex {
  readonly stretches: readonly PostingStretch[];
  /** Those up to the end of the last stretch. */
  readonly snapshots: readonly Snapshot[];
}

/**
 * Finds out what of the index in `store` can be used, and removes the rest: files that are damaged, of another version, or of
 * another log, and what stands behind them, for it goes on from there. Of postings the header counts: whether they are whole
 * shows when they are asked for.
 */
export function readKeptIndex(store: IndexStore, log: StoredLog, note: IndexNote): KeptIndex {
  const names = store.list().sort();
  const snapshots = readSnapshots(store, log, names);
  const stretches = readStretches(store, log, names, new Set(snapshots.map(({ moment }) => moment)), note);
  const last = stretches.at(-1)?.snapshot ?? 0;
  const kept = snapshots.filter(({ moment }) => moment <= last);
  const used = new Set([
    ...kept.map(({ name }) => name),
    ...stretches.flatMap((_, index) => [postingFileName(index), factsFileName(index)]),
  ]);
  for (const name of names.filter((each) => !used.has(each))) {
    note(name, 'it is not used');
    store.remove(name);
  }
  return { stretches, snapshots: kept };
}

function readSnapshots(store: IndexStore, log: StoredLog, names: readonly string[]): Snapshot[] {
  const snapshots: Snapshot[] = [];
  for (const name of names.filter((each) => each.startsWith('snapshot-'))) {
    const file = openIndexFile(store, name, log);
    if (typeof file === 'string' || file.kind !== IndexFileKind.snapshot) break;
    const snapshot = snapshotOf(file);
    if (snapshot === undefined || snapshot.previous !== (snapshots.at(-1)?.moment ?? 0)) break;
    snapshots.push(snapshot);
  }
  return snapshots;
}

function readStretches(
  store: IndexStore,
  log: StoredLog,
  names: readonly string[],
  moments: ReadonlySet<number>,
  note: IndexNote,
): PostingStretch[] {
  const stretches: PostingStretch[] = [];
  for (let index = 0; names.includes(postingFileName(index)); index++) {
    const name = postingFileName(index);
    const file = openIndexHead(store, name, log);
    const why =
      typeof file === 'string'
        ? file
        : (misfitOf(file, stretches.at(-1)?.seqEnd ?? 0, moments) ?? factsMisfitOf(store, log, index, file));
    if (typeof file === 'string' || why !== undefined) {
      note(name, why!);
      break;
    }
    const { seqStart, seqEnd, block, snapshot } = file;
    stretches.push({ seqStart, seqEnd, block, snapshot });
  }
  return stretches;
}

function misfitOf(file: IndexFileHead, seq: number, moments: ReadonlySet<number>): string | undefined {
  if (file.kind !== IndexFileKind.postings) return 'it holds no postings';
  if (file.seqStart !== seq) return 'a stretch before it is missing';
  return file.snapshot === 0 || moments.has(file.snapshot) ? undefined : 'a snapshot before its end is missing';
}

/** Facts of the blocks go as far as the postings. */
function factsMisfitOf(store: IndexStore, log: StoredLog, index: number, postings: IndexFileHead): string | undefined {
  const facts = openIndexHead(store, factsFileName(index), log);
  if (typeof facts === 'string') return `the facts of its blocks: ${facts}`;
  const isOfIt =
    facts.kind === IndexFileKind.blocks && facts.seqStart === postings.seqStart && facts.seqEnd === postings.seqEnd;
  return isOfIt ? undefined : 'the facts of its blocks are of other events';
}
