import { crc32 } from 'node:zlib';
import type { EntryCodec, StoredLog } from '../../../events/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { bytesOf, IndexFileKind, writeIndexFile, type OpenedIndexFile } from '../index/index_file.js';
import type { IndexStore } from '../index/index_store.js';
import { GRANULE_WORDS, type Granules } from './granules.js';
import type { WordChanges } from './word_changes.js';

/**
 * What the memory held at a moment, in the granules that were touched since the snapshot before. Of those that were not, an
 * older snapshot has what they hold, or they are as in the empty memory.
 *
 * Between the two stand steps: what the events since the step before, or since the snapshot before, have left.
 */
export interface Snapshot {
  readonly name: string;
  /** Of the snapshot before; 0 none. */
  readonly previous: number;
  /** Events that have happened. */
  readonly moment: number;
  /** Granules, ascending. */
  readonly granules: Int32Array;
  readonly crcs: Int32Array;
  /** The wide values of the log's codec then, lower and upper word, in the order of their handles. */
  readonly wide: Int32Array;
  /** Ascending, above `previous`, below `moment`. */
  readonly steps: readonly Step[];
  /** Where the granules begin, in bytes of the file. */
  readonly dataAt: number;
}

/** Changes up to a moment, in the file of the snapshot behind it. */
export interface Step {
  readonly moment: number;
  /** Where they begin among the words of all steps of the file, and how many they are. */
  readonly at: number;
  readonly words: number;
  readonly crc: number;
}

/** A step that is in no file yet. */
export interface TakenStep {
  readonly moment: number;
  readonly changes: WordChanges;
}

/** Where a snapshot stands in the log. */
export interface SnapshotPlace {
  readonly previous: number;
  readonly moment: number;
  /** The block that ends there. */
  readonly block: number;
}

/** The snapshot in a file of the index; undefined where its lengths do not add up. */
export function snapshotOf({ name, seqStart, seqEnd, lengths, words, restAt }: OpenedIndexFile): Snapshot | undefined {
  const [count = 0, wide = 0, steps = 0] = lengths;
  let at = 0;
  const take = (length: number): Int32Array => words.subarray(at, (at += length));
  const body = { granules: take(count), crcs: take(count), wide: take(2 * wide) };
  const table = take(3 * steps);
  if (at !== words.length) return undefined;
  return { name, previous: seqStart, moment: seqEnd, ...body, steps: stepsOf(table, seqStart), dataAt: restAt };
}

/** Where the words of the steps begin, in bytes of the file. */
export function stepsAt({ dataAt, granules }: Snapshot): number {
  return dataAt + granules.length * GRANULE_WORDS * 4;
}

/** Saves granules of the memory, and the steps that lead up to here. @throws what the store throws */
export function saveSnapshot(
  store: IndexStore,
  log: StoredLog,
  guarded: GuardedMemory,
  granules: Int32Array,
  steps: readonly TakenStep[],
  shape: Granules,
  { previous, moment, block }: SnapshotPlace,
): Snapshot {
  const name = `snapshot-${String(moment).padStart(12, '0')}.p2mindex`;
  const data = new Int32Array(granules.length * GRANULE_WORDS);
  const crcs = new Int32Array(granules.length);
  granules.forEach((granule, i) => {
    const into = data.subarray(i * GRANULE_WORDS, (i + 1) * GRANULE_WORDS);
    shape.read(guarded, granule, into);
    crcs[i] = crc32(bytesOf(into));
  });
  const wide = wideValues(guarded.memory.codec);
  const table = tableOf(steps, previous);
  const lengths = [granules.length, wide.length / 2, steps.length];
  const facts = { kind: IndexFileKind.snapshot, seqStart: previous, seqEnd: moment, block, lengths, snapshot: moment };
  const words = [granules, crcs, wide, table];
  writeIndexFile(store, name, log, facts, words, [data, ...steps.map(({ changes }) => changes)]);
  const dataAt = 128 + 4 * words.reduce((sum, part) => sum + part.length, 0);
  return { name, previous, moment, granules, crcs, wide, steps: stepsOf(table, previous), dataAt };
}

/** Whether the handles in the snapshot's words mean in this codec what they meant; makes those that it does not have yet. */
export function hasSameWide(codec: EntryCodec, { wide }: Snapshot): boolean {
  for (let i = 0; i < wide.length; i += 2) {
    const handle = 1 + i / 2;
    const [lo, hi] = [wide[i]! >>> 0, wide[i + 1]! >>> 0];
    if (handle > codec.wideCount) {
      if (codec.fromRaw(hi, lo) !== handle) return false;
    } else if (codec.rawLo(handle) !== lo || codec.rawHi(handle) !== hi) return false;
  }
  return true;
}

/** Of each step: events since the one before, words, their CRC. */
function tableOf(steps: readonly TakenStep[], previous: number): Int32Array {
  const table = new Int32Array(3 * steps.length);
  steps.forEach(({ moment, changes }, i) => {
    const before = i === 0 ? previous : steps[i - 1]!.moment;
    table.set([moment - before, changes.length, crc32(bytesOf(changes))], 3 * i);
  });
  return table;
}

function stepsOf(table: Int32Array, previous: number): Step[] {
  const steps: Step[] = [];
  let moment = previous;
  let at = 0;
  for (let i = 0; i < table.length; i += 3) {
    moment += table[i]!;
    steps.push({ moment, at, words: table[i + 1]!, crc: table[i + 2]! });
    at += table[i + 1]!;
  }
  return steps;
}

function wideValues(codec: EntryCodec): Int32Array {
  const wide = new Int32Array(2 * codec.wideCount);
  for (let handle = 1; handle <= codec.wideCount; handle++) {
    wide[2 * handle - 2] = codec.rawLo(handle);
    wide[2 * handle - 1] = codec.rawHi(handle);
  }
  return wide;
}
