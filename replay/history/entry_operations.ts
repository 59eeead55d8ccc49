import { Operation } from '../../events/index.js';

/** Operations whose answer is the entry of their pfn, indicator bits and all. */
export const ENTRY_LOOK_UPS: readonly number[] = [Operation.__pfn_to_mfn, Operation.get_phys_to_machine];

/** Answers with the entry without its indicator bits: one answer for several entries. */
export const BARE_LOOK_UP: number = Operation.pfn_to_mfn;

/** Operations that set the entry of their pfn to the value of their call; false where they did not. */
export const ENTRY_SETS: readonly number[] = [Operation.set_phys_to_machine, Operation.__set_phys_to_machine];

/** They make the list anew, or what a look-up beyond it answers, alone: what was before them says nothing behind them. */
export const LIST_MAKERS: readonly number[] = [
  Operation.setup,
  Operation.xen_build_dynamic_phys_to_machine,
  Operation.xen_vmalloc_p2m_tree,
  Operation.xen_rebuild_p2m_list,
  Operation.xen_inv_extra_mem,
  Operation.xen_pagetable_p2m_setup,
  Operation.xen_pagetable_p2m_free,
];

/** They run alone, and are no users of the list: its entries are as they left them where the first of those begins. */
export const LIST_KEEPERS: readonly number[] = [
  Operation.set_phys_range_identity,
  Operation.xen_build_mfn_list_list,
  Operation.xen_setup_mfn_list_list,
  Operation.xen_arch_pre_suspend,
  Operation.xen_arch_post_suspend,
];
