import { P2mError } from '../errors.js';

/**
 * Where the segments of a log live: a folder, or one file. It is handed in: nothing here knows of files (`xen-p2m/node` has
 * them). Everything but `sync` is done when it returns.
 */
export interface LogStorage {
  /** What messages call the segment of that name. */
  pathOf(name: string): string;
  /** Names of the segments, in their order. */
  list(): string[];
  /** The name of segment `segment`; undefined where there is no room for one more: a log of one file has one segment. */
  nameOf(segment: number): string | undefined;
  /** @throws where there is none, or it cannot be read */
  open(name: string): SegmentFile;
  /** A new, empty one. It outlives a crash of the machine once `syncFolder` is done. */
  create(name: string): SegmentFile;
  remove(name: string): void;
  /** Which segments there are outlives a crash of the machine. */
  syncFolder(): void | Promise<void>;
  /** Keeps bytes that are cut from a segment beside the log, on disk. Returns where. */
  keep(name: string, at: number, bytes: Uint8Array): string;
}

/** The bytes of a segment. */
export interface SegmentFile {
  size(): number;
  /** Reads at most as much as `into` holds from byte `at` on; returns how much there was. */
  read(into: Uint8Array, at: number): number;
  /** Writes all of the bytes at byte `at`. Where it throws, any part of them may stand there. */
  write(bytes: Uint8Array, at: number): void;
  /** What was written outlives a crash of the machine. */
  sync(): void | Promise<void>;
  truncate(size: number): void;
  close(): void;
}

/**
 * The bytes [start, end) of a segment, as many as there are.
 * @throws {P2mError} code `unreadable`: the storage cannot read them, which says nothing about what they are
 */
export function readBytes(file: SegmentFile, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, end - start));
  let have = 0;
  while (have < bytes.length) {
    const count = reading(() => file.read(bytes.subarray(have), start + have));
    if (count === 0) break;
    have += count;
  }
  return have === bytes.length ? bytes : bytes.subarray(0, have);
}

function reading(read: () => number): number {
  try {
    return read();
  } catch (error) {
    if (error instanceof P2mError) throw new P2mError('unreadable', 'the log cannot be read', { got: error.message });
    throw error;
  }
}
