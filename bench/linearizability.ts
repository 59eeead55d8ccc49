/**
 * `node dist/bench/linearizability.js [OPERATIONS]`: checks logs of so many operations (default: 10 million) for
 * linearizability, each in a process of its own, and says how long the whole check took and how much memory.
 */
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { TemporaryFolder } from '../node/temporary_folder.js';
import { ACCESS_MIXES, linearizabilityChecks } from './works/linearizability.js';

const OPERATIONS = 10_000_000;

const [operations = String(OPERATIONS), mixName, folder] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(operations)) {
  process.stderr.write('want a number of operations, 1 or more\n');
  process.exit(2);
}
if (folder === undefined) checkAll();
else await check(mixName!, folder);

/** Twice in processes of their own: the first writes the log, so that its memory is not counted. */
function checkAll(): void {
  const temporary = new TemporaryFolder('bench');
  const script = fileURLToPath(import.meta.url);
  for (const name of Object.keys(ACCESS_MIXES)) {
    for (const isWritten of [false, true]) {
      const { stdout, status } = spawnSync(process.execPath, [script, operations, name, temporary.path], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (status !== 0) process.exit(1);
      if (isWritten) process.stdout.write(stdout);
    }
  }
  temporary.remove();
}

async function check(name: string, path: string): Promise<void> {
  const work = linearizabilityChecks(Number(operations), ACCESS_MIXES[name]!, { folder: path, tiny: false });
  const began = performance.now();
  const begin = process.cpuUsage();
  const { count, check: pfns } = await work.run();
  const { user, system } = process.cpuUsage(begin);
  const clock = (performance.now() - began) / 1e3;
  const processor = (user + system) / 1e6;
  const resident = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(
    `${name}: ${count} operations on ${pfns} pfns, ${clock.toFixed(2)} s (processor ${processor.toFixed(2)} s), ${resident.toFixed(0)} MiB\n`,
  );
}
