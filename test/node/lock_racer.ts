/**
 * A process that takes the lock again and again, and says in a journal when it has it: `node lock_racer.js LOCK JOURNAL`.
 * It ends when it is killed.
 */
import { appendFileSync } from 'node:fs';
import { pid } from 'node:process';
import { LockFile } from '../../node/lock_file.js';

const [lockPath, journal] = process.argv.slice(2) as [string, string];
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number): unknown => Atomics.wait(sleeper, 0, 0, ms);

for (let tenure = 0; ;) {
  let lock: LockFile | undefined;
  try {
    lock = LockFile.take(lockPath);
  } catch {
    sleep(1);
    continue;
  }
  tenure++;
  // Several lines, each one write at the end of the file: if two have the lock, their lines stand among each other.
  for (const word of ['takes', 'holds', 'holds', 'gives']) {
    appendFileSync(journal, `${pid} ${tenure} ${word}\n`);
    if (word === 'holds') sleep(1);
  }
  lock.release();
  sleep(1);
}
