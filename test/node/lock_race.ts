/** Processes that race for a lock while they are killed, and what their journal says of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { rolldown } from 'rolldown';

/** What came of a race. */
export interface LockRace {
  /** How often somebody got the lock. */
  readonly tenures: number;
  /** Tenures that a kill ended, and the next owner took over. */
  readonly takenOver: number;
  /** What is wrong, in words. */
  readonly wrongs: readonly string[];
}

/**
 * Lets `racers` processes race for a lock in `folder`, and kills the one that has it, `kills` times.
 * @param stallMs most time that may go by without anybody getting it
 */
export async function raceForLock(folder: string, racers: number, kills: number, stallMs = 10_000): Promise<LockRace> {
  const racer = await bundle(fileURLToPath(new URL('lock_racer.ts', import.meta.url)), folder);
  const journal = join(folder, 'journal');
  const start = (): ChildProcess =>
    spawn(process.execPath, [racer, join(folder, 'log.lock'), journal], { stdio: ['ignore', 'inherit', 'inherit'] });
  const running = new Map<number, ChildProcess>();
  const add = (child: ChildProcess): unknown => running.set(child.pid!, child);
  const killed = new Set<number>();
  try {
    for (let i = 0; i < racers; i++) add(start());
    let seen = '';
    for (let i = 0; i < kills; i++) {
      const owner = await newOwner(journal, seen, killed, stallMs);
      if (owner === undefined) break;
      seen = owner.tenure;
      const child = running.get(owner.pid)!;
      killed.add(owner.pid);
      running.delete(owner.pid);
      child.kill('SIGKILL');
      add(start());
    }
    // The last dead one is taken over, too.
    await newOwner(journal, seen, killed, stallMs);
  } finally {
    await Promise.all([...running.values()].map(end));
  }
  for (const pid of running.keys()) killed.add(pid);
  return judge(readFileSync(journal, 'latin1'), killed);
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** The last tenure of the journal, once it is another than `seen`, and not of one that had begun it before it was killed. */
async function newOwner(
  journal: string,
  seen: string,
  killed: ReadonlySet<number>,
  stallMs: number,
): Promise<{ readonly pid: number; readonly tenure: string } | undefined> {
  const end = Date.now() + stallMs;
  while (Date.now() < end) {
    await sleep(1);
    const line = existsSync(journal) ? readFileSync(journal, 'latin1').trimEnd().split('\n').at(-1)! : '';
    const [pid, tenure] = line.split(' ');
    if (tenure === undefined || `${pid} ${tenure}` === seen || killed.has(Number(pid))) continue;
    return { pid: Number(pid), tenure: `${pid} ${tenure}` };
  }
  return undefined;
}

/** Reads the journal of a race in which nobody ended but those that were killed. */
export function judge(journal: string, killed: ReadonlySet<number>): LockRace {
  const wrongs: string[] = [];
  const over = new Set<string>();
  let current = '';
  let gaveBack = true;
  let takenOver = 0;
  for (const line of journal.trimEnd().split('\n')) {
    const [pid, tenure, word] = line.split(' ');
    const owner = `${pid} ${tenure}`;
    if (owner !== current) {
      if (over.has(owner)) wrongs.push(`${line}: while ${current} has the lock`);
      if (!gaveBack && !killed.has(Number(current.split(' ')[0])))
        wrongs.push(`${line}: ${current} lives and has the lock`);
      if (!gaveBack) takenOver++;
      over.add(owner);
      current = owner;
    }
    gaveBack = word === 'gives';
  }
  return { tenures: over.size, takenOver, wrongs };
}

async function bundle(input: string, folder: string): Promise<string> {
  const file = join(folder, 'racer.mjs');
  const built = await rolldown({ input, platform: 'node', logLevel: 'silent' });
  await built.write({ file, format: 'esm' });
  await built.close();
  return file;
}
