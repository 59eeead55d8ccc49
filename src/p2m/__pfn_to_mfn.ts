import { FAULT, Global, INVALID } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const L1 = 0;
const L2 = 1;
const L4 = 2;
const L4_RET = 3;

/** `__pfn_to_mfn(pfn)`: the look-up of the linear list, without a lock (spec 5.1). Returns the entry, indicator bits and all. */
export const pfnToMfnRaw: Machine = {
  name: '__pfn_to_mfn',
  rows: rows(
    ['5.1.1', 'R xen_p2m_size'],
    ['5.1.2', 'R entry[pfn]', 'load entry'],
    ['5.1.4', 'call get_phys_to_machine'],
    ['5.1.4', 'return'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    switch (r.pc) {
      case L1:
        if (r.pfn < port.global(Global.xen_p2m_size)) return L2;
        if (r.pfn < port.global(Global.xen_max_p2m_pfn)) return L4;
        return cpu.ret(cpu.memory.codec.identityOf(r.pfn));
      case L2:
        r.seen = port.loadEntry(r.pfn);
        if (r.seen === FAULT) return cpu.fault('read', r.pfn);
        return r.seen === INVALID ? L4 : cpu.ret(r.seen);
      case L4:
        cpu.call(cpu.machines.getPhysToMachine, r.pfn);
        return L4_RET;
      default:
        return cpu.ret(r.ret);
    }
  },
};
