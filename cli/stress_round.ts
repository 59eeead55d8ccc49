import { EventBatch, payloadColumn } from '../events/index.js';
import { keepLog, StressRound, type StressRoundEnd, type StressWorkers } from '../node/index.js';
import {
  bootStressDomain,
  mutantKernel,
  stressDomainOptions,
  type StressJob,
  type StressLayout,
  type Workload,
} from '../replay/index.js';
import { Domain, headerOf, memoryOf, shareDomain, type Memory } from '../src/index.js';

/** What the threads of a stress round do, and in which domain. */
export interface RoundPlan {
  readonly layout: StressLayout;
  readonly workload: Workload;
  readonly threads: number;
  readonly memory: 'paged' | 'flat';
  /** Name of a mutant of the kernel. */
  readonly mutant: string | undefined;
  /** Most operations of a thread. */
  readonly operations: number;
  /** Percent of the rows with a pause. */
  readonly chaos: number;
  /** Attempts to allocate after the boot: the one that fails, and the first of all that do; 0 none. */
  readonly failAt: number;
  readonly failFrom: number;
}

/** What is different in each round. */
export interface RoundTurn {
  readonly seed: number;
  /** Threads are asked to stop after so long. */
  readonly ms: number;
  readonly kills: readonly { readonly thread: number; readonly ms: number }[];
  readonly workers: StressWorkers;
  /** Where its log goes; there is none yet. */
  readonly path: string;
}

/** A round that is over. */
export interface PlayedRound {
  readonly end: StressRoundEnd;
  /** What the threads left. */
  readonly memory: Memory;
  /** Events of the boot, the first of the log. */
  readonly bootEvents: number;
}

/** Plays one round: a fresh domain, its threads, and its log, which is closed in the end. */
export async function playRound(
  plan: RoundPlan,
  { seed, ms, kills, workers, path }: RoundTurn,
  onRound: (round: StressRound) => void,
): Promise<PlayedRound> {
  const boot = new EventBatch();
  const domain = bootDomain(plan, boot);
  const log = keepLog(path, { sync: 'never' })(headerOf(domain), domain.memory.codec);
  await log.append(boot, 0);
  const shared = shareDomain(domain);
  const { layout, workload, chaos, operations, mutant } = plan;
  const tickets = new Int32Array(new SharedArrayBuffer(4));
  const jobs = shared.rings.map((_, thread): StressJob => {
    const task = { shared, thread, operations, ...(mutant === undefined ? {} : { mutant }) };
    return { task, layout, workload, seed, tickets, chaos };
  });
  const round = new StressRound({ shared, jobs, log, seq: boot.length, ms, kills, workers });
  onRound(round);
  const end = await round.run();
  await (end.logFailure === undefined ? log.close() : log.close().catch(() => undefined));
  return { end, memory: memoryOf(shared), bootEvents: boot.length };
}

function bootDomain({ layout, threads, memory, mutant, failAt, failFrom }: RoundPlan, boot: EventBatch): Domain {
  const kernel = mutant === undefined ? undefined : mutantKernel(layout.form, mutant);
  const domain = new Domain({
    ...stressDomainOptions(layout, threads, memory),
    // A log names its kernel; the mistake in it is the stress run's.
    ...(kernel === undefined ? {} : { form: { ...kernel.form, name: layout.form.name }, machines: kernel.machines }),
    onEvents(batch) {
      for (let i = 0; i < batch.length; i++) boot.copyRow(batch, i, payloadColumn(batch.kind[i]!));
    },
  });
  bootStressDomain(domain, layout);
  if (failAt > 0 || failFrom > 0) domain.armFailure(failAt, failFrom);
  domain.flush();
  return domain;
}
