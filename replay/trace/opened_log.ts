import { P2mError } from '../../events/index.js';
import { unzipped } from '../recording/unzipped.js';
import { SNIFF_BYTES_MAX, sniffLog, type LogFormat } from './sniff.js';

/** The pieces of a file, cut anywhere. */
export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A log whose beginning was looked at. */
export interface OpenedLog {
  readonly format: LogFormat;
  /** How it begins, unzipped: `SNIFF_BYTES_MAX` at least, where there is so much. */
  readonly beginning: Uint8Array;
  /** All of it, unzipped, from the first byte on; can be read once. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Opens a log, plain or gzip, and tells its format.
 *
 * @throws {P2mError} it cannot be read at all, or is no log; where it is cut or damaged further on, `pieces` throws after
 *   it has yielded what stood before
 */
export async function openLog(chunks: Pieces, file: string): Promise<OpenedLog> {
  const source = unzipped(chunks, file);
  const beginning: Uint8Array[] = [];
  let bytes = 0;
  let damage: P2mError | undefined;
  try {
    while (bytes < SNIFF_BYTES_MAX) {
      const next = await source.next();
      if (next.done === true) break;
      beginning.push(next.value.slice()); // The source may use its memory again.
      bytes += next.value.length;
    }
  } catch (error) {
    if (!(error instanceof P2mError) || bytes === 0) throw error;
    damage = error;
  }
  try {
    const looked = joined(beginning, bytes);
    return { format: sniffLog(looked, file), beginning: looked, pieces: rest(looked, source, damage) };
  } catch (error) {
    await source.return(undefined);
    throw damage ?? error;
  }
}

async function* rest(
  beginning: Uint8Array,
  source: AsyncGenerator<Uint8Array, void, undefined>,
  damage: P2mError | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield beginning;
  if (damage !== undefined) throw damage;
  yield* source;
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
