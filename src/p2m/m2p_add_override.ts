import { Global, mfnWord } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { Grant } from '../memory/layout.js';

const O1 = 0;
const O2 = 1;
const O3 = 2;
const O4 = 3;
const O5 = 4;
const O6 = 5;

/**
 * `m2p_add_override(mfn, page, kmap_op)` (up to L3, spec 7.1): the page `pfn` maps the foreign frame `value` into the
 * kernel for grant slot `count`. A frame that is already one of ours under another pfn (a domain that grants to itself) has
 * that entry marked FOREIGN, so that mfn_to_pfn finds the override and not the entry.
 *
 * The hash of lists is one word a frame of the m2p: the newest page. The kernel keeps the older ones behind it.
 */
export const m2pAddOverride: Machine = {
  name: 'm2p_add_override',
  rows: rows(
    ['7.1', 'HC kernel mapping (queued)'],
    ['7.1', 'W m2p_overrides, under m2p_override_lock'],
    ['7.1', 'R m2p[mfn]'],
    ['7.1', 'call __pfn_to_mfn of that pfn'],
    ['7.1', 'call set_phys_to_machine: FOREIGN_FRAME(mfn)'],
    ['7.1', 'return'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    const mfn = r.value;
    switch (r.pc) {
      case O1:
        port.setGrant(r.count, Grant.kernelMapped, port.loadGrant(r.count, Grant.kernelStatus) === 0 ? 1 : 0);
        return O2;
      case O2:
        if (mfn < cpu.memory.layout.m2pFrames) port.setOverride(mfn, r.pfn + 1);
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
        if (r.ret !== mfnWord(mfn)) return cpu.ret(0);
        cpu.call(cpu.machines.setPhysToMachine, r.pfn, cpu.memory.codec.foreignOf(mfnWord(mfn)));
        return O6;
      case O6:
      default:
        return cpu.ret(0);
    }
  },
};
