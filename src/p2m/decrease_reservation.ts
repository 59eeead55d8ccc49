import { Global, INVALID, isShortMfn, PAYLOAD_MASK } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const D1 = 0;
const D1_RET = 1;
const D2 = 2;

/**
 * `decrease_reservation`: the balloon takes `count` pages from `pfn` on out of the list (spec 7.3). What
 * __set_phys_to_machine answers is ignored. The caller holds balloon_mutex.
 *
 * The hypercall that gives the frames back, and with it the hypervisor's m2p, stands once a pfn here and not once behind
 * them all: no look-up can tell, since a frame that the p2m does not confirm is unknown in either case.
 */
export const decreaseReservation: Machine = {
  name: 'decrease_reservation',
  rows: rows(
    ['7.3', 'call pfn_to_mfn'],
    ['7.3', 'call __set_phys_to_machine'],
    ['7.3', 'HC the frame is given back: W m2p[mfn]'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    switch (r.pc) {
      case D1:
        if (r.i === r.count) return cpu.ret(0);
        cpu.call(cpu.machines.pfnToMfn, r.pfn);
        return D1_RET;
      case D1_RET:
        r.seen = r.ret;
        cpu.call(cpu.machines.setPhysToMachineNoAlloc, r.pfn, INVALID);
        return D2;
      case D2:
      default: {
        const mfn = r.seen & PAYLOAD_MASK;
        if (isShortMfn(r.seen) && mfn < port.global(Global.machine_to_phys_nr)) port.setM2p(mfn, 0);
        r.pfn++;
        r.i++;
        return D1;
      }
    }
  },
};
