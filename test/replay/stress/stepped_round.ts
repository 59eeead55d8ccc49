import { BatchLog, EventBatch, payloadColumn } from '../../../events/index.js';
import {
  bootStressDomain,
  mutantKernel,
  OperationStream,
  Random,
  stressDomainOptions,
  stressLayout,
  workloadOf,
  type Untouched,
} from '../../../replay/index.js';
import { Domain, formByKernel, geometryByName, headerOf, type Memory } from '../../../src/index.js';
import { machineOf } from './stress_run.js';

/** A round in one thread: whose CPU steps next is drawn, so that everything is the same again with the same seed. */
export interface SteppedRoundOptions {
  readonly kernel?: string;
  readonly mutant?: string;
  readonly geometry?: string;
  readonly memory?: 'paged' | 'flat';
  readonly cpus?: number;
  readonly mix?: string;
  readonly skew?: string;
  readonly share?: boolean;
  readonly pfns?: number;
  readonly regions?: number;
  readonly untouched?: Untouched;
  /** Operations of each CPU. */
  readonly operations?: number;
  readonly seed?: number;
  readonly failFrom?: number;
  /** The round is cut off after so many steps. */
  readonly steps?: number;
}

/** A round that is over. */
export interface SteppedRound {
  readonly log: BatchLog;
  readonly memory: Memory;
}

const BLOCK = 1000;
/** Steps of CPUs that wait for each other before the round is given up. */
const STUCK = 20_000;

/** Plays a round; a CPU that dies stays where it is, one that waits for a lock for ever as well. */
export function steppedRound(options: SteppedRoundOptions): SteppedRound {
  const {
    kernel = '7.0',
    geometry = 'tiny',
    memory = 'paged',
    cpus = 3,
    operations = 40,
    seed = 1,
    failFrom = 0,
  } = options;
  const form = formByKernel(kernel);
  const workload = workloadOf(options);
  const layout = stressLayout({
    form,
    geometry: geometryByName(geometry),
    mix: workload.mix,
    pfns: options.pfns,
    regions: options.regions,
    untouched: options.untouched,
  });
  const batches: EventBatch[] = [];
  const changed = options.mutant === undefined ? {} : mutantKernel(form, options.mutant);
  const domain = new Domain({
    ...stressDomainOptions(layout, cpus, memory),
    ...changed,
    onEvents(batch) {
      for (let i = 0; i < batch.length; i++) {
        if (batches.length === 0 || batches.at(-1)!.length === BLOCK) batches.push(new EventBatch(BLOCK));
        batches.at(-1)!.copyRow(batch, i, payloadColumn(batch.kind[i]!));
      }
    },
  });
  bootStressDomain(domain, layout);
  domain.armFailure(0, failFrom);
  const tickets = new Int32Array(1);
  const streams = Array.from(
    { length: cpus },
    (_, thread) => new OperationStream({ workload, layout, thread, threads: cpus, seed, tickets }),
  );
  run(domain, streams, operations, new Random(seed), options.steps ?? Infinity);
  domain.flush();
  const header = { ...headerOf(domain, 'a stepped round'), kernel: form.name };
  return { log: new BatchLog('round.p2mlog', header, domain.memory.codec, batches), memory: domain.memory };
}

function run(
  domain: Domain,
  streams: readonly OperationStream[],
  operations: number,
  random: Random,
  steps: number,
): void {
  const left = streams.map(() => operations);
  const names = streams.map((stream) => machineOf(domain, stream.operation || 15)[0]);
  const able = new Set(streams.keys());
  let events = 0;
  let idle = 0;
  for (let step = 0; able.size > 0 && step < steps && idle < STUCK; step++) {
    const cpu = [...able][random.below(able.size)]!;
    const stream = streams[cpu]!;
    const runner = domain.cpus[cpu]!;
    if (runner.state !== 'running') {
      if (left[cpu]!-- === 0 || !stream.next()) {
        able.delete(cpu);
        continue;
      }
      const [name, machine] = machineOf(domain, stream.operation);
      names[cpu] = name;
      domain.begin(name, machine, stream.pfn, stream.value, stream.count, cpu);
    } else {
      runner.step();
      if ((runner.state as string) !== 'running') {
        domain.close(names[cpu]!, cpu, runner);
        if ((runner.state as string) !== 'idle') able.delete(cpu);
      }
    }
    idle = domain.batch.length === events ? idle + 1 : 0;
    events = domain.batch.length;
  }
}
