import { rows, type Machine } from '../machine.js';

const M1 = 0;
const M1_RET = 1;
const M2_RET = 2;
const M3_RET = 3;

/**
 * `set_phys_to_machine(pfn, value)`: stores, and where the leaf is shared allocates a private one and stores again (spec
 * 6.2). Returns 1, or 0 when memory was short. May sleep: not from atomic context while the leaf may be shared.
 */
export const setPhysToMachine: Machine = {
  name: 'set_phys_to_machine',
  rows: rows(
    ['M1', 'call __set_phys_to_machine'],
    ['M2', 'return, or call alloc_p2m'],
    ['M3', 'call __set_phys_to_machine'],
    ['M3', 'return'],
  ),
  step(r, cpu) {
    const { machines } = cpu;
    switch (r.pc) {
      case M1:
        cpu.call(machines.setPhysToMachineNoAlloc, r.pfn, r.value);
        return M1_RET;
      case M1_RET:
        if (r.ret !== 0) return cpu.ret(1);
        cpu.call(machines.allocP2m, r.pfn);
        return M2_RET;
      case M2_RET:
        if (r.ret === 0) return cpu.ret(0);
        cpu.call(machines.setPhysToMachineNoAlloc, r.pfn, r.value);
        return M3_RET;
      case M3_RET:
      default:
        return cpu.ret(r.ret);
    }
  },
};
