import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

/**
 * `xen_arch_pre_suspend`: shared info is the dummy page from here on (spec 10). Inside stop_machine, but a task that was
 * preempted within alloc_p2m, outside the lock, stays there and goes on after the resume.
 */
export const xenArchPreSuspend: Machine = {
  name: 'xen_arch_pre_suspend',
  rows: rows(['10', 'W HYPERVISOR_shared_info']),
  step(_r, cpu) {
    cpu.port.setGlobal(Global.HYPERVISOR_shared_info, 0);
    return cpu.ret(0);
  },
};
