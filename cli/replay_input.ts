import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inputError, usageError } from '../events/index.js';
import type { DumpSource, LogInput, RecordingFiles } from '../replay/index.js';
import { readBytes, readInput, readPieces } from './input.js';
import type { Progress } from './progress.js';

/** Dumps beside a log, as the command line names them. */
export interface ReplayDumps {
  readonly init?: string;
  readonly initPt?: string;
  readonly expect?: string;
  readonly expectPt?: string;
}

/** Files of a recording's folder by name; a name with a path in it is none. @throws {P2mError} dumps are given beside it */
export function folderFiles(
  folder: string,
  { init, initPt, expect, expectPt }: ReplayDumps,
  progress: Progress,
): RecordingFiles {
  if ([init, initPt, expect, expectPt].some((option) => option !== undefined)) {
    throw usageError('a recording names its dumps itself', {
      got: `--init or --expect with ${folder}`,
      expected: 'a log',
    });
  }
  const pathOf = (name: string): string | undefined => {
    if (name.includes('/') || name.includes('\\') || name.startsWith('.')) return undefined;
    const file = join(folder, name);
    return existsSync(file) ? file : undefined;
  };
  return {
    read: (name) => {
      const file = pathOf(name);
      if (file !== undefined) return readBytes(file);
      if (!name.startsWith('replay.json') || pathOf('replay.json') !== undefined) return undefined;
      if (pathOf('replay.json.gz') !== undefined) return undefined;
      throw inputError('not a recording: no replay.json', {
        file: join(folder, 'replay.json'),
        hint: 'a log by itself is given as the file',
      });
    },
    open: (name) => {
      const file = pathOf(name);
      return file === undefined ? undefined : progress.watch(readPieces(file), file);
    },
  };
}

/** A log by itself, with the dumps of the command line. @throws {P2mError} code `usage`: they do not go together */
export function logInput(path: string, options: ReplayDumps, progress: Progress): LogInput {
  const { init, initPt, expect, expectPt } = options;
  if (init === undefined && initPt !== undefined) throw usageError('--init-pt without --init');
  if (expect === undefined && expectPt !== undefined) throw usageError('--expect-pt without --expect');
  if ([path, init, initPt, expect, expectPt].filter((file) => file === '-').length > 1) {
    throw usageError('two files from stdin', { expected: '- once' });
  }
  const log = path === '-' ? 'stdin' : path;
  return {
    log,
    pieces: progress.watch(readPieces(path), path),
    from: init === undefined ? undefined : dumpSource(init, initPt),
    to: expect === undefined ? undefined : dumpSource(expect, expectPt),
  };
}

function dumpSource(dump: string, kinds: string | undefined): DumpSource {
  return {
    name: dump,
    read: () => ({
      words: { bytes: readInput(dump), file: dump },
      kinds: kinds === undefined ? undefined : { bytes: readInput(kinds), file: kinds },
      info: undefined,
    }),
  };
}
