import type { Form } from './forms.js';
import type { Machine } from './machine.js';
import { pfnToMfnRaw } from './p2m/__pfn_to_mfn.js';
import { setPhysToMachineNoAlloc } from './p2m/__set_phys_to_machine.js';
import { allocP2m } from './p2m/alloc_p2m.js';
import { allocP2mPmd } from './p2m/alloc_p2m_pmd.js';
import { clearForeignP2mMapping } from './p2m/clear_foreign_p2m_mapping.js';
import { decreaseReservation } from './p2m/decrease_reservation.js';
import { getPhysToMachine } from './p2m/get_phys_to_machine.js';
import { increaseReservation } from './p2m/increase_reservation.js';
import { m2pAddOverride } from './p2m/m2p_add_override.js';
import { m2pRemoveOverride } from './p2m/m2p_remove_override.js';
import { mfnToPfn } from './p2m/mfn_to_pfn.js';
import { pfnToMfn } from './p2m/pfn_to_mfn.js';
import { readMfnTree } from './p2m/read_mfn_tree.js';
import { readP2mCr3 } from './p2m/read_p2m_cr3.js';
import { setForeignP2mMapping } from './p2m/set_foreign_p2m_mapping.js';
import { setPhysRangeIdentity } from './p2m/set_phys_range_identity.js';
import { setPhysToMachine } from './p2m/set_phys_to_machine.js';
import { xenArchPostSuspend } from './p2m/xen_arch_post_suspend.js';
import { xenArchPreSuspend } from './p2m/xen_arch_pre_suspend.js';
import { xenBuildDynamicPhysToMachine } from './p2m/xen_build_dynamic_phys_to_machine.js';
import { xenBuildMfnListList } from './p2m/xen_build_mfn_list_list.js';
import { xenInvExtraMem } from './p2m/xen_inv_extra_mem.js';
import { xenPagetableP2mFree } from './p2m/xen_pagetable_p2m_free.js';
import { xenPagetableP2mSetup } from './p2m/xen_pagetable_p2m_setup.js';
import { xenRebuildP2mList } from './p2m/xen_rebuild_p2m_list.js';
import { xenSetupMfnListList } from './p2m/xen_setup_mfn_list_list.js';
import { xenVmallocP2mTree } from './p2m/xen_vmalloc_p2m_tree.js';
import { TREE_OWN } from './tree/tree_own.js';

/** The machines of the linear list; a row calls another kernel function by its name here, so one can be put in its place. */
export const LINEAR = {
  xenBuildDynamicPhysToMachine,
  setPhysRangeIdentity,
  xenVmallocP2mTree,
  xenRebuildP2mList,
  xenInvExtraMem,
  xenPagetableP2mSetup,
  xenPagetableP2mFree,
  xenBuildMfnListList,
  xenSetupMfnListList,
  pfnToMfnRaw,
  pfnToMfn,
  getPhysToMachine,
  setPhysToMachineNoAlloc,
  setPhysToMachine,
  allocP2m,
  allocP2mPmd,
  mfnToPfn,
  decreaseReservation,
  increaseReservation,
  m2pAddOverride,
  m2pRemoveOverride,
  setForeignP2mMapping,
  clearForeignP2mMapping,
  readMfnTree,
  readP2mCr3,
  xenArchPreSuspend,
  xenArchPostSuspend,
} as const satisfies Record<string, Machine>;

/** One machine for each kernel operation of a form. */
export type Machines = { readonly [K in keyof typeof LINEAR]: Machine };

/** The machines of the old tree (3.16, 3.18): those that know its shape are its own, those that only call others serve both. */
export const TREE: Machines = { ...LINEAR, ...TREE_OWN };

/** The machines that a form runs. */
export function machinesOf(form: Form): Machines {
  return form.structure === 'tree' ? TREE : LINEAR;
}
