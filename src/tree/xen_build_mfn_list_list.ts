import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';
import { p2mMidIndex, p2mTopIndex } from './p2m_index.js';

const T0 = 0;
const T1_MID = 1;
const T1_MID_FILL = 2;
const T1_TOP_P = 3;
const T1_TOP_P_FILL = 4;
const T1_TOP = 5;
const T1_TOP_FILL = 6;
const T2 = 7;
const T2_A = 8;
const T2_C = 9;
const T2_E = 10;
const T2_F = 11;
const T2_F_FILL = 12;
const T2_F_LINK = 13;
const T2_G = 14;
const T2_H = 15;

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
    ['4.8.1', 'ALLOC p2m_mid_missing_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_missing)'],
    ['4.8.1', 'ALLOC p2m_top_mfn_p'],
    ['4.8.1', 'fill it with p2m_mid_missing_mfn'],
    ['4.8.1', 'ALLOC p2m_top_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_mid_missing_mfn)'],
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
        return port.global(Global.p2m_top_mfn) === NO_PAGE ? T1_MID : T1_MID_FILL;
      case T1_MID:
        return take(cpu, Role.mid_missing, Global.p2m_mid_missing_mfn, T1_MID_FILL);
      case T1_MID_FILL:
        port.fillFrame(port.global(Global.p2m_mid_missing_mfn), port.global(Global.p2m_missing));
        return port.global(Global.p2m_top_mfn) === NO_PAGE ? T1_TOP_P : T2; // else: resume, refilled and no more
      case T1_TOP_P:
        return take(cpu, Role.top_mfn_p, Global.p2m_top_mfn_p, T1_TOP_P_FILL);
      case T1_TOP_P_FILL:
        port.fillFrame(port.global(Global.p2m_top_mfn_p), port.global(Global.p2m_mid_missing_mfn));
        return T1_TOP;
      case T1_TOP:
        return take(cpu, Role.top_mfn, Global.p2m_top_mfn, T1_TOP_FILL);
      case T1_TOP_FILL:
        port.fillFrame(port.global(Global.p2m_top_mfn), port.global(Global.p2m_mid_missing_mfn));
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
        storeTop(cpu, top, port.global(Global.p2m_mid_missing_mfn));
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
        storeTop(cpu, top, r.midMfn);
        return T2_H;
      case T2_H:
      default:
        port.setMidMfn(r.midMfn, mididx, r.leaf);
        r.pfn += g.perPage;
        return T2;
    }
  },
};

function take(cpu: Cpu, role: number, global: number, next: number): number {
  const page = cpu.port.allocPage(role);
  if (page === NO_PAGE) return cpu.bug('null-page', 0);
  cpu.port.setGlobal(global, page);
  return next;
}

/** A store of what is there already is no event: boot writes it again for every leaf. */
function storeTop(cpu: Cpu, top: number, frame: number): void {
  if (cpu.port.loadTopMfn(top) !== frame) cpu.port.setTopMfn(top, frame);
}
