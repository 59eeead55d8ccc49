import { Global, Role } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const A1 = 0;
const MID = 1;
const MID_ALLOC = 2;
const MID_FILL = 3;
const MID_CAS = 4;
const MID_FREE = 5;
const A4 = 6;
const A4_1 = 7;
const A4_2 = 8;
const A4_3 = 9;
const A4_3_FILL = 10;
const A4_4 = 11;
const A4_5 = 12;
const A4_6 = 13;
const LEAF_TOP = 14;
const LEAF_CHECK = 15;
const LEAF_AGAIN = 16;
const LEAF_ALLOC = 17;
const LEAF_FILL = 18;
const LEAF_CAS = 19;
const LEAF_MFN = 20;
const LEAF_FREE = 21;

/**
 * `alloc_p2m(pfn)` of 3.16 and 3.18: gives `pfn` a leaf of its own, its mid page and the tools' mid page included (spec
 * 6.3, last paragraph). No lock: each level is a check, an allocation and a compare-and-exchange. Returns 1, or 0 when
 * memory was short; what was installed before stays.
 *
 * Three windows, one a level (known-defects.md B0a-B0c); CPU1 wins, CPU0 is preempted:
 *
 *     level   CPU0 before             CPU0 after CPU1 has won                      what is lost           mended
 *     mid     mid == mid_missing      CAS lost, FREE mid, goes on with freed mid   CPU0's leaf (B0c)      never
 *     A4      midMfn == mid_missing   CAS lost, FREE midMfn, goes on with it       the tools' leaf (B0b)  3.18
 *     leaf    leaf == p2m_missing     R again -> CPU1's leaf; CAS replaces it      CPU1's entries (B0a)   3.18
 *
 * B0e: a leaf made from p2m_identity is filled INVALID too, so its other pfns turn missing.
 *
 * Inferred, not read: the leaf is looked for from p2m_top again, and not through the mid page in hand (a p2m_top entry
 * that is private never changes, so its second read before LEAF_AGAIN is folded); before the tools' tree is built its
 * part is skipped, as in the linear list.
 */
export const allocP2m: Machine = {
  name: 'alloc_p2m',
  rows: rows(
    ['A1', 'check the top index'],
    ['A-mid', 'R p2m_top[top]', 'load top'],
    ['A-mid', 'ALLOC a mid page'],
    ['A-mid', 'fill with p2m_missing'],
    ['A-mid', 'CAS p2m_top[top]', 'cmpxchg top'],
    ['A-mid', 'FREE the mid page'],
    ['A4', 'R p2m_top_mfn'],
    ['A4.1', 'R p2m_top_mfn_p[top]', 'load top_mfn_p'],
    ['A4.2', 'R p2m_top_mfn[top]', 'check load top_mfn'],
    ['A4.3', 'ALLOC a mid page for the tools'],
    ['A4.3', 'fill with mfn(p2m_missing)'],
    ['A4.4', 'CAS p2m_top_mfn[top]', 'cmpxchg top_mfn'],
    ['A4.5', 'W p2m_top_mfn_p[top]', 'store top_mfn_p'],
    ['A4.6', 'FREE the mid page for the tools'],
    ['A-leaf', 'R p2m_top[top]', 'load top'],
    ['A-leaf', 'R mid[mididx]', 'load mid'],
    ['A-leaf', 'R mid[mididx] again', 'load mid'],
    ['A-leaf', 'ALLOC a leaf'],
    ['A-leaf', 'fill INVALID'],
    ['A-leaf', 'CAS mid[mididx]', 'cmpxchg mid'],
    ['A-leaf', 'W mid_mfn[mididx]', 'store mid_mfn'],
    ['A-leaf', 'FREE the leaf'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    const top = p2mTopIndex(g, r.pfn);
    const mididx = p2mMidIndex(g, r.pfn);
    switch (r.pc) {
      case A1:
        return r.pfn < g.maxP2mPfn ? MID : cpu.bug('pfn-above-max', r.pfn);
      case MID:
        r.mid = port.loadTop(top);
        return r.mid === port.global(Global.p2m_mid_missing) ? MID_ALLOC : A4;
      case MID_ALLOC:
        r.mid = port.allocPage(Role.tree_mid);
        return r.mid === NO_PAGE ? cpu.ret(0) : MID_FILL;
      case MID_FILL:
        port.fillFrame(r.mid, port.global(Global.p2m_missing));
        return MID_CAS;
      case MID_CAS:
        r.seen = port.casTop(top, port.global(Global.p2m_mid_missing), r.mid);
        return r.seen === port.global(Global.p2m_mid_missing) ? A4 : MID_FREE;
      case MID_FREE:
        port.freePage(r.mid); // and keeps it in hand: B0c
        return A4;
      case A4:
        return port.global(Global.p2m_top_mfn) === NO_PAGE ? LEAF_TOP : A4_1;
      case A4_1:
        r.midMfn = port.loadTopMfnP(top);
        return A4_2;
      case A4_2:
        if (port.loadTopMfn(top) !== r.midMfn) return cpu.bug('top-mfn-mismatch', r.pfn);
        return r.midMfn === port.global(Global.p2m_mid_missing_mfn) ? A4_3 : LEAF_TOP;
      case A4_3:
        r.midMfn = port.allocPage(Role.mid);
        return r.midMfn === NO_PAGE ? cpu.ret(0) : A4_3_FILL;
      case A4_3_FILL:
        port.fillFrame(r.midMfn, port.global(Global.p2m_missing));
        return A4_4;
      case A4_4:
        r.seen = port.casTopMfn(top, port.global(Global.p2m_mid_missing_mfn), r.midMfn);
        return r.seen === port.global(Global.p2m_mid_missing_mfn) ? A4_5 : A4_6;
      case A4_5:
        port.setTopMfnP(top, r.midMfn);
        return LEAF_TOP;
      case A4_6:
        port.freePage(r.midMfn); // in 3.16 it stays in hand: B0b
        if (form.treeMidMfnLoserUsesWinner) r.midMfn = r.seen;
        return LEAF_TOP;
      case LEAF_TOP:
        r.linked = port.loadTop(top);
        return LEAF_CHECK;
      case LEAF_CHECK:
        r.seen = port.loadMid(r.linked, mididx);
        if (r.seen !== port.global(Global.p2m_missing) && r.seen !== port.global(Global.p2m_identity))
          return cpu.ret(1);
        return form.treeLeafReadOnce ? LEAF_ALLOC : LEAF_AGAIN;
      case LEAF_AGAIN:
        r.seen = port.loadMid(r.linked, mididx); // what it is to be compared with is not what was checked: B0a
        return LEAF_ALLOC;
      case LEAF_ALLOC:
        r.leaf = port.allocPage(Role.leaf);
        return r.leaf === NO_PAGE ? cpu.ret(0) : LEAF_FILL;
      case LEAF_FILL:
        port.fillInvalid(r.leaf); // for p2m_identity as well: B0e
        return LEAF_CAS;
      case LEAF_CAS:
        if (port.casMid(r.mid, mididx, r.seen, r.leaf) !== r.seen) return LEAF_FREE;
        return r.midMfn === NO_PAGE ? cpu.ret(1) : LEAF_MFN;
      case LEAF_MFN:
        port.setMidMfn(r.midMfn, mididx, r.leaf);
        return cpu.ret(1);
      case LEAF_FREE:
      default:
        port.freePage(r.leaf);
        return cpu.ret(1);
    }
  },
};
