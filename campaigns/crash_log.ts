/**
 * Kills a writer at random moments, again and again, and looks each time whether all that it acknowledged is in its log, and
 * nothing wrong: `npm run campaign:crash -- --runs 1000 --seed 1`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FolderStorage } from '../node/log_storage.js';
import { crashRun, faultAt, SHORT_RUN, truth, wrongWith } from '../test/events/log/crash_run.js';
import { seeded, type Fault } from '../test/events/log/faulty_disk.js';

/** Runs on one log, one after the other. */
const RUNS_A_LOG = 10;
const FAULTS: readonly Fault[] = ['power', 'kill', 'ENOSPC', 'EIO', 'EINTR'];

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const chance = seeded(seed);
const folder = mkdtempSync(join(tmpdir(), 'p2m-crash-'));
let lines: readonly string[] = [];

/** One writer, from its start to its death; what it acknowledged. */
async function killedWriter(program: string, log: string, run: number): Promise<number> {
  const child = spawn(process.execPath, [program, log, String(seed + run)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => (told += text));
  const closed = once(child, 'close');
  if (chance() < 0.9) await Promise.race([once(child.stdout, 'data'), closed]);
  await sleep(chance() * 60);
  child.kill('SIGKILL');
  await closed;
  return Number(told.trimEnd().split('\n').at(-1));
}

async function kills(): Promise<number> {
  const program = fileURLToPath(new URL('crash_writer.js', import.meta.url));
  let failed = 0;
  let acknowledged = 0;
  let events = 0;
  for (let run = 0; run < runs; run++) {
    const log = join(folder, `log-${Math.floor(run / RUNS_A_LOG)}`);
    if (run % RUNS_A_LOG === 0) acknowledged = 0;
    acknowledged = Math.max(acknowledged, await killedWriter(program, log, run));
    if (lines.length < acknowledged + 1000) lines = truth(2 * acknowledged + 1000);
    const wrongs = wrongWith(new FolderStorage(log, true), acknowledged, lines);
    for (const wrong of wrongs) console.log(`run ${run}: ${wrong}`);
    if (wrongs.length > 0) failed++;
    if (run % RUNS_A_LOG === RUNS_A_LOG - 1 || run === runs - 1) {
      events += acknowledged;
      rmSync(log, { recursive: true });
    }
  }
  console.log(`SIGKILL: ${runs - failed} passed, ${failed} failed, ${events} events acknowledged, seed ${seed}`);
  return failed;
}

/** Random faults of a disk in memory, one to three a run, in up to three processes. */
async function faults(): Promise<number> {
  let failed = 0;
  for (let run = 0; run < runs; run++) {
    const choose = seeded(seed * 1_000_003 + run);
    const plans = Array.from({ length: 1 + Math.floor(choose() * 3) }, () =>
      faultAt(Math.floor(choose() * 300), FAULTS[Math.floor(choose() * FAULTS.length)]!, 1 + Math.floor(choose() * 3)),
    );
    const { wrongs } = await crashRun({ ...SHORT_RUN, appends: 120, segmentBytes: 4000 }, plans, choose);
    for (const wrong of wrongs) console.log(`faults ${run}: ${wrong}`);
    if (wrongs.length > 0) failed++;
  }
  console.log(`faults: ${runs - failed} passed, ${failed} failed, seed ${seed}`);
  return failed;
}

try {
  const failed = (await kills()) + (await faults());
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
