/**
 * A contestant's process: `node racer.js RACE CONTESTANT FOLDER [tiny]`. Sets up and warms up, says `ready`, then answers each line
 * `go` with `PROCESSOR_NS CLOCK_NS UNITS CHECKSUM RESIDENT_BYTES`, or `cannot WHY`. The C program in c/ speaks the same protocol.
 *
 * The processor time is that of the whole process, collector and compiler threads included: on a machine that others
 * use, it leaves out only the waiting for a processor. As a worker thread, this file is a second thread of a contestant.
 */
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { isMainThread } from 'node:worker_threads';
import { CannotRun, type Race, type Setting, type Work } from './contest.js';
import { tableRaces } from './table.js';

const WARM_UPS = 5;

if (isMainThread) {
  try {
    await race();
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    process.stdout.write(`cannot ${error.message}\n`);
  }
  // Not before all is written, and whatever a worker thread is doing.
  process.stdout.write('', () => process.exit());
} else {
  const { runSecondThread } = await import('./second_thread.js');
  runSecondThread();
}

async function race(): Promise<void> {
  const [raceName, name, folder, tiny] = process.argv.slice(2);
  const run = await raceNamed(raceName!);
  const contestant = run.contestants.find((each) => each.name === name);
  if (contestant === undefined || !('node' in contestant)) throw new Error(`no contestant ${raceName} ${name}`);
  const setting: Setting = { folder: folder!, tiny: tiny === 'tiny' };
  const work = await contestant.node(setting);
  for (let i = 0; i < (setting.tiny ? 1 : (run.warmUps ?? WARM_UPS)); i++) await once(work);
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'go') break;
    process.stdout.write(`${await once(work)}\n`);
  }
}

/** One run, and what is to be answered of it. */
async function once(work: Work): Promise<string> {
  await work.prepare?.();
  const began = performance.now();
  const begin = process.cpuUsage();
  const doing = work.run();
  const { count, check, threadNs } = doing instanceof Promise ? await doing : doing;
  const { user, system } = process.cpuUsage(begin);
  const clockNs = Math.round((performance.now() - began) * 1e6);
  await work.settle?.();
  const resident = process.resourceUsage().maxRSS * 1024;
  return [threadNs ?? (user + system) * 1e3, clockNs, count, check >>> 0, resident].join(' ');
}

/** Those of the table come first: the others are for who develops this. */
async function raceNamed(name: string): Promise<Race> {
  const found =
    tableRaces().find((each) => each.name === name) ??
    (await import('./races.js')).RACES.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no race ${name}`);
  return found;
}
