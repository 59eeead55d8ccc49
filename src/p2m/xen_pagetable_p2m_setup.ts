import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const S1 = 0;
const S2 = 1;
const S3 = 2;
const S4 = 3;

/** `xen_pagetable_p2m_setup`: the list moves into the vm area, the builder's list is given back on 64 bit (spec 4.4). */
export const xenPagetableP2mSetup: Machine = {
  name: 'xen_pagetable_p2m_setup',
  rows: rows(
    ['4.4.1', 'R auto-translated'],
    ['4.4.2', 'call xen_vmalloc_p2m_tree'],
    ['4.4.3', 'call xen_pagetable_p2m_free'],
    ['4.4.4', 'W start_info.mfn_list'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    switch (r.pc) {
      case S1:
        return form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0 ? cpu.ret(0) : S2;
      case S2:
        cpu.call(cpu.machines.xenVmallocP2mTree, 0);
        return S3;
      case S3:
        if (cpu.geometry.entryBits === 64) cpu.call(cpu.machines.xenPagetableP2mFree, 0);
        return S4;
      case S4:
      default:
        port.setGlobal(Global['start_info.mfn_list'], port.global(Global.xen_p2m_addr));
        return cpu.ret(0);
    }
  },
};
