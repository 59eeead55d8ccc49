import { Operation, type OperationName } from '../../../events/index.js';
import {
  bootStressDomain,
  OperationStream,
  stressDomainOptions,
  stressLayout,
  workloadOf,
  type StressLayout,
  type Untouched,
  type Workload,
  type WorkloadText,
} from '../../../replay/index.js';
import { Domain, formByKernel, geometryByName, Grant, type Machine } from '../../../src/index.js';

/** A stress domain and the streams of its threads, in one thread. */
export interface StressRunOptions extends WorkloadText {
  readonly kernel?: string;
  readonly geometry?: string;
  readonly memory?: 'paged' | 'flat';
  readonly threads?: number;
  readonly seed?: number;
  readonly pfns?: number;
  readonly regions?: number;
  readonly untouched?: Untouched;
}

/** Layout, workload and streams of a run. */
export interface StressStreams {
  readonly workload: Workload;
  readonly layout: StressLayout;
  readonly streams: readonly OperationStream[];
}

/** The streams, on a layout that nobody boots. */
export function stressStreams(options: StressRunOptions): StressStreams {
  const { kernel = '7.0', geometry = 'x86_64', threads = 3, seed = 1, pfns, regions, untouched } = options;
  const workload = workloadOf(options);
  const layout = stressLayout({
    form: formByKernel(kernel),
    geometry: geometryByName(geometry),
    mix: workload.mix,
    pfns,
    regions,
    untouched,
  });
  const tickets = new Int32Array(1);
  const streams = Array.from(
    { length: threads },
    (_, thread) => new OperationStream({ workload, layout, thread, threads, seed, tickets }),
  );
  return { workload, layout, streams };
}

/** A domain that is booted for the streams, one CPU each, and what its events say that they must not. */
export function stressDomain(
  layout: StressLayout,
  threads: number,
  memory: 'paged' | 'flat',
  onEvent: (kind: number) => void,
): Domain {
  const domain = new Domain({
    ...stressDomainOptions(layout, threads, memory),
    onEvents: (batch) => batch.kind.subarray(0, batch.length).forEach(onEvent),
  });
  bootStressDomain(domain, layout);
  return domain;
}

/** Runs what the stream says on a CPU, to its end. */
export function operate(domain: Domain, stream: OperationStream, cpu: number): ReturnType<Domain['run']> {
  const { operation, pfn, value, count, slotPfn, slotMfn } = stream;
  const [name, machine] = machineOf(domain, operation);
  if (operation === Operation.set_foreign_p2m_mapping || operation === Operation.clear_foreign_p2m_mapping) {
    for (let slot = 0; slot < count; slot++) {
      domain.setGrant(slot, Grant.pfn, slotPfn[slot]!);
      domain.setGrant(slot, Grant.mfn, slotMfn[slot]!);
    }
  }
  return domain.run(name, machine, pfn, value, count, cpu);
}

/** The machine of an operation by its number, and its kernel name. */
export function machineOf({ machines }: Domain, operation: number): readonly [OperationName, Machine] {
  switch (operation) {
    case Operation.__pfn_to_mfn:
      return ['__pfn_to_mfn', machines.pfnToMfnRaw];
    case Operation.set_phys_to_machine:
      return ['set_phys_to_machine', machines.setPhysToMachine];
    case Operation.decrease_reservation:
      return ['decrease_reservation', machines.decreaseReservation];
    case Operation.increase_reservation:
      return ['increase_reservation', machines.increaseReservation];
    case Operation.set_foreign_p2m_mapping:
      return ['set_foreign_p2m_mapping', machines.setForeignP2mMapping];
    case Operation.clear_foreign_p2m_mapping:
      return ['clear_foreign_p2m_mapping', machines.clearForeignP2mMapping];
    default:
      throw new Error(`operation ${operation}`);
  }
}
