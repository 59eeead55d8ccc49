import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { alignUp } from '../geometry.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const R1 = 0;
const R2 = 1;
const R4 = 2;
const SPLIT = 3;
const SPLIT_MID_ALLOC = 4;
const SPLIT_MID_FILL = 5;
const SPLIT_MID = 6;
const SPLIT_LEAF = 7;
const SPLIT_LEAF_ALLOC = 8;
const SPLIT_LEAF_FILL = 9;
const SPLIT_LEAF_LINK = 10;
const NEXT_EDGE = 11;
const R5 = 12;

/**
 * `set_phys_range_identity(pfn_s, pfn_e)` of 3.16 and 3.18, here pfn and count (spec 4.3): splits the pages at both edges
 * (`early_alloc_p2m*`), then sets every pfn of the range; whole leaves and mid pages change to the shared identity ones.
 * Returns how many pfns, at most up to MAX_P2M_PFN. Boot alone: one R5 row does a leaf, or a whole shared mid page.
 *
 *     missing  |......|..iiii|iiiiii|iii...|......|       each cell a leaf, i identity, . INVALID
 *                      ^pfn_s           ^pfn_e
 *     becomes  missing  own    shared  own   missing
 *
 * Inferred, not read: an edge is split where it is not aligned to a leaf (or a mid page), also for an empty range, and a
 * page already shared as identity is not split again.
 */
export const setPhysRangeIdentity: Machine = {
  name: 'set_phys_range_identity',
  rows: rows(
    ['4.3.1', 'check the top index'],
    ['4.3.2', 'R auto-translated'],
    ['4.3.4', 'clamp the end'],
    ['4.3', 'R p2m_top[top] at an edge'],
    ['4.3', 'ALLOC a mid page'],
    ['4.3', 'fill with p2m_missing'],
    ['4.3', 'W p2m_top[top]'],
    ['4.3', 'R mid[mididx] at an edge'],
    ['4.3', 'ALLOC a leaf'],
    ['4.3', 'fill INVALID'],
    ['4.3', 'W mid[mididx]'],
    ['4.3', 'next edge'],
    ['4.3.5', 'W p2m_top[top], mid[mididx] or the entries of a leaf'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    const edge = r.i === 0 ? r.pfn : r.end;
    const top = p2mTopIndex(g, edge);
    const mididx = p2mMidIndex(g, edge);
    switch (r.pc) {
      case R1:
        return r.pfn >= g.maxP2mPfn ? cpu.ret(0) : R2;
      case R2:
        if (form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0) return cpu.ret(r.count - r.pfn);
        return r.pfn > r.count ? cpu.ret(0) : R4; // 4.3.3
      case R4:
        r.end = Math.min(r.count, g.maxP2mPfn);
        return SPLIT;
      case SPLIT:
        if (edge % g.pfnsPerMidPage === 0) return NEXT_EDGE;
        r.mid = port.loadTop(top);
        return r.mid === port.global(Global.p2m_mid_missing) ? SPLIT_MID_ALLOC : SPLIT_LEAF;
      case SPLIT_MID_ALLOC:
        r.mid = port.allocPage(Role.tree_mid);
        return r.mid === NO_PAGE ? cpu.bug('null-page', edge) : SPLIT_MID_FILL;
      case SPLIT_MID_FILL:
        port.fillFrame(r.mid, port.global(Global.p2m_missing));
        return SPLIT_MID;
      case SPLIT_MID:
        port.casTop(top, port.global(Global.p2m_mid_missing), r.mid);
        return SPLIT_LEAF;
      case SPLIT_LEAF:
        if (edge % g.perPage === 0) return NEXT_EDGE;
        return port.loadMid(r.mid, mididx) === port.global(Global.p2m_missing) ? SPLIT_LEAF_ALLOC : NEXT_EDGE;
      case SPLIT_LEAF_ALLOC:
        r.leaf = port.allocPage(Role.leaf);
        return r.leaf === NO_PAGE ? cpu.bug('null-page', edge) : SPLIT_LEAF_FILL;
      case SPLIT_LEAF_FILL:
        port.fillInvalid(r.leaf);
        return SPLIT_LEAF_LINK;
      case SPLIT_LEAF_LINK:
        port.casMid(r.mid, mididx, port.global(Global.p2m_missing), r.leaf);
        return NEXT_EDGE;
      case NEXT_EDGE:
        if (r.i++ === 0) return SPLIT;
        r.i = r.pfn;
        return R5;
      case R5:
      default:
        if (r.i >= r.end) return cpu.ret(r.end - r.pfn); // 4.3.6
        r.i = setIdentity(r, cpu);
        return R5;
    }
  },
};

/** `__set_phys_to_machine(pfn, IDENTITY_FRAME(pfn))` from `r.i` to the end of its mid page or leaf; gives where that is. */
function setIdentity(r: Locals, cpu: Cpu): number {
  const { port, geometry: g } = cpu;
  const midMissing = port.global(Global.p2m_mid_missing);
  const midIdentity = port.global(Global.p2m_mid_identity);
  const top = p2mTopIndex(g, r.i);
  let mid = port.loadTop(top);
  if (mid === midMissing) {
    port.casTop(top, midMissing, midIdentity);
    mid = midIdentity;
  }
  if (mid === midIdentity) return alignUp(r.i + 1, g.pfnsPerMidPage);

  const end = Math.min(r.end, alignUp(r.i + 1, g.perPage));
  const mididx = p2mMidIndex(g, r.i);
  const leaf = port.loadMid(mid, mididx);
  if (leaf === port.global(Global.p2m_missing)) port.casMid(mid, mididx, leaf, port.global(Global.p2m_identity));
  else if (leaf !== port.global(Global.p2m_identity)) {
    for (let pfn = r.i; pfn < end; pfn++) port.storeLeaf(leaf, pfn, cpu.memory.codec.identityOf(pfn));
  }
  return end;
}
