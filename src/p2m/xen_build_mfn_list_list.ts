import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';
import { mfnListPages, storeTopMfn } from './mfn_list_pages.js';

/** start_info.flags: the tools read the list itself, through p2m_cr3 (SIF_VIRT_P2M_4TOOLS). */
export const SIF_VIRT_P2M_4TOOLS = 64;

/**
 * What virt_to_mfn gives for an address of the vm area: the frame of nobody's leaf (B1). It is no page number, so whoever
 * reads the tree finds a name for nothing.
 */
export const NOT_A_FRAME = -1;

const T0 = 0;
const T1 = 1;
const T2 = 2;
const T2_A = 3;
const T2_B = 4;
const T2_C = 5;
const T2_E = 6;
const T2_F = 7;
const T2_F_FILL = 8;
const T2_F_LINK = 9;
const T2_G = 10;
const T2_H = 11;

/**
 * `xen_build_mfn_list_list`: the three-level tree of leaf frames that Xen's tools read, at boot and again at resume (spec
 * 4.8). At boot it relies on shared PT pages standing only for whole mid pages.
 */
export const xenBuildMfnListList: Machine = {
  name: 'xen_build_mfn_list_list',
  rows: rows(
    ['4.8.0', 'R auto-translated, start_info.flags'],
    ['4.8.1', 'the pages that the tree begins with'],
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
        return T1;
      case T1:
        cpu.call(mfnListPages, 0);
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
        storeTopMfn(cpu, top, port.global(Global.p2m_mid_missing_mfn));
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
        storeTopMfn(cpu, top, r.mid);
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
