import { constants, gunzipSync } from 'node:zlib';
import { assert, inputError, type P2mError } from '../../events/index.js';

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
    throw damageOf(bytes, error, file);
  }
}

/** What is wrong with a gzip that zlib did not take. */
function damageOf(bytes: Uint8Array, error: unknown, file: string): P2mError {
  const [code, reason] = zlibError(error);
  if (code === 'Z_BUF_ERROR') return gzipCut(file, bytes.length);
  if (code !== 'Z_DATA_ERROR') throw error;
  // zlib does not say where: the longest beginning that it takes ends there. A few bisections are exact enough, and
  // each costs as much as unzipping.
  const exactness = Math.max(1, bytes.length >>> 10);
  let good = 0;
  for (let bad = bytes.length; bad - good > exactness;) {
    const middle = (good + bad) >>> 1;
    if (isGoodBeginning(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return gzipDamaged(file, good, reason);
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

/** Whether the beginning of a gzip file is right as far as it goes. */
function isGoodBeginning(bytes: Uint8Array): boolean {
  try {
    gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    return true;
  } catch (error) {
    const [code] = zlibError(error);
    assert(code !== '', 'unzipping fails for what the bytes hold only');
    // The header itself is not complete yet: nothing is wrong so far.
    return code === 'Z_BUF_ERROR';
  }
}

function zlibError(error: unknown): [code: string, reason: string] {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return ['', ''];
  return [error.code, error.message];
}
