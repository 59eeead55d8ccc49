import { Global, mfnWord } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { Grant } from '../memory/layout.js';

const O1 = 0;
const O2 = 1;
const O3 = 2;
const O4 = 3;
const O5 = 4;
const O6 = 5;
const O7 = 6;

/**
 * `m2p_remove_override(page, kmap_op, mfn)` (up to L3, spec 7.2): page `pfn` no longer maps the foreign frame `value` for
 * grant slot `count`; what m2p_add_override marked is a plain entry again, unless another page still maps the frame.
 */
export const m2pRemoveOverride: Machine = {
  name: 'm2p_remove_override',
  rows: rows(
    ['7.2', 'W m2p_overrides, under m2p_override_lock'],
    ['7.2', 'HC kernel unmapping'],
    ['7.2', 'R m2p[mfn]'],
    ['7.2', 'call __pfn_to_mfn of that pfn'],
    ['7.2', 'R m2p_overrides, under m2p_override_lock'],
    ['7.2', 'call set_phys_to_machine: mfn'],
    ['7.2', 'return'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    const mfn = r.value;
    const kept = mfn < cpu.memory.layout.m2pFrames;
    switch (r.pc) {
      case O1:
        if (kept && port.loadOverride(mfn) === r.pfn + 1) port.setOverride(mfn, 0);
        return O2;
      case O2:
        port.setGrant(r.count, Grant.kernelMapped, 0);
        return O3;
      case O3: {
        const known = mfn < port.global(Global.machine_to_phys_nr) ? port.loadM2p(mfn) : 0;
        if (known === 0) return cpu.ret(0);
        r.pfn = known - 1;
        return O4;
      }
      case O4:
        cpu.call(cpu.machines.pfnToMfnRaw, r.pfn);
        return O5;
      case O5:
        if (r.ret !== cpu.memory.codec.foreignOf(mfnWord(mfn))) return cpu.ret(0);
        return kept && port.loadOverride(mfn) !== 0 ? cpu.ret(0) : O6;
      case O6:
        cpu.call(cpu.machines.setPhysToMachine, r.pfn, mfnWord(mfn));
        return O7;
      case O7:
      default:
        return cpu.ret(0);
    }
  },
};
