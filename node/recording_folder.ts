import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordingFiles } from '../replay/index.js';
import { readFilePieces } from './log_file.js';

/** The files of a recording's folder, for `replayRecording`. A name with a path in it is no file of the folder. */
export function recordingFolder(folder: string): RecordingFiles {
  const pathOf = (name: string): string | undefined => {
    if (name.includes('/') || name.includes('\\') || name.startsWith('.')) return undefined;
    const path = join(folder, name);
    return existsSync(path) ? path : undefined;
  };
  return {
    read: (name) => {
      const path = pathOf(name);
      return path === undefined ? undefined : readFileSync(path);
    },
    open: (name) => {
      const path = pathOf(name);
      return path === undefined ? undefined : readFilePieces(path);
    },
  };
}
