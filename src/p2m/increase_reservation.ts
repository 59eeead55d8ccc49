import { Global, isShortMfn, PAYLOAD_MASK } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const N1 = 0;
const N2 = 1;

/**
 * `increase_reservation`: the balloon puts `count` frames, `value` (an mfn's word) and on, behind the pfns from `pfn` on
 * (spec 7.3). What set_phys_to_machine answers is ignored: a pfn without memory for its leaf keeps what it had. The
 * caller holds balloon_mutex.
 */
export const increaseReservation: Machine = {
  name: 'increase_reservation',
  rows: rows(['7.3', 'HC a frame is populated: W m2p[mfn]'], ['7.3', 'call set_phys_to_machine']),
  step(r, cpu) {
    const { port } = cpu;
    const word = cpu.memory.codec.add(r.value, r.i);
    switch (r.pc) {
      case N1: {
        if (r.i === r.count) {
          r.i = 0;
          return N2;
        }
        const mfn = word & PAYLOAD_MASK;
        if (isShortMfn(word) && mfn < port.global(Global.machine_to_phys_nr)) port.setM2p(mfn, r.pfn + r.i + 1);
        r.i++;
        return N1;
      }
      case N2:
      default:
        if (r.i === r.count) return cpu.ret(0);
        cpu.call(cpu.machines.setPhysToMachine, r.pfn + r.i, word);
        r.i++;
        return N2;
    }
  },
};
