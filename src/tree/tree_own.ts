import { usageError } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import type { Machines } from '../machines.js';
import { setPhysToMachineNoAlloc } from './__set_phys_to_machine.js';
import { allocP2m } from './alloc_p2m.js';
import { getPhysToMachine } from './get_phys_to_machine.js';
import { setPhysRangeIdentity } from './set_phys_range_identity.js';
import { xenBuildDynamicPhysToMachine } from './xen_build_dynamic_phys_to_machine.js';
import { xenBuildMfnListList } from './xen_build_mfn_list_list.js';
import { xenPagetableP2mCopy } from './xen_pagetable_p2m_copy.js';

/**
 * The machines that 3.16 and 3.18 do not share with the linear list. `set_phys_to_machine`, `pfn_to_mfn`,
 * `xen_inv_extra_mem` and `xen_setup_mfn_list_list` only call others by name, and are the linear list's.
 */
export const TREE_OWN = {
  xenBuildDynamicPhysToMachine,
  setPhysRangeIdentity,
  xenPagetableP2mSetup: xenPagetableP2mCopy,
  xenBuildMfnListList,
  pfnToMfnRaw: getPhysToMachine,
  getPhysToMachine,
  setPhysToMachineNoAlloc,
  allocP2m,
  xenVmallocP2mTree: notBefore('xen_vmalloc_p2m_tree'),
  xenRebuildP2mList: notBefore('xen_rebuild_p2m_list'),
  xenPagetableP2mFree: notBefore('xen_pagetable_p2m_free'),
  allocP2mPmd: notBefore('alloc_p2m_pmd'),
} as const satisfies Partial<Machines>;

/** A function that came with the linear list and has no counterpart: who runs it is told so, and nothing happens. */
function notBefore(name: string): Machine {
  return {
    name,
    rows: rows(['-', 'there is no such function']),
    step(_, cpu) {
      throw usageError('this kernel has no such function', {
        got: `${name} with --kernel ${cpu.form.name}`,
        expected: 'a kernel with the linear list, from 3.19-rc1 on',
      });
    },
  };
}
