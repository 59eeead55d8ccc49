import { Global, mfnWord } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';

/** What mfn_to_pfn answers for a frame that is nobody's here: ~0 of the kernel. */
export const NO_PFN = -1;

const Q1 = 0;
const Q2 = 1;
const Q3 = 2;
const Q3_FOUND = 3;
const Q3_OVERRIDE = 4;
const Q4 = 5;
const Q4_FOUND = 6;

/**
 * `mfn_to_pfn(mfn)`, the mfn in `pfn`: the hypervisor's m2p, believed only where the p2m says the same (spec 5.5). Returns
 * the pfn, or NO_PFN. The m2p of a foreign frame gives the other domain's pfn, so any index of the list may be read.
 *
 * Up to L3 what does not agree is looked for in m2p_overrides (B12), here one word a frame: the newest page that maps it.
 */
export const mfnToPfn: Machine = {
  name: 'mfn_to_pfn',
  rows: rows(
    ['5.5.1', 'R machine_to_phys_nr'],
    ['5.5.2', 'R m2p[mfn]'],
    ['5.5.3', 'call __pfn_to_mfn of that pfn'],
    ['5.5.3', 'compare'],
    ['5.5.3', 'R m2p_overrides, under m2p_override_lock'],
    ['5.5.4', 'call __pfn_to_mfn of the mfn'],
    ['5.5.4', 'compare with IDENTITY_FRAME(mfn)'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    const mfn = r.pfn;
    switch (r.pc) {
      case Q1:
        return mfn < port.global(Global.machine_to_phys_nr) ? Q2 : unknown(r, cpu);
      case Q2:
        r.result = port.loadM2p(mfn) - 1;
        return r.result === NO_PFN ? unknown(r, cpu) : Q3;
      case Q3:
        cpu.call(cpu.machines.pfnToMfnRaw, r.result);
        return Q3_FOUND;
      case Q3_FOUND:
        return r.ret === mfnWord(mfn) ? cpu.ret(r.result) : unknown(r, cpu);
      case Q3_OVERRIDE:
        r.result = port.loadOverride(mfn) - 1;
        return r.result === NO_PFN ? Q4 : cpu.ret(r.result);
      case Q4:
        cpu.call(cpu.machines.pfnToMfnRaw, mfn);
        return Q4_FOUND;
      case Q4_FOUND:
      default:
        return cpu.ret(r.ret === cpu.memory.codec.identityOf(mfn) ? mfn : NO_PFN);
    }
  },
};

/** The m2p does not know the frame, or the p2m does not agree. */
function unknown(r: Locals, cpu: Cpu): number {
  r.result = NO_PFN;
  return cpu.form.m2pOverrides && r.pfn < cpu.memory.layout.m2pFrames ? Q3_OVERRIDE : Q4;
}
