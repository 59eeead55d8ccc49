import { Global, Role } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE } from '../memory/pte.js';

const T1_MID = 0;
const T1_MID_FILL = 1;
const T1_TOP_P = 2;
const T1_TOP_P_FILL = 3;
const T1_TOP = 4;
const T1_TOP_FILL = 5;

/**
 * Step 1 of `xen_build_mfn_list_list` (spec 4.8), the same for the old tree and the linear list: at boot the three pages
 * that the tools' tree begins with, at resume only p2m_mid_missing_mfn filled anew. Returns 0.
 */
export const mfnListPages: Machine = {
  name: 'xen_build_mfn_list_list',
  rows: rows(
    ['4.8.1', 'ALLOC p2m_mid_missing_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_missing)'],
    ['4.8.1', 'ALLOC p2m_top_mfn_p'],
    ['4.8.1', 'fill it with p2m_mid_missing_mfn'],
    ['4.8.1', 'ALLOC p2m_top_mfn'],
    ['4.8.1', 'fill it with mfn(p2m_mid_missing_mfn)'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    switch (r.pc) {
      case T1_MID:
        if (port.global(Global.p2m_top_mfn) !== NO_PAGE) return T1_MID_FILL;
        return take(cpu, Role.mid_missing, Global.p2m_mid_missing_mfn, T1_MID_FILL);
      case T1_MID_FILL:
        port.fillFrame(port.global(Global.p2m_mid_missing_mfn), port.global(Global.p2m_missing));
        return port.global(Global.p2m_top_mfn) === NO_PAGE ? T1_TOP_P : cpu.ret(0); // else: resume
      case T1_TOP_P:
        return take(cpu, Role.top_mfn_p, Global.p2m_top_mfn_p, T1_TOP_P_FILL);
      case T1_TOP_P_FILL:
        port.fillFrame(port.global(Global.p2m_top_mfn_p), port.global(Global.p2m_mid_missing_mfn));
        return T1_TOP;
      case T1_TOP:
        return take(cpu, Role.top_mfn, Global.p2m_top_mfn, T1_TOP_FILL);
      case T1_TOP_FILL:
      default:
        port.fillFrame(port.global(Global.p2m_top_mfn), port.global(Global.p2m_mid_missing_mfn));
        return cpu.ret(0);
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
export function storeTopMfn(cpu: Cpu, top: number, frame: number): void {
  if (cpu.port.loadTopMfn(top) !== frame) cpu.port.setTopMfn(top, frame);
}
