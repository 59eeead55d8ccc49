import { inputError, P2mError } from '../errors.js';
import type { EntryCodec, Word } from '../word.js';
import { NO_CHAIN } from './chain.js';
import type { EventsHeader } from './events_header.js';
import { orderedFacts } from './events_header.js';
import { HEADER_BYTES, NEXT_MAGIC } from './layout.js';
import { readBlockHeader } from './block_header.js';
import { readBytes, type LogStorage, type SegmentFile } from './log_storage.js';
import { complainOf, openOrTorn, SegmentScan, type OpenedSegment } from './segment_scan.js';
import type { SegmentStart } from './segment_header.js';

/** What a crash tore, and was cut. */
export interface CutTail {
  /** The segment, and the byte from which on it was cut. */
  readonly file: string;
  readonly byte: number;
  readonly bytes: number;
  /** Where the bytes are kept. */
  readonly kept: string;
  /** What was wrong there. */
  readonly why: string;
}

/** Where a log goes on. */
export interface OpenEnd {
  /** The segment to go on in; undefined: it has yet to be created. */
  readonly file: SegmentFile | undefined;
  readonly segment: number;
  readonly bytes: number;
  readonly seq: number;
  readonly chain: Uint8Array;
  readonly wide: readonly Word[];
  /** The next segment has to be begun before anything is appended. */
  readonly full: boolean;
}

/**
 * Finds where a log goes on, and cuts back what a crash tore. Reads the last segment alone, whatever the length of the log.
 *
 * @throws {P2mError} the log is of another domain, or damaged: nothing was changed
 */
export async function recoverLog(
  storage: LogStorage,
  header: EventsHeader,
  codec: EntryCodec,
  onCut: ((cut: CutTail) => void) | undefined,
): Promise<OpenEnd> {
  const names = storage.list();
  const segment = names.length - 1;
  if (segment < 0) return beginning(0, { segment: 0, seq: 0, chain: NO_CHAIN });
  const name = names[segment]!;
  const path = storage.pathOf(name);
  const expected = startOf(storage, names);
  const file = storage.open(name);
  try {
    const opened = openOrTorn(file, path, expected);
    if (opened instanceof P2mError) {
      // The writer was killed while it began the segment: nothing in it was ever acknowledged.
      const bytes = readBytes(file, 0, file.size());
      cutBack(storage, name, 0, bytes, opened, onCut);
      file.close();
      storage.remove(name);
      await storage.syncFolder();
      return beginning(segment, expected);
    }
    checkFacts(opened, header, path);
    const scan = new SegmentScan(file, path, opened, codec);
    scan.read();
    await repairTail(storage, name, file, scan, onCut);
    // Who began the segment may have been killed before it did.
    await storage.syncFolder();
    const { seq, chain, bytes } = scan;
    return { file, segment, seq, chain, bytes, wide: scan.values.words, full: scan.end.kind === 'next' };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** A segment that is not there yet. */
function beginning(segment: number, { seq, chain }: SegmentStart): OpenEnd {
  return { file: undefined, segment, bytes: 0, seq, chain, wide: [], full: false };
}

/** What the last segment must say of itself: the one before ends with it. */
function startOf(storage: LogStorage, names: readonly string[]): SegmentStart {
  const segment = names.length - 1;
  if (segment === 0) return { segment, seq: 0, chain: NO_CHAIN };
  const name = names[segment - 1]!;
  const file = storage.open(name);
  try {
    const size = file.size();
    const at = Math.max(0, size - HEADER_BYTES);
    const complain = complainOf(storage.pathOf(name));
    const bytes = readBytes(file, at, size);
    if (bytes.length < HEADER_BYTES) throw complain('the log is cut', size, 'the end of the file', 'a block');
    const last = readBlockHeader(bytes, undefined, (what, byte, got, want) => complain(what, at + byte, got, want));
    if (last.magic !== NEXT_MAGIC) throw complain('a segment does not end', at, 'a block', 'that the next one follows');
    return { segment, seq: last.seq, chain: last.chain };
  } finally {
    file.close();
  }
}

function checkFacts({ facts }: OpenedSegment, header: EventsHeader, path: string): void {
  const [got, expected] = [JSON.stringify(facts), JSON.stringify(orderedFacts(header))];
  if (got !== expected) throw inputError('a log of another domain', { file: path, byte: HEADER_BYTES, got, expected });
}

/** Cuts what a crash tore, and brings to disk what nothing says is there. */
async function repairTail(
  storage: LogStorage,
  name: string,
  file: SegmentFile,
  scan: SegmentScan,
  onCut: ((cut: CutTail) => void) | undefined,
): Promise<void> {
  const { end, bytes } = scan;
  if (end.kind === 'torn') {
    cutBack(storage, name, bytes, readBytes(file, bytes, file.size()), end.why, onCut);
    file.truncate(bytes);
  }
  // Where a sync has failed, the system may hold as written what never got to the disk: it is written again.
  const durable = Math.min(scan.blocks.at(-1)?.durable ?? 0, bytes);
  file.write(readBytes(file, durable, bytes), durable);
  await file.sync();
}

function cutBack(
  storage: LogStorage,
  name: string,
  byte: number,
  bytes: Uint8Array,
  { message }: P2mError,
  onCut: ((cut: CutTail) => void) | undefined,
): void {
  const kept = storage.keep(name, byte, bytes);
  onCut?.({ file: storage.pathOf(name), byte, bytes: bytes.length, kept, why: message });
}
