/**
 * Kills threads of stress rounds at random moments, again and again, and looks each time whether the log is what memory is:
 * `npm run campaign:kills -- --runs 1000 --seed 1`.
 */
import { parseArgs } from 'node:util';
import type { EventBatch } from '../events/index.js';
import { StressRound, StressWorkers, type StressRoundEnd } from '../node/index.js';
import {
  bootStressDomain,
  Random,
  stressDomainOptions,
  stressLayout,
  workloadOf,
  type StressJob,
} from '../replay/index.js';
import { apply, Control, Domain, formByKernel, GEOMETRIES, memoryOf, shareDomain } from '../src/index.js';

const THREADS = 3;
const ROUND_MS = 40;

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const runs = Number(values.runs);
const random = new Random(Number(values.seed));
const workers = new StressWorkers();
const found = { killed: 0, heldLock: 0, finished: 0, stuck: 0, failed: 0 };
const finishedKinds = new Map<string, number>();

/** A fresh domain, as its threads will find it. */
function boot(mix: string): { readonly domain: Domain; readonly job: Pick<StressJob, 'layout' | 'workload'> } {
  const workload = workloadOf({ mix, skew: 'hot-leaf' });
  const geometry = GEOMETRIES.x86_64;
  const layout = stressLayout({ form: formByKernel('7.0'), geometry, mix: workload.mix, pfns: 2 ** 14 });
  const domain = new Domain(stressDomainOptions(layout, THREADS));
  bootStressDomain(domain, layout);
  return { domain, job: { workload, layout } };
}

/** One round with a kill or two. What is wrong with it; undefined: nothing. */
async function run(mix: string): Promise<string | undefined> {
  const { domain, job } = boot(mix);
  const twin = boot(mix).domain.memory;
  const shared = shareDomain(domain);
  const tickets = new Int32Array(new SharedArrayBuffer(4));
  const seed = random.below(2 ** 31);
  const round = new StressRound({
    shared,
    jobs: shared.rings.map((_, thread) => ({
      ...job,
      task: { shared, thread, operations: 2 ** 28 },
      seed,
      tickets,
      chaos: 0,
    })),
    log: { append: (batch: EventBatch) => applyAll(batch) },
    seq: 0,
    ms: ROUND_MS,
    kills: Array.from({ length: 1 + random.below(2) }, () => ({
      thread: random.below(THREADS),
      ms: random.below(ROUND_MS),
    })),
    workers,
  });
  const applyAll = (batch: EventBatch): void => {
    for (let i = 0; i < batch.length; i++) apply(twin, batch, i);
  };
  const end = await round.run();
  note(end);
  const memory = memoryOf(shared);
  if (end.logFailure !== undefined) return end.logFailure instanceof Error ? end.logFailure.message : 'the log failed';
  if (new Int32Array(shared.control)[Control.lock] !== 0) return "the engine's lock is held";
  return Buffer.from(twin.words.buffer).equals(Buffer.from(memory.words.buffer)) ? undefined : 'log and memory differ';
}

function note({ threads }: StressRoundEnd): void {
  for (const { kind, recovered } of threads) {
    if (kind === 'stuck') found.stuck++;
    if (kind === 'failed') found.failed++;
    if (kind !== 'killed') continue;
    found.killed++;
    if (recovered.heldLock) found.heldLock++;
    if (recovered.finished === undefined) continue;
    found.finished++;
    finishedKinds.set(recovered.finished, (finishedKinds.get(recovered.finished) ?? 0) + 1);
  }
}

const MIXES = ['sets', 'leaves', 'balloon', 'default'];
let failed = 0;
for (let n = 0; n < runs; n++) {
  const wrong = await run(MIXES[n % MIXES.length]!);
  if (wrong === undefined) continue;
  failed++;
  console.log(`run ${n}: ${wrong}`);
}
await workers.end();
const kinds = [...finishedKinds].map(([name, count]) => `${name} ${count}`).join(', ');
console.log(
  `kills: ${runs - failed} passed, ${failed} failed; ${found.killed} threads killed, ${found.heldLock} with the engine's lock, ` +
    `${found.finished} in the middle of an event (${kinds}); ${found.stuck} others hung on p2m_update_lock, ${found.failed} failed; seed ${values.seed}`,
);
process.exitCode = failed > 0 || found.failed > 0 ? 1 : 0;
