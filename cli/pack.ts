import { closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { ExitCode, inputError, verifyLog } from '../events/index.js';
import { lockOf } from '../node/kept_log.js';
import { LockFile } from '../node/lock_file.js';
import { FolderStorage, logStorage } from '../node/log_storage.js';
import { counted } from './counted.js';
import { note, print } from './output.js';

/** `p2m pack LOG`: closed segments are compressed. */
export function addPack(program: Command): void {
  program
    .command('pack')
    .description('compress the closed segments of a log folder; every verb reads them as they are')
    .argument('<log>', 'a folder of segments')
    .option('--json', '{packed: [{file, bytes, packedBytes}]}')
    .addHelpText(
      'after',
      `
Each segment but the last becomes NAME.p2mlog.gz, which gunzip turns back into the same bytes; the chain is over those, so
p2m verify and its --head stay true. A closed log is packed whole. The log is verified first.
Exit: 0, 3 damaged, being written, or no folder of segments.

Example:
  p2m pack run`,
    )
    .action((path: string, { json = false }: { readonly json?: boolean }) => {
      const storage = logStorage(path);
      if (!(storage instanceof FolderStorage)) {
        throw inputError('not a folder of segments', { file: path, hint: `gzip ${path}: every verb reads it so` });
      }
      const lock = LockFile.take(lockOf(path));
      try {
        pack(storage, path, json);
      } finally {
        lock.release();
      }
      process.exitCode = ExitCode.ok;
    });
}

function pack(storage: FolderStorage, path: string, json: boolean): void {
  const end = verified(storage);
  const names = storage.list();
  const closed = end === 'closed' ? names : names.slice(0, -1);
  const packed = closed.filter((name) => !name.endsWith('.gz')).map((name) => packSegment(storage, name));
  storage.syncFolder();
  if (json) return print(JSON.stringify({ packed }));
  for (const { file, bytes, packedBytes } of packed) print(`${file}: ${bytes} -> ${packedBytes} bytes`);
  note(`${path}: ${counted(packed.length, 'segment')} packed of ${names.length}`);
}

/** How the log ends. @throws {P2mError} it is damaged or torn */
function verified(storage: FolderStorage): string {
  const verification = verifyLog(storage);
  const next = verification.next();
  if (next.done !== true) throw next.value;
  return next.value.end;
}

/** The whole segment is there under one name or the other at any moment. */
function packSegment(storage: FolderStorage, name: string): { file: string; bytes: number; packedBytes: number } {
  const path = storage.pathOf(name);
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes);
  if (!gunzipSync(gzip).equals(bytes)) throw new Error(`gzip does not give ${path} back`);
  const [file, temporary] = [`${path}.gz`, `${path}.gz.new`];
  writeFileSync(temporary, gzip);
  const fd = openSync(temporary, 'r+');
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, file);
  // Else a power cut may keep the name that goes and not the one that comes.
  storage.syncFolder();
  unlinkSync(path);
  return { file, bytes: bytes.length, packedBytes: gzip.length };
}
