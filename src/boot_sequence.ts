import { Global, INVALID, usageError, type Word } from '../events/index.js';
import type { Domain } from './domain.js';
import { alignUp } from './geometry.js';
import type { Outcome } from './outcome.js';

/** Half-open range of pfns. */
export interface PfnRange {
  readonly pfnStart: number;
  readonly pfnEnd: number;
}

/** What the domain builder and the E820 map say of a domain. */
export interface BootPlan {
  /** Pages that the domain starts with; pfns [0, nrPages). */
  readonly nrPages: number;
  /** The builder's list: entry of pfn is `firstEntry` + pfn. */
  readonly firstEntry: Word;
  /** Pfns below nrPages that the builder left without a frame. */
  readonly holes?: readonly PfnRange[];
  /** Pfns that the E820 map does not call RAM: they become identity. */
  readonly identity?: readonly PfnRange[];
  /** RAM of the E820 map that is not populated at start: INVALID, for ballooning. */
  readonly extra?: readonly PfnRange[];
  /** start_info.flags. */
  readonly startFlags?: number;
}

/** A step of the boot and how it ended. */
export interface BootStep {
  readonly name: string;
  readonly outcome: Outcome;
}

/**
 * Boots the p2m of a domain in the kernel's order (spec 4): the builder's list is taken over, setup.c marks identity and
 * extra memory, the list moves into the vm area, the tools' tree is built and announced, and the slab allocator comes up.
 * Stops at a step that ends in a bug or a fault.
 */
export function bootSequence(domain: Domain, plan: BootPlan): BootStep[] {
  const { machines } = domain;
  const steps: BootStep[] = [];
  const did = (name: string, outcome: Outcome): boolean => {
    steps.push({ name, outcome });
    return outcome.kind !== 'bug' && outcome.kind !== 'fault';
  };
  domain.setGlobal(Global['start_info.flags'], plan.startFlags ?? 0);
  if (!did('xen_build_dynamic_phys_to_machine', domain.boot(plan.nrPages, builderList(domain, plan)))) return steps;

  // spec 4.2: extra memory raises xen_max_p2m_pfn; then identity, last of all behind the last E820 entry.
  const extra = plan.extra ?? [];
  domain.setExtraMem(extra.map(({ pfnStart, pfnEnd }) => [pfnStart, pfnEnd - pfnStart] as const));
  let e820End = plan.nrPages;
  for (const { pfnEnd } of extra) {
    e820End = Math.max(e820End, pfnEnd);
    if (pfnEnd > domain.global(Global.xen_max_p2m_pfn)) domain.setGlobal(Global.xen_max_p2m_pfn, pfnEnd);
  }
  for (const { pfnEnd } of plan.identity ?? []) e820End = Math.max(e820End, pfnEnd);
  for (const { pfnStart, pfnEnd } of [
    ...(plan.identity ?? []),
    { pfnStart: e820End, pfnEnd: domain.geometry.pfnEnd },
  ]) {
    const outcome = domain.run('set_phys_range_identity', machines.setPhysRangeIdentity, pfnStart, 0, pfnEnd);
    if (!did('set_phys_range_identity', outcome)) return steps;
  }

  if (!did('xen_pagetable_p2m_setup', domain.run('xen_pagetable_p2m_setup', machines.xenPagetableP2mSetup, 0))) {
    return steps;
  }
  if (!did('xen_build_mfn_list_list', domain.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0))) {
    return steps;
  }
  domain.setGlobal(Global.HYPERVISOR_shared_info, 1);
  did('xen_setup_mfn_list_list', domain.run('xen_setup_mfn_list_list', machines.xenSetupMfnListList, 0));
  domain.slabUp();
  return steps;
}

/** The largest pfn, plus one, that the plan reaches: what `DomainOptions.maxPfn` must allow for. */
export function planEnd(plan: BootPlan): number {
  return Math.max(plan.nrPages, ...(plan.extra ?? []).map((range) => range.pfnEnd));
}

function builderList(domain: Domain, plan: BootPlan): [number, Word, number][] {
  const { codec } = domain.memory;
  const runs: [number, Word, number][] = [];
  let pfn = 0;
  const upTo = (end: number): void => {
    if (end > pfn) runs.push([end - pfn, codec.add(plan.firstEntry, pfn), 1]);
    pfn = Math.max(pfn, end);
  };
  const holes = [...(plan.holes ?? [])].sort((a, b) => a.pfnStart - b.pfnStart);
  for (const { pfnStart, pfnEnd } of holes) {
    if (pfnStart < pfn)
      throw usageError('holes overlap', { got: `a hole at pfn ${pfnStart}`, expected: `from ${pfn} on` });
    if (pfnEnd > plan.nrPages) {
      throw usageError('a hole beyond the list', { got: `pfn ${pfnEnd}`, expected: `at most ${plan.nrPages}` });
    }
    upTo(pfnStart);
    runs.push([pfnEnd - pfn, INVALID, 0]);
    pfn = pfnEnd;
  }
  upTo(plan.nrPages);
  const room = alignUp(plan.nrPages, domain.geometry.perPage);
  if (room > plan.nrPages) runs.push([room - plan.nrPages, INVALID, 0]);
  return runs;
}
