/**
 * A contestant's process: `node child.js RACE CONTESTANT`. Sets up and warms up, says `ready`, then answers each line
 * `go` with `NANOSECONDS UNITS CHECKSUM`. The C program in c/ speaks the same protocol.
 *
 * The time is the processor time of the whole process, collector and compiler threads included: on a machine that others
 * use, it leaves out only the waiting for a processor.
 */
import { createInterface } from 'node:readline';
import { RACES } from './races.js';

const WARM_UPS = 5;

const [raceName, name] = process.argv.slice(2);
const contestant = RACES.find((race) => race.name === raceName)?.contestants.find((each) => each.name === name);
if (contestant === undefined || !('node' in contestant)) throw new Error(`no contestant ${raceName} ${name}`);

const work = await contestant.node();
for (let i = 0; i < WARM_UPS; i++) {
  work.prepare?.();
  work.run();
}
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'go') break;
  work.prepare?.();
  const begin = process.cpuUsage();
  const { count, check } = work.run();
  const { user, system } = process.cpuUsage(begin);
  const ns = (user + system) * 1e3;
  process.stdout.write(`${ns} ${count} ${check >>> 0}\n`);
}
