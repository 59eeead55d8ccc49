import { Global, INVALID, Role } from '../../events/index.js';
import { alignUp, type Geometry } from '../geometry.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const B1 = 0;
const B2 = 1;
const SHARED_ALLOC = 2;
const SHARED_FILL = 3;
const SHARED = 4;
const NEXT = 5;
const MID_ALLOC = 6;
const MID_FILL = 7;
const MID = 8;
const B4 = 9;
const LEAF = 10;

/** The shared pages and the top page, in the order of their making: role, global, and what every word of it names. */
const SHARED_PAGES = [
  [Role.missing, Global.p2m_missing, Global.none],
  [Role.identity, Global.p2m_identity, Global.none],
  [Role.tree_mid_missing, Global.p2m_mid_missing, Global.p2m_missing],
  [Role.tree_mid_identity, Global.p2m_mid_identity, Global.p2m_identity],
  [Role.tree_top, Global.p2m_top, Global.p2m_mid_missing],
] as const;

/**
 * MAX_DOMAIN_PAGES: the most pages that the old kernels take over, 500 GiB on 64 bit and 64 GiB on 32 bit (spec 2). In a
 * tiny geometry that is more than the tree spans, and what it spans is the limit.
 */
export function maxDomainPages(g: Geometry): number {
  return Math.min((g.entryBits === 64 ? 500 : 64) * g.pfnsPerGib, g.maxP2mPfn);
}

/**
 * `xen_build_dynamic_phys_to_machine` of 3.16 and 3.18: the pages of the domain builder's list become leaves of the tree,
 * in place (spec 4.1 and its last line, 4.3). The tail of the last one becomes INVALID; what lies behind is missing.
 *
 * xen_max_p2m_pfn is the number of pages, not rounded up. xen_p2m_addr and xen_p2m_size are of the linear list: they stay
 * 0. That one machine makes the shared pages, and in which order, is inferred.
 */
export const xenBuildDynamicPhysToMachine: Machine = {
  name: 'xen_build_dynamic_phys_to_machine',
  rows: rows(
    ['4.1.1', 'R auto-translated'],
    ['4.1.5', 'W xen_max_p2m_pfn'],
    ['4.1', 'ALLOC a shared page'],
    ['4.1', 'fill it'],
    ['4.1', 'W p2m_missing, ... p2m_top'],
    ['4.1', 'R p2m_top[top]'],
    ['4.1', 'ALLOC a mid page'],
    ['4.1', 'fill with p2m_missing'],
    ['4.1', 'W p2m_top[top]'],
    ['4.1.4', 'W entry[pfn]'],
    ['4.1', 'W mid[mididx]'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case B1:
        return form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0 ? cpu.ret(0) : B2;
      case B2:
        r.end = Math.min(maxDomainPages(g), port.global(Global['start_info.nr_pages']));
        port.setGlobal(Global.xen_max_p2m_pfn, r.end);
        return SHARED_ALLOC;
      case SHARED_ALLOC:
        r.page0 = port.allocPage(SHARED_PAGES[r.i]![0]);
        return r.page0 === NO_PAGE ? cpu.bug('null-page', 0) : SHARED_FILL;
      case SHARED_FILL: {
        const names = SHARED_PAGES[r.i]![2];
        if (names === Global.none) port.fillInvalid(r.page0);
        else port.fillFrame(r.page0, port.global(names));
        return SHARED;
      }
      case SHARED:
        port.setGlobal(SHARED_PAGES[r.i]![1], r.page0);
        return ++r.i < SHARED_PAGES.length ? SHARED_ALLOC : NEXT;
      case NEXT:
        if (r.pfn >= r.end) return cpu.ret(0);
        r.i = Math.min(r.end, r.pfn + g.perPage);
        r.mid = port.loadTop(p2mTopIndex(g, r.pfn));
        return r.mid === port.global(Global.p2m_mid_missing) ? MID_ALLOC : B4;
      case MID_ALLOC:
        r.mid = port.allocPage(Role.tree_mid);
        return r.mid === NO_PAGE ? cpu.bug('null-page', r.pfn) : MID_FILL;
      case MID_FILL:
        port.fillFrame(r.mid, port.global(Global.p2m_missing));
        return MID;
      case MID:
        port.casTop(p2mTopIndex(g, r.pfn), port.global(Global.p2m_mid_missing), r.mid);
        return B4;
      case B4:
        if (r.i === alignUp(r.i, g.perPage)) return LEAF;
        port.storeLeaf(cpu.memory.initPage(r.i), r.i, INVALID);
        r.i++;
        return B4;
      case LEAF:
      default:
        port.casMid(r.mid, p2mMidIndex(g, r.pfn), port.global(Global.p2m_missing), cpu.memory.initPage(r.pfn));
        r.pfn += g.perPage;
        return NEXT;
    }
  },
};
