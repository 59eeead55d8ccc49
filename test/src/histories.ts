import fc from 'fast-check';
import { EventBatch, Global, mfnWord, INVALID, payloadColumn, type EntryCodec } from '../../events/index.js';
import {
  alignUp,
  apply,
  Domain,
  FlatMemory,
  formByKernel,
  FORMS,
  GEOMETRIES,
  Grant,
  kernelOps as kernelOpsWord,
  PagedMemory,
  type Form,
  type GeometryName,
  type Memory,
  type Outcome,
} from '../../src/index.js';
import type { Range } from './domains.js';

/** Names of the forms with a linear list. */
export const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear').map((form) => form.name);

/** One thing that happens to a domain after boot; values as the vectors write them. */
export type Op =
  | { readonly op: 'set' | 'rawSet'; readonly pfn: number; readonly value: string }
  | { readonly op: 'alloc' | 'lookup' | 'get' | 'mfnToPfn'; readonly pfn: number }
  | { readonly op: 'balloon'; readonly pfn: number; readonly count: number; readonly mfn: number }
  | { readonly op: 'grant'; readonly pfn: number; readonly mfn: number; readonly kernelOps: number }
  | { readonly op: 'ungrant'; readonly pfn: number; readonly kernelOps: number }
  | { readonly op: 'fail'; readonly at: number; readonly from: number }
  | { readonly op: 'suspend' };

/** A domain's life: what it boots from, and what happens then. Everything in it is text and numbers, to be printed. */
export interface Plan {
  readonly kernel: string;
  readonly geometry: GeometryName;
  readonly nrPages: number;
  /** Raw word of the tail of the builder's last page, and of all that no one wrote. */
  readonly garbage: string;
  readonly holes: readonly Range[];
  /** Stores into the builder's list, before the rebuild. */
  readonly early: readonly (readonly [pfn: number, value: string])[];
  readonly identity: readonly Range[];
  readonly extra: readonly Range[];
  readonly limit: number;
  readonly flags: number;
  readonly tree: boolean;
  /** Whether the builder's list is given back, as 64-bit kernels do. */
  readonly freesList: boolean;
  /** Whether the list moves into the vm area at all; without it nothing else happens. */
  readonly rebuilds: boolean;
  readonly ops: readonly Op[];
}

/** A domain that lived through a plan, with all its events. */
export interface History {
  readonly plan: Plan;
  readonly domain: Domain;
  readonly log: EventBatch;
  readonly outcomes: readonly Outcome[];
}

/** m2p entries of every domain here. */
export const M2P_FRAMES = 64;
const SPARE_PAGES = 200;

/** Lives through the plan. */
export function live(plan: Plan, memory: 'paged' | 'flat', form: Form = formByKernel(plan.kernel)): History {
  const log = new EventBatch();
  const domain = new Domain({
    form,
    geometry: GEOMETRIES[plan.geometry],
    memory,
    nrPages: plan.nrPages,
    maxPfn: Math.max(0, ...plan.extra.map(([, end]) => end)),
    p2mLimitPfns: plan.limit,
    m2pFrames: M2P_FRAMES,
    sparePages: SPARE_PAGES,
    onEvents: (batch) => appendAll(log, batch),
  });
  const outcomes = bootList(domain, plan);
  if (plan.rebuilds) outcomes.push(...bootArea(domain, plan), ...plan.ops.flatMap((op) => perform(domain, op)));
  domain.flush();
  return { plan, domain, log, outcomes };
}

/** Appends all of `batch` to `log`, which keeps it. */
export function appendAll(log: EventBatch, batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++) log.copyRow(batch, i, payloadColumn(batch.kind[i]!));
}

/** An empty memory of the same capacity. The words of a log belong to its codec. */
export function emptyMemory(like: Memory, kind: 'paged' | 'flat', codec: EntryCodec = like.codec): Memory {
  const { geometry, cpus, pools, initPages, areaPfns, m2pFrames } = like.layout;
  const capacity = {
    geometry,
    cpus,
    pools,
    nrPages: initPages * geometry.perPage,
    areaPfns,
    m2pFrames,
    sparePages: SPARE_PAGES,
  };
  return kind === 'flat' ? new FlatMemory(capacity, codec) : new PagedMemory(capacity, codec);
}

/** Applies rows [start, end) of the log. */
export function applyRows(memory: Memory, log: EventBatch, start = 0, end = log.length): Memory {
  for (let i = start; i < end; i++) apply(memory, log, i);
  return memory;
}

/** The builder's list, and what setup.c does to it. */
function bootList(d: Domain, plan: Plan): Outcome[] {
  const { codec } = d.memory;
  const { machines } = d;
  const runs: [number, number, number][] = [];
  let at = 0;
  const frames = (end: number): void => {
    if (end > at) runs.push([end - at, mfnWord(1000 + at), 1]);
    at = Math.max(at, end);
  };
  for (const [start, end] of plan.holes) {
    frames(Math.min(start, plan.nrPages));
    if (Math.min(end, plan.nrPages) > at) runs.push([Math.min(end, plan.nrPages) - at, INVALID, 0]);
    at = Math.max(at, Math.min(end, plan.nrPages));
  }
  frames(plan.nrPages);
  const room = alignUp(plan.nrPages, d.geometry.perPage);
  if (room > at) runs.push([room - at, codec.parse(plan.garbage), 0]);

  if (plan.flags !== 0) d.setGlobal(Global['start_info.flags'], plan.flags);
  const outcomes = [d.boot(plan.nrPages, runs)];
  for (const [pfn, value] of plan.early) {
    outcomes.push(d.run('__set_phys_to_machine', machines.setPhysToMachineNoAlloc, pfn, codec.parse(value)));
  }
  for (const [start, end] of plan.identity) {
    outcomes.push(d.run('set_phys_range_identity', machines.setPhysRangeIdentity, start, 0, end));
  }
  d.setExtraMem(plan.extra.map(([start, end]) => [start, end - start] as const));
  for (const [, end] of plan.extra) {
    if (end > d.global(Global.xen_max_p2m_pfn)) d.setGlobal(Global.xen_max_p2m_pfn, end);
  }
  return outcomes;
}

/** The list in the vm area, and what the tools see. */
function bootArea(d: Domain, plan: Plan): Outcome[] {
  const { machines } = d;
  const outcomes = [
    plan.freesList
      ? d.run('xen_pagetable_p2m_setup', machines.xenPagetableP2mSetup, 0)
      : d.run('xen_vmalloc_p2m_tree', machines.xenVmallocP2mTree, 0),
  ];
  if (plan.tree) outcomes.push(d.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0));
  d.setGlobal(Global.HYPERVISOR_shared_info, 1);
  outcomes.push(d.run('xen_setup_mfn_list_list', machines.xenSetupMfnListList, 0));
  d.slabUp();
  return outcomes;
}

/** One op, on one CPU, to its end. */
function perform(d: Domain, op: Op): Outcome[] {
  const { machines } = d;
  const { codec } = d.memory;
  switch (op.op) {
    case 'set':
      return [d.run('set_phys_to_machine', machines.setPhysToMachine, op.pfn, codec.parse(op.value))];
    case 'rawSet':
      return [d.run('__set_phys_to_machine', machines.setPhysToMachineNoAlloc, op.pfn, codec.parse(op.value))];
    case 'alloc':
      return [d.run('xen_alloc_p2m_entry', machines.allocP2m, op.pfn)];
    case 'lookup':
      return [d.run('__pfn_to_mfn', machines.pfnToMfnRaw, op.pfn)];
    case 'get':
      return [d.run('get_phys_to_machine', machines.getPhysToMachine, op.pfn)];
    case 'mfnToPfn':
      return [d.run('mfn_to_pfn', machines.mfnToPfn, op.pfn)];
    case 'balloon':
      return [
        d.run('decrease_reservation', machines.decreaseReservation, op.pfn, 0, op.count),
        d.run('increase_reservation', machines.increaseReservation, op.pfn, mfnWord(op.mfn), op.count),
      ];
    case 'grant':
      d.setGrant(0, Grant.pfn, op.pfn);
      d.setGrant(0, Grant.mfn, op.mfn);
      d.setGrant(0, Grant.status, 0);
      return [d.run('set_foreign_p2m_mapping', machines.setForeignP2mMapping, 0, op.kernelOps, 1)];
    case 'ungrant':
      d.setGrant(0, Grant.pfn, op.pfn);
      return [d.run('clear_foreign_p2m_mapping', machines.clearForeignP2mMapping, 0, op.kernelOps, 1)];
    case 'fail':
      d.armFailure(op.at, op.from);
      return [];
    case 'suspend':
      return [
        d.run('xen_arch_pre_suspend', machines.xenArchPreSuspend, 0),
        d.run('xen_arch_post_suspend', machines.xenArchPostSuspend, 0),
      ];
  }
}

/** Any plan on `geometry`, of a form in `kernels`, whose interesting pfns are below about `span`. */
export function plans(
  geometry: GeometryName,
  kernels: readonly string[] = LINEAR_FORMS,
  span = 90,
  opsMax = 40,
): fc.Arbitrary<Plan> {
  const g = GEOMETRIES[geometry];
  const range = (max: number): fc.Arbitrary<Range> =>
    fc
      .tuple(fc.nat(max), fc.integer({ min: 1, max: Math.ceil(max / 3) }))
      .map(([start, n]) => [start, start + n] as const);
  const pfn = fc.oneof(
    { weight: 12, arbitrary: fc.nat(span) },
    { weight: 1, arbitrary: fc.constantFrom(span + g.pfnsPerMidPage, g.maxP2mPfn, 2 ** 31, g.pfnEnd - 1) },
  );
  const mfn = fc.nat(M2P_FRAMES + 9);
  const value = fc.oneof(
    fc.constant('~'),
    mfn.map((n) => `m:${n}`),
    fc.nat(span).map((n) => `i:${n}`),
    mfn.map((n) => `f:${n}`),
    fc.constantFrom(
      ...(g.entryBits === 64 ? ['fi:3', 'm:1099511627776', 'f:4611686018427387903'] : ['fi:3', 'fi:1073741822']),
    ),
  );
  // Identity of its own pfn is the one value that a shared identity leaf takes.
  const setting = fc.oneof(
    fc.record({ pfn, value }),
    fc.nat(span).map((p) => ({ pfn: p, value: `i:${p}` })),
  );
  const kernelOps = fc.constantFrom(INVALID, kernelOpsWord(), kernelOpsWord(22));
  const op = fc.oneof<fc.Arbitrary<Op>[]>(
    setting.map((at) => ({ op: 'set', ...at })),
    setting.map((at) => ({ op: 'set', ...at })),
    setting.map((at) => ({ op: 'rawSet', ...at })),
    fc.record({ op: fc.constantFrom('alloc', 'lookup', 'get', 'mfnToPfn'), pfn }),
    fc.record({ op: fc.constant('balloon'), pfn: fc.nat(span), count: fc.integer({ min: 1, max: 5 }), mfn }),
    fc.record({ op: fc.constant('grant'), pfn: fc.nat(span), mfn, kernelOps }),
    fc.record({ op: fc.constant('ungrant'), pfn: fc.nat(span), kernelOps }),
    fc.record({ op: fc.constant('fail'), at: fc.nat(3), from: fc.constantFrom(0, 0, 1, 3) }),
    fc.constant({ op: 'suspend' }),
  );
  return fc
    .record({
      kernel: fc.constantFrom(...kernels),
      geometry: fc.constant(geometry),
      nrPages: fc.integer({ min: 1, max: span }),
      garbage: fc.constantFrom('~', 'm:57005', 'i:9'),
      holes: fc.array(range(span), { maxLength: 3 }),
      early: fc.array(fc.tuple(fc.nat(span), value), { maxLength: 3 }),
      identity: fc.array(range(span), { maxLength: 3 }),
      extra: fc.array(range(span), { maxLength: 2 }),
      limit: fc.constantFrom(0, 0, g.pfnsPerGib, 3 * g.pfnsPerGib),
      flags: fc.constantFrom(0, 0, 0, 64),
      tree: fc.boolean(),
      freesList: fc.boolean(),
      rebuilds: fc.nat(9).map((n) => n > 0),
      ops: fc.array(op, { maxLength: opsMax }),
    })
    .map((plan) => ({
      ...plan,
      holes: [...plan.holes].sort((a, b) => a[0] - b[0]),
      early: plan.early.filter(([at]) => at < plan.nrPages),
      // Extra memory lies behind what the domain starts with.
      extra: plan.extra.map(([start, end]) => [start + plan.nrPages, end + plan.nrPages] as const),
    }));
}
