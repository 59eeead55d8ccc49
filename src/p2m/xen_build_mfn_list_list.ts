import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';

/** start_info.flags: the tools read the list itself, through p2m_cr3 (SIF_VIRT_P2M_4TOOLS). */
export const SIF_VIRT_P2M_4TOOLS = 64;

/**
 * What virt_to_mfn gives for an address of the vm area: the frame of nobody's leaf (B1). It is no page number, so whoever
 * reads the tree finds a name for nothing.
 */
export const NOT_A_FRAME = -1;

const T0 = 0;
const T1_MID = 1;
const T1_MID_FILL = 2;
const T1_TOP_P = 3;
const T1_TOP_P_FILL = 4;
const T1_TOP = 5;
const T1_TOP_FILL = 6;
const T2 = 7;
const T2_A = 8;
const T2_B = 9;
const T2_C = 10;
const T2_E = 11;
const T2_F = 12;
const T2_F_FILL = 13;
const T2_F_LINK = 14;
const T2_G = 15;
const T2_H = 16;

/**
 * `xen_build_mfn_list_list`: the three-level tree of leaf frames that Xen's tools read, at boot and again at resume (spec
 * 4.8). At boot it relies on shared PT pages standing only for whole mid pages.
 */
export const xenBuildMfnListList: Machine = {
  name: 'xen_build_mfn_list_list',
  rows: rows(
    ['4.8.0', 'R auto-translated, start_info.flags'],
    ['4.8.1', 'ALLOC p2m_mid_missing_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_missing)'],
    ['4.8.1', 'ALLOC p2m_top_mfn_p'],
    ['4.8.1', 'fill it with p2m_mid_missing_mfn'],
    ['4.8.1', 'ALLOC p2m_top_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_mid_missing_mfn)'],
    ['4.8.2', 'next leaf'],
    ['4.8.2a', 'R p2m_top_mfn_p[top]'],
    ['4.8.2b', 'R PMD'],
    ['4.8.2c', 'R PTE'],
    ['4.8.2e', 'W p2m_top_mfn[top]'],
    ['4.8.2f', 'ALLOC a mid page'],
    ['4.8.2f', 'fill it with mfn(p2m_missing)'],
    ['4.8.2f', 'W p2m_top_mfn_p[top]'],
    ['4.8.2g', 'W p2m_top_mfn[top]'],
    ['4.8.2h', 'W mid[mididx]'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    const top = Math.floor(r.pfn / g.pfnsPerMidPage);
    const mididx = Math.floor(r.pfn / g.perPage) % g.midPerPage;
    switch (r.pc) {
      case T0:
        if (form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0) return cpu.ret(0);
        if (form.listForTools && (port.global(Global['start_info.flags']) & SIF_VIRT_P2M_4TOOLS) !== 0) {
          return cpu.ret(0);
        }
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
        if (r.pfn >= port.global(Global.xen_max_p2m_pfn) || r.pfn >= g.maxP2mPfn) return cpu.ret(0);
        return T2_A;
      case T2_A:
        r.mid = port.loadTopMfnP(top);
        return T2_B;
      case T2_B:
        r.ptePage = port.walk(r.pfn);
        return r.ptePage === NO_PAGE ? cpu.bug('unmapped-entry', r.pfn) : T2_C;
      case T2_C:
        r.pte = port.loadPte(r.ptePage, r.pfn);
        if (r.ptePage === port.global(Global.p2m_missing_pte) || r.ptePage === port.global(Global.p2m_identity_pte)) {
          return sharedPtPage(r, cpu, mididx);
        }
        return r.mid === port.global(Global.p2m_mid_missing_mfn) ? T2_F : T2_G;
      case T2_E:
        storeTop(cpu, top, port.global(Global.p2m_mid_missing_mfn));
        r.pfn += g.pfnsPerMidPage;
        return T2;
      case T2_F:
        r.page0 = port.allocPage(Role.mid);
        return r.page0 === NO_PAGE ? cpu.bug('null-page', r.pfn) : T2_F_FILL;
      case T2_F_FILL:
        port.fillFrame(r.page0, port.global(Global.p2m_missing));
        return T2_F_LINK;
      case T2_F_LINK:
        port.setTopMfnP(top, r.page0);
        r.mid = r.page0;
        return T2_G;
      case T2_G:
        storeTop(cpu, top, r.mid);
        return T2_H;
      case T2_H:
      default:
        port.setMidMfn(r.mid, mididx, form.mfnTreeFromPte ? ptePage(r.pte) : NOT_A_FRAME);
        r.pfn += g.perPage;
        return T2;
    }
  },
};

/** e: a shared PT page stands for a whole mid page, or the kernel stops. */
function sharedPtPage(r: Locals, cpu: Cpu, mididx: number): number {
  if (mididx !== 0) return cpu.bug('mididx', r.pfn);
  if (r.mid !== cpu.port.global(Global.p2m_mid_missing_mfn)) return cpu.bug('mid-not-missing', r.pfn);
  return T2_E;
}

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
