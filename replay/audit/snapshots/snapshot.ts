import { crc32 } from 'node:zlib';
import { Role, type EntryCodec, type StoredLog } from '../../../events/index.js';
import type { Memory } from '../../../src/index.js';
import type { GuardedMemory } from '../../events/guarded_memory.js';
import { bytesOf, IndexFileKind, writeIndexFile, type OpenedIndexFile } from '../index/index_file.js';
import type { IndexStore } from '../index/index_store.js';
import { GRANULE_PAGES, GRANULE_WORDS, type Granules } from './touched_granules.js';

/** In a saved role: the page was filled. No role is as large. */
const FILLED = 0x40;

/**
 * What the memory held at a moment, in the granules that were touched since the snapshot before. Of those that were not, an
 * older snapshot has what they hold, or they are as in the empty memory.
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
  /** Where the granules begin, in bytes of the file. */
  readonly dataAt: number;
}

/** The snapshot in a file of the index. */
export function snapshotOf({ name, seqStart, seqEnd, lengths, words, restAt }: OpenedIndexFile): Snapshot {
  const [count = 0, wide = 0] = lengths;
  return {
    name,
    previous: seqStart,
    moment: seqEnd,
    granules: words.subarray(0, count),
    crcs: words.subarray(count, 2 * count),
    wide: words.subarray(2 * count, 2 * count + 2 * wide),
    dataAt: restAt,
  };
}

/** Where a snapshot stands in the log. */
export interface SnapshotPlace {
  readonly previous: number;
  readonly moment: number;
  /** The block that ends there. */
  readonly block: number;
}

/** Saves granules of the memory. @throws what the store throws */
export function saveSnapshot(
  store: IndexStore,
  log: StoredLog,
  guarded: GuardedMemory,
  granules: Int32Array,
  shape: Granules,
  { previous, moment, block }: SnapshotPlace,
): Snapshot {
  const name = `snapshot-${String(moment).padStart(12, '0')}.p2mindex`;
  const data = new Int32Array(granules.length * GRANULE_WORDS);
  const crcs = new Int32Array(granules.length);
  granules.forEach((granule, i) => {
    const into = data.subarray(i * GRANULE_WORDS, (i + 1) * GRANULE_WORDS);
    if (granule < shape.wordCount) into.set(wordsOf(guarded.memory, granule));
    else saveRoles(guarded, granule - shape.wordCount, bytesOf(into));
    crcs[i] = crc32(bytesOf(into));
  });
  const wide = wideValues(guarded.memory.codec);
  const lengths = [granules.length, wide.length / 2];
  const facts = { kind: IndexFileKind.snapshot, seqStart: previous, seqEnd: moment, block, lengths, snapshot: moment };
  writeIndexFile(store, name, log, facts, [granules, crcs, wide], [data]);
  const dataAt = 128 + 4 * (2 * granules.length + wide.length);
  return { name, previous, moment, granules, crcs, wide, dataAt };
}

/** Puts a granule back; `data` undefined: as it is in the empty memory. */
export function putGranule(
  guarded: GuardedMemory,
  granule: number,
  data: Int32Array | undefined,
  shape: Granules,
): void {
  if (granule >= shape.wordCount) return putRoles(guarded, granule - shape.wordCount, data);
  const words = wordsOf(guarded.memory, granule);
  if (data === undefined) words.fill(0);
  else words.set(data.subarray(0, words.length));
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

function wideValues(codec: EntryCodec): Int32Array {
  const wide = new Int32Array(2 * codec.wideCount);
  for (let handle = 1; handle <= codec.wideCount; handle++) {
    wide[2 * handle - 2] = codec.rawLo(handle);
    wide[2 * handle - 1] = codec.rawHi(handle);
  }
  return wide;
}

function wordsOf({ words }: Memory, granule: number): Int32Array {
  return words.subarray(granule * GRANULE_WORDS, (granule + 1) * GRANULE_WORDS);
}

function saveRoles(guarded: GuardedMemory, granule: number, into: Uint8Array): void {
  const { roles } = guarded.memory;
  const first = granule * GRANULE_PAGES;
  for (let page = first; page < Math.min(first + GRANULE_PAGES, roles.length); page++) {
    into[page - first] = roles[page]! | (guarded.isFilled(page) ? FILLED : 0);
  }
}

function putRoles(guarded: GuardedMemory, granule: number, data: Int32Array | undefined): void {
  const { memory } = guarded;
  const { roles, layout } = memory;
  const saved = data === undefined ? undefined : bytesOf(data);
  const first = granule * GRANULE_PAGES;
  for (let page = first; page < Math.min(first + GRANULE_PAGES, layout.pageEnd); page++) {
    const empty = page > 0 && page <= layout.initPages ? Role.init : Role.none;
    const byte = saved === undefined ? empty : saved[page - first]!;
    roles[page] = byte & ~FILLED;
    guarded.noteFilled(page, (byte & FILLED) !== 0);
  }
}
