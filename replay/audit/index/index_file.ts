import { crc32 } from 'node:zlib';
import type { StoredLog } from '../../../events/index.js';
import type { IndexStore } from './index_store.js';

/**
 * The files of an index (docs/index-format.md): a header of 32 words, then words that are the kind's own. Words are the
 * machine's: on one of another byte order the magic reads otherwise, and the index is built anew.
 *
 *     0  magic (2)     2  version      3  kind          4  seqStart (2)    6  seqEnd (2)     8  last block
 *     9  chain (8)    17  lengths (8) 25  words under the CRC of the body  26  that CRC     27  snapshot (2)
 *    29  0 (2)        31  CRC of all before
 */
const HEADER_WORDS = 32;
const HEADER_BYTES = HEADER_WORDS * 4;
const MAGIC = [0x6d32_7089, 0x0a78_6469] as const;
const VERSION = 2;
const CHAIN_AT = 9;
const LENGTHS_AT = 17;
const LENGTHS = 8;
const TWO_32 = 2 ** 32;

/** What a file of an index is. */
export const IndexFileKind = { postings: 1, snapshot: 2, blocks: 3 } as const;

/** What the header of a file says. */
export interface IndexFileFacts {
  readonly kind: number;
  /** The events that it tells of: [seqStart, seqEnd), to the end of block `block` of the log. */
  readonly seqStart: number;
  readonly seqEnd: number;
  readonly block: number;
  /** What the sections of the body hold, as the kind counts them; up to 8. */
  readonly lengths: readonly number[];
  /** The last snapshot up to here is of this moment; 0 none. */
  readonly snapshot: number;
}

/** A file whose header is whole, and of this log. */
export interface IndexFileHead extends IndexFileFacts {
  readonly name: string;
  /** Words of the body that its CRC is of. */
  readonly wordCount: number;
  readonly bodyCrc: number;
}

/** One whose body is whole too, as far as its CRC goes. */
export interface OpenedIndexFile extends IndexFileHead {
  /** The words of the body that its CRC is of, from the first on. */
  readonly words: Int32Array;
  /** Where the rest of the body begins, in bytes of the file. */
  readonly restAt: number;
}

/** Writes a file; `words` are under the CRC, `rest` has checksums of its own. @throws what the store throws */
export function writeIndexFile(
  store: IndexStore,
  name: string,
  log: StoredLog,
  facts: IndexFileFacts,
  words: readonly Int32Array[],
  rest: readonly Int32Array[] = [],
): void {
  const header = new Int32Array(HEADER_WORDS);
  header.set([...MAGIC, VERSION, facts.kind, ...halves(facts.seqStart), ...halves(facts.seqEnd), facts.block]);
  header.set(chainWords(log, facts.block), CHAIN_AT);
  header.set(facts.lengths, LENGTHS_AT);
  // No bytes at all make zlib begin anew.
  const bodyCrc = words.reduce((crc, part) => (part.length === 0 ? crc : crc32(bytesOf(part), crc)), 0);
  header.set([words.reduce((sum, part) => sum + part.length, 0), bodyCrc, ...halves(facts.snapshot)], 25);
  header[31] = crc32(bytesOf(header.subarray(0, 31)));
  store.write(name, [header, ...words, ...rest].map(bytesOf));
}

/** Opens a file of the log's index. Gives what is wrong with it, where it cannot be used. */
export function openIndexFile(store: IndexStore, name: string, log: StoredLog): OpenedIndexFile | string {
  const head = openIndexHead(store, name, log);
  if (typeof head === 'string') return head;
  const words = new Int32Array(head.wordCount);
  if (store.read(name, bytesOf(words), HEADER_BYTES) < words.length * 4) return 'it is cut';
  if (head.bodyCrc !== crc32(bytesOf(words)) << 0) return 'it is damaged';
  return { ...head, words, restAt: HEADER_BYTES + words.length * 4 };
}

/** Opens a file as far as its header says what is in it; whether that is whole shows when it is opened. */
export function openIndexHead(store: IndexStore, name: string, log: StoredLog): IndexFileHead | string {
  const header = new Int32Array(HEADER_WORDS);
  if (store.read(name, bytesOf(header), 0) < HEADER_BYTES) return 'it is cut';
  if (header[0] !== MAGIC[0] || header[1] !== MAGIC[1]) return 'it is none';
  if (header[2] !== VERSION) return `it is of version ${header[2]}`;
  if (header[31] !== crc32(bytesOf(header.subarray(0, 31))) << 0) return 'its header is damaged';
  const block = header[8]!;
  const seqEnd = number(header, 6);
  const isOfLog =
    block < log.blocks &&
    log.seqOf(block + 1) === seqEnd &&
    chainWords(log, block).every((word, i) => word === header[CHAIN_AT + i]);
  if (!isOfLog) return 'it is of another log';
  const wordCount = header[25]!;
  if (wordCount < 0 || store.size(name) < HEADER_BYTES + wordCount * 4) return 'it is cut';
  return {
    name,
    kind: header[3]!,
    seqStart: number(header, 4),
    seqEnd,
    block,
    lengths: Array.from(header.subarray(LENGTHS_AT, LENGTHS_AT + LENGTHS)),
    snapshot: number(header, 27),
    wordCount,
    bodyCrc: header[26]!,
  };
}

/** The bytes of words, as they stand in memory. */
export function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** The chain behind the block; of a log that keeps none zeros: its index does not outlive the process. */
function chainWords(log: StoredLog, block: number): Int32Array {
  const bytes = new Uint8Array(32);
  const text = log.chainAt?.(block) ?? '';
  for (let i = 0; i < text.length / 2; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return new Int32Array(bytes.buffer);
}

function halves(value: number): [lower: number, upper: number] {
  return [(value % TWO_32) | 0, Math.floor(value / TWO_32)];
}

function number(words: Int32Array, at: number): number {
  return words[at + 1]! * TWO_32 + (words[at]! >>> 0);
}
