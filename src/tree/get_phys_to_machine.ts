import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const G1 = 0;
const G2 = 1;
const G3 = 2;
const G5 = 3;

/**
 * `get_phys_to_machine(pfn)` of 3.16 and 3.18: three dependent loads, without a lock (spec 5.2). Returns the entry; any
 * pfn. `__pfn_to_mfn` was this and no more, so there is no machine of its own for it.
 *
 * What lies behind the builder's list and was never set is INVALID here, up to MAX_P2M_PFN; the linear list calls it
 * identity from its own end on.
 */
export const getPhysToMachine: Machine = {
  name: 'get_phys_to_machine',
  rows: rows(
    ['5.2.1', 'check the top index'],
    ['5.2.2', 'R p2m_top[top]', 'load top'],
    ['5.2.3', 'R mid[mididx]', 'load mid'],
    ['5.2.5', 'R entry[pfn]', 'load entry'],
  ),
  step(r, cpu) {
    const { port, geometry: g } = cpu;
    switch (r.pc) {
      case G1:
        return r.pfn < g.maxP2mPfn ? G2 : cpu.ret(cpu.memory.codec.identityOf(r.pfn));
      case G2:
        r.mid = port.loadTop(p2mTopIndex(g, r.pfn));
        return G3;
      case G3:
        r.leaf = port.loadMid(r.mid, p2mMidIndex(g, r.pfn));
        // 5.2.4: p2m_identity holds INVALID, or whatever B0d stored there; that it is this page says what it means.
        return r.leaf === port.global(Global.p2m_identity) ? cpu.ret(cpu.memory.codec.identityOf(r.pfn)) : G5;
      case G5:
      default:
        return cpu.ret(port.loadLeaf(r.leaf, r.pfn));
    }
  },
};
