import type { Command } from 'commander';
import { ExitCode, repairLog } from '../events/index.js';
import { lockOf } from '../node/kept_log.js';
import { LockFile } from '../node/lock_file.js';
import { logStorage } from '../node/log_storage.js';
import { counted } from './counted.js';
import { print } from './output.js';

/** `p2m repair LOG`: a torn end is cut. */
export function addRepair(program: Command): void {
  program
    .command('repair')
    .description('cut what a killed writer has left half-written at the end of a binary log, and nothing else')
    .argument('<log>', 'a .p2mlog file, or a folder of segments')
    .option('--json', '{cuts: [{file, byte, bytes, kept, why}]}')
    .addHelpText(
      'after',
      `
What is cut is kept beside the log, in NAME.cut-BYTE. A log that is damaged in its middle is left as it is: see p2m verify.
Whoever opens the log to write on does the same by itself.
Exit: 0 cut, or nothing to cut; 3 damaged elsewhere, being written, or no log.

Example:
  p2m repair run.p2mlog`,
    )
    .action(async (path: string, { json = false }: { readonly json?: boolean }) => {
      const lock = LockFile.take(lockOf(path));
      try {
        const cuts = await repairLog(logStorage(path));
        if (json) print(JSON.stringify({ cuts }));
        else if (cuts.length === 0) print(`${path}: nothing to cut`);
        for (const { file, byte, bytes, kept, why } of json ? [] : cuts) {
          print(`${file}: cut ${counted(bytes, 'byte')} from byte ${byte} on, kept in ${kept}`);
          print(`  ${why.split('\n')[0]!}`);
        }
      } finally {
        lock.release();
      }
      process.exitCode = ExitCode.ok;
    });
}
