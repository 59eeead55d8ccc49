import { Global, Role } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';
import { mfnListPages, storeTopMfn } from '../p2m/mfn_list_pages.js';

const T0 = 0;
const T1 = 1;
const T2 = 2;
const T2_A = 3;
const T2_C = 4;
const T2_E = 5;
const T2_F = 6;
const T2_F_FILL = 7;
const T2_F_LINK = 8;
const T2_G = 9;
const T2_H = 10;

/**
 * `xen_build_mfn_list_list` of 3.16 and 3.18, at boot and again at resume: the tools' tree mirrors the kernel's, a leaf's
 * mfn is that of the page which the kernel's mid page names (spec 4.8).
 *
 * Inferred, not read: the steps are those of the linear list, with p2m_mid_missing in the place of a shared PT page. A mid
 * page of p2m_mid_identity is written out, leaf by leaf: only missing has a shared mid page in the tools' tree.
 */
export const xenBuildMfnListList: Machine = {
  name: 'xen_build_mfn_list_list',
  rows: rows(
    ['4.8.0', 'R auto-translated'],
    ['4.8.1', 'the pages that the tree begins with'],
    ['4.8.2', 'R p2m_top[top]'],
    ['4.8.2a', 'R p2m_top_mfn_p[top]'],
    ['4.8.2c', 'R mid[mididx]'],
    ['4.8.2e', 'W p2m_top_mfn[top]'],
    ['4.8.2f', 'ALLOC a mid page'],
    ['4.8.2f', 'fill it with mfn(p2m_missing)'],
    ['4.8.2f', 'W p2m_top_mfn_p[top]'],
    ['4.8.2g', 'W p2m_top_mfn[top]'],
    ['4.8.2h', 'W mid_mfn[mididx]'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    const top = p2mTopIndex(g, r.pfn);
    const mididx = p2mMidIndex(g, r.pfn);
    switch (r.pc) {
      case T0:
        if (form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0) return cpu.ret(0);
        return T1;
      case T1:
        cpu.call(mfnListPages, 0);
        return T2;
      case T2:
        if (r.pfn >= port.global(Global.xen_max_p2m_pfn)) return cpu.ret(0);
        if (r.pfn >= g.maxP2mPfn) return cpu.bug('pfn-above-max', r.pfn);
        r.mid = port.loadTop(top);
        return T2_A;
      case T2_A:
        r.midMfn = port.loadTopMfnP(top);
        if (r.mid !== port.global(Global.p2m_mid_missing)) return T2_C;
        if (mididx !== 0) return cpu.bug('mididx', r.pfn);
        return r.midMfn === port.global(Global.p2m_mid_missing_mfn) ? T2_E : cpu.bug('mid-not-missing', r.pfn);
      case T2_C:
        r.leaf = port.loadMid(r.mid, mididx);
        return r.midMfn === port.global(Global.p2m_mid_missing_mfn) ? T2_F : T2_G;
      case T2_E:
        storeTopMfn(cpu, top, port.global(Global.p2m_mid_missing_mfn));
        r.pfn += g.pfnsPerMidPage;
        return T2;
      case T2_F:
        r.midMfn = port.allocPage(Role.mid);
        return r.midMfn === NO_PAGE ? cpu.bug('null-page', r.pfn) : T2_F_FILL;
      case T2_F_FILL:
        port.fillFrame(r.midMfn, port.global(Global.p2m_missing));
        return T2_F_LINK;
      case T2_F_LINK:
        port.setTopMfnP(top, r.midMfn);
        return T2_G;
      case T2_G:
        storeTopMfn(cpu, top, r.midMfn);
        return T2_H;
      case T2_H:
      default:
        port.setMidMfn(r.midMfn, mididx, r.leaf);
        r.pfn += g.perPage;
        return T2;
    }
  },
};
