import { Global, INVALID, Warning } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const S1 = 0;
const S2 = 1;
const S2_SWAP = 2;
const S3 = 3;
const S3_SWAP = 4;
const S5 = 5;

/**
 * `__set_phys_to_machine(pfn, value)` of 3.16 and 3.18: the store that never allocates (spec 6.1, last paragraph).
 * Returns 1, or 0 when the leaf is p2m_missing and `value` is a frame.
 *
 * An identity value makes all of a missing leaf, or of a missing mid page, identity: boot has split the edges of its
 * ranges before, so what is shared lies wholly inside the range. The loser of that exchange warns and still returns 1.
 *
 * B0d (known-defects.md): only p2m_missing is refused. A frame for a pfn of the shared p2m_identity is stored into that
 * page, true is returned, and look-ups go on saying identity.
 *
 * Inferred, not read: pfn >= MAX_P2M_PFN takes INVALID and is a BUG for all else, as S1 of the linear list; the labels
 * are those of the linear list's steps; each of p2m_top and mid is read once.
 */
export const setPhysToMachineNoAlloc: Machine = {
  name: '__set_phys_to_machine',
  rows: rows(
    ['S1', 'check the top index'],
    ['S2', 'R p2m_top[top]', 'load top'],
    ["S2'", 'CAS p2m_top[top]', 'cmpxchg top'],
    ['S3', 'R mid[mididx]', 'load mid'],
    ["S3'", 'CAS mid[mididx]', 'cmpxchg mid'],
    ['S5', 'W entry[pfn]', 'store entry'],
  ),
  step(r, cpu) {
    const { port, geometry: g } = cpu;
    const identity = cpu.memory.codec.isIdentity(r.value);
    switch (r.pc) {
      case S1:
        if (r.pfn < g.maxP2mPfn) return S2;
        return r.value === INVALID ? cpu.ret(1) : cpu.bug('beyond-size', r.pfn);
      case S2:
        r.mid = port.loadTop(p2mTopIndex(g, r.pfn));
        if (identity && r.mid === port.global(Global.p2m_mid_identity)) return cpu.ret(1);
        return identity && r.mid === port.global(Global.p2m_mid_missing) ? S2_SWAP : S3;
      case S2_SWAP:
        r.seen = port.casTop(p2mTopIndex(g, r.pfn), r.mid, port.global(Global.p2m_mid_identity));
        if (r.seen !== r.mid) port.warn(Warning['identity-race'], r.pfn);
        return cpu.ret(1);
      case S3:
        r.leaf = port.loadMid(r.mid, p2mMidIndex(g, r.pfn));
        if (identity && r.leaf === port.global(Global.p2m_identity)) return cpu.ret(1);
        if (r.leaf !== port.global(Global.p2m_missing)) return S5;
        return identity ? S3_SWAP : cpu.ret(r.value === INVALID ? 1 : 0);
      case S3_SWAP:
        r.seen = port.casMid(r.mid, p2mMidIndex(g, r.pfn), r.leaf, port.global(Global.p2m_identity));
        if (r.seen !== r.leaf) port.warn(Warning['identity-race'], r.pfn);
        return cpu.ret(1);
      case S5:
      default:
        port.storeLeaf(r.leaf, r.pfn, r.value);
        return cpu.ret(1);
    }
  },
};
