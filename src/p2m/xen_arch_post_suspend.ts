import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const Z1 = 0;
const Z2 = 1;
const Z3 = 2;
const Z4 = 3;

/**
 * `xen_arch_post_suspend`: the tools' tree is filled again, the real shared info is mapped, and told where the list is
 * (spec 10): max_pfn and the generation start anew. Inside stop_machine with interrupts off.
 */
export const xenArchPostSuspend: Machine = {
  name: 'xen_arch_post_suspend',
  rows: rows(
    ['10', 'call xen_build_mfn_list_list'],
    ['10', 'W HYPERVISOR_shared_info'],
    ['10', 'call xen_setup_mfn_list_list'],
    ['10', 'return'],
  ),
  step(r, cpu) {
    switch (r.pc) {
      case Z1:
        cpu.call(cpu.machines.xenBuildMfnListList, 0);
        return Z2;
      case Z2:
        cpu.port.setGlobal(Global.HYPERVISOR_shared_info, 1);
        return Z3;
      case Z3:
        cpu.call(cpu.machines.xenSetupMfnListList, 0);
        return Z4;
      case Z4:
      default:
        return cpu.ret(0);
    }
  },
};
