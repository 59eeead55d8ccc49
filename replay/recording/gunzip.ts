import { constants, gunzipSync } from 'node:zlib';
import { assert, inputError, type P2mError } from '../../events/index.js';

/** What a file holds once it is unzipped. */
export interface Unzipped {
  readonly bytes: Uint8Array;
  /** Why there is no more: the file is cut or damaged. `bytes` is what could be read before, as it stands. */
  readonly damage: P2mError | undefined;
}

/** Whether the bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The bytes unzipped, or as they are where they are not gzip.
 *
 * @throws {P2mError} the gzip is cut or damaged: file, and the byte of the zipped file at which that shows
 */
export function gunzipIfNeeded(bytes: Uint8Array, file: string): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw damageOf(bytes, error, file).damage ?? error;
  }
}

/** As `gunzipIfNeeded`, but keeps what can be read of a cut or damaged gzip and returns the error beside it. */
export function gunzipReadable(bytes: Uint8Array, file: string): Unzipped {
  if (!isGzip(bytes)) return { bytes, damage: undefined };
  try {
    return { bytes: gunzipSync(bytes), damage: undefined };
  } catch (error) {
    return damageOf(bytes, error, file);
  }
}

function damageOf(bytes: Uint8Array, error: unknown, file: string): Unzipped {
  const [code, reason] = zlibError(error);
  if (code === 'Z_BUF_ERROR') {
    return { bytes: gunzipBeginning(bytes) ?? new Uint8Array(0), damage: gzipCut(file, bytes.length) };
  }
  if (code !== 'Z_DATA_ERROR') throw error;
  // zlib does not say where: the longest beginning that it takes ends there. A few bisections are exact enough, and
  // each costs as much as unzipping.
  const exactness = Math.max(1, bytes.length >>> 10);
  let good = 0;
  let goodBytes: Uint8Array = new Uint8Array(0);
  for (let bad = bytes.length; bad - good > exactness;) {
    const middle = (good + bad) >>> 1;
    const beginning = gunzipBeginning(bytes.subarray(0, middle));
    if (beginning === undefined) bad = middle;
    else [good, goodBytes] = [middle, beginning];
  }
  return { bytes: goodBytes, damage: gzipDamaged(file, good, reason) };
}

/** The error for a gzip file that ends at `byte`, too early. */
export function gzipCut(file: string, byte: number): P2mError {
  const expected = 'more compressed data and a checksum';
  return inputError('gzip file is cut', { file, byte, got: 'the end of the file', expected });
}

/** The error for a gzip file that zlib does not take, for the reason it gives, from `byte` on. */
export function gzipDamaged(file: string, byte: number, reason: string): P2mError {
  return inputError('gzip file is damaged', { file, byte, got: reason, expected: 'intact gzip data' });
}

/** The beginning of a gzip file unzipped, or `undefined` where even that is damaged. */
function gunzipBeginning(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    assert(zlibError(error)[0] !== '', 'unzipping fails for what the bytes hold only');
    // The header itself is not complete yet: nothing is wrong so far.
    return zlibError(error)[0] === 'Z_BUF_ERROR' ? new Uint8Array(0) : undefined;
  }
}

function zlibError(error: unknown): [code: string, reason: string] {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return ['', ''];
  return [error.code, error.message];
}
