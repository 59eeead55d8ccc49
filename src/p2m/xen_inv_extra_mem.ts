import { Global, INVALID } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const E1 = 0;
const E2 = 1;

/** `xen_inv_extra_mem`: every pfn of extra memory becomes INVALID; what set_phys_to_machine answers is ignored (spec 4.5.8). */
export const xenInvExtraMem: Machine = {
  name: 'xen_inv_extra_mem',
  rows: rows(['4.5.8', 'next region'], ['4.5.8', 'call set_phys_to_machine']),
  step(r, cpu) {
    const { port } = cpu;
    if (r.pc === E1) {
      if (r.i === port.global(Global.xen_extra_mem_count)) return cpu.ret(0);
      r.pfn = port.extraMemStart(r.i);
      r.end = r.pfn + port.extraMemCount(r.i);
      r.i++;
      return E2;
    }
    if (r.pfn === r.end) return E1;
    cpu.call(cpu.machines.setPhysToMachine, r.pfn++, INVALID);
    return E2;
  },
};
