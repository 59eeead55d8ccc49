import { rows, type Machine } from '../machine.js';

/**
 * `xen_pagetable_p2m_copy`, where later kernels have xen_pagetable_p2m_setup (spec 4, 4.10): the kernel moved the leaves
 * off the builder's list (`xen_revector_p2m_tree`) and gave the list back. No entry, leaf or look-up changes by it, so
 * here the leaves stay in the builder's pages and nothing happens: one row.
 */
export const xenPagetableP2mCopy: Machine = {
  name: 'xen_pagetable_p2m_copy',
  rows: rows(['4.10', 'the leaves stay where they are']),
  step(_, cpu) {
    return cpu.ret(0);
  },
};
