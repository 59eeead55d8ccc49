import { expect } from 'vitest';
import { EventBatch, Global, mfnWord, type OperationName } from '../../../events/index.js';
import { Random } from '../../../replay/index.js';
import {
  apply,
  bootSequence,
  Domain,
  formByKernel,
  GEOMETRIES,
  joinDomain,
  memoryOf,
  RingMerge,
  shareDomain,
  type Form,
  type GeometryName,
  type JoinedDomain,
  type Memory,
  type SharedDomain,
} from '../../../src/index.js';

/** A domain that is shared, its threads, and a twin whose memory the drained events are applied to. */
export interface Joined {
  readonly shared: SharedDomain;
  readonly threads: readonly JoinedDomain[];
  readonly merge: RingMerge;
  readonly memory: Memory;
  readonly twin: Memory;
}

/** What a domain of so many threads is made of. */
export interface JoinedOptions {
  readonly kernel: string | Form;
  readonly geometry?: GeometryName;
  readonly memory?: 'paged' | 'flat';
  readonly threads?: number;
  readonly rows?: number;
}

/** Pfns of the list: some populated, a hole, identity, and extra memory. */
export const LIST_END = 64;

function boot({ kernel, geometry = 'tiny', memory = 'paged', threads = 3 }: JoinedOptions): Domain {
  const form = typeof kernel === 'string' ? formByKernel(kernel) : kernel;
  const domain = new Domain({
    form,
    geometry: GEOMETRIES[geometry],
    memory,
    nrPages: 32,
    maxPfn: LIST_END,
    cpus: threads,
    sparePages: 64,
  });
  bootSequence(domain, {
    nrPages: 32,
    firstEntry: mfnWord(1000),
    holes: [{ pfnStart: 8, pfnEnd: 16 }],
    identity: [{ pfnStart: 20, pfnEnd: 28 }],
    extra: [{ pfnStart: 32, pfnEnd: LIST_END }],
  });
  return domain;
}

/** A domain that its threads have joined. */
export function joined(options: JoinedOptions): Joined {
  const domain = boot(options);
  domain.flush();
  const shared = shareDomain(domain, options.rows ?? 1024);
  const threads = shared.rings.map((_, thread) => joinDomain(shared, thread));
  const rings = shared.rings.map((ring) => new Int32Array(ring));
  const merge = new RingMerge(new Int32Array(shared.control), rings);
  return { shared, threads, merge, memory: memoryOf(shared), twin: boot(options).memory };
}

/** Drains all that is ready, and makes it true in the twin: an event that does not fit what is there throws. */
export function drain({ merge, twin }: Joined, seen?: EventBatch): number {
  const batch = new EventBatch(64);
  let count = 0;
  while (merge.drain(batch, 64) > 0) {
    for (let i = 0; i < batch.length; i++) {
      apply(twin, batch, i);
      seen?.copyRow(batch, i, -1);
    }
    count += batch.length;
    batch.clear();
  }
  return count;
}

/** The memory is what the drained events make of the twin, word for word. */
export function expectEqualMemories({ memory, twin }: Joined): void {
  expect(firstDifference(twin.words, memory.words)).toBe(-1);
  expect(firstDifference(twin.roles, memory.roles)).toBe(-1);
  expect(firstDifference(twin.homes, memory.homes)).toBe(-1);
}

/** Where two arrays differ first; -1 nowhere. */
function firstDifference(a: Int32Array | Uint8Array, b: Int32Array | Uint8Array): number {
  return a.length === b.length ? a.findIndex((value, i) => value !== b[i]) : Math.min(a.length, b.length);
}

/** Begins an operation of thread `thread`, a set or a look-up, and says which. */
export function beginSome({ threads }: Joined, thread: number, random: Random, value: number): OperationName {
  const { domain } = threads[thread]!;
  const pfn = random.below(LIST_END);
  if (random.below(3) === 0) {
    domain.begin('__pfn_to_mfn', domain.machines.pfnToMfnRaw, pfn, 0, 0, thread);
    return '__pfn_to_mfn';
  }
  domain.begin('set_phys_to_machine', domain.machines.setPhysToMachine, pfn, mfnWord(value), 0, thread);
  return 'set_phys_to_machine';
}

/** Steps threads at random, each through `operations` operations, draining now and then. */
export function runAtRandom(all: Joined, seed: number, operations: number, seen?: EventBatch): void {
  const random = new Random(seed);
  const left = all.threads.map(() => operations);
  const open: (OperationName | undefined)[] = all.threads.map(() => undefined);
  for (let value = 5000; left.some((count) => count > 0) || open.some((name) => name !== undefined);) {
    const thread = random.below(all.threads.length);
    const { domain } = all.threads[thread]!;
    const cpu = domain.cpus[thread]!;
    const name = open[thread];
    if (name === undefined) {
      if (left[thread]! === 0) continue;
      left[thread]!--;
      open[thread] = beginSome(all, thread, random, value++);
    } else if (cpu.state === 'running') {
      // A row that waits for the modelled lock would wait here for the thread that has no turn.
      if (cpu.row.step !== 'lock' || all.memory.words[Global.p2m_update_lock] === 0) cpu.step();
    } else {
      domain.close(name, thread, cpu);
      open[thread] = undefined;
    }
    if (random.below(8) === 0) drain(all, seen);
  }
  drain(all, seen);
}
