import { Global, INVALID, mfnWord } from '../../events/index.js';
import {
  Domain,
  formByKernel,
  GEOMETRIES,
  type DomainOptions,
  type Form,
  type GeometryName,
  type Outcome,
} from '../../src/index.js';

/** The old tree's forms. */
export const TREES = ['3.16', '3.18'] as const;

/** Frame of pfn 0 in the builder's list. */
export const FIRST_MFN = 1000;

export interface TreeOptions {
  readonly kernel: string | Form;
  readonly geometry?: GeometryName;
  readonly nrPages: number;
  /** Half-open pfn ranges that boot makes identity. */
  readonly identity?: readonly (readonly [start: number, end: number])[];
  readonly cpus?: number;
  /** Whether the tools' tree is built; default yes. */
  readonly tools?: boolean;
}

/** A domain of the old tree as it stands when its kernel has booted. */
export function treeDomain(options: TreeOptions): Domain {
  const { kernel, geometry = 'tiny', nrPages, identity = [], cpus = 1, tools = true } = options;
  const domainOptions: DomainOptions = {
    form: typeof kernel === 'string' ? formByKernel(kernel) : kernel,
    geometry: GEOMETRIES[geometry],
    nrPages,
    cpus,
    sparePages: 256,
  };
  const d = new Domain(domainOptions);
  const room = Math.ceil(nrPages / d.geometry.perPage) * d.geometry.perPage;
  // The builder's pages hold something behind nrPages too: the kernel must clear it.
  d.boot(nrPages, [[room, mfnWord(FIRST_MFN), 1]]);
  const { machines } = d;
  for (const [start, end] of identity) {
    d.run('set_phys_range_identity', machines.setPhysRangeIdentity, start, 0, end);
  }
  d.run('xen_pagetable_p2m_setup', machines.xenPagetableP2mSetup, 0);
  if (tools) {
    d.run('xen_build_mfn_list_list', machines.xenBuildMfnListList, 0);
    d.setGlobal(Global.HYPERVISOR_shared_info, 1);
    d.run('xen_setup_mfn_list_list', machines.xenSetupMfnListList, 0);
  }
  d.slabUp();
  return d;
}

/** set_phys_to_machine(pfn, value), the value as the vectors write it. */
export function set(d: Domain, pfn: number, value: string): Outcome {
  return d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn, d.memory.codec.parse(value));
}

/** What get_phys_to_machine answers, as the vectors write it; `bug NAME` where it died. */
export function get(d: Domain, pfn: number): string {
  const outcome = d.run('get_phys_to_machine', d.machines.getPhysToMachine, pfn);
  if (outcome.kind === 'bug') return `bug ${outcome.bug}`;
  return d.memory.codec.format('value' in outcome ? outcome.value : INVALID);
}
