import { rows, type Machine } from '../machine.js';

const CALL = 0;

/** `pfn_to_mfn(pfn)`: __pfn_to_mfn with both indicator bits cleared; INVALID stays INVALID (spec 5.3). */
export const pfnToMfn: Machine = {
  name: 'pfn_to_mfn',
  rows: rows(['5.3', 'call __pfn_to_mfn'], ['5.3', 'return without the bits']),
  step(r, cpu) {
    if (r.pc === CALL) {
      cpu.call(cpu.machines.pfnToMfnRaw, r.pfn);
      return CALL + 1;
    }
    return cpu.ret(cpu.memory.codec.clearBits(r.ret));
  },
};
