import { readBatchLog, type StoredLog } from '../events/index.js';
import { openLog } from '../replay/index.js';
import { readPieces } from './input.js';

/** The log that questions are asked of. @throws {P2mError} it cannot be read */
export async function openStoredLog(path: string): Promise<StoredLog> {
  const { pieces } = await openLog(readPieces(path), path);
  return readBatchLog(pieces, path);
}
