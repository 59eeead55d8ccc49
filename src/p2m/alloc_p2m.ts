import { Global, Role } from '../../events/index.js';
import { alignUp } from '../geometry.js';
import { rows, type Machine } from '../machine.js';
import { makePte, NO_PAGE, ptePage } from '../memory/pte.js';
import { freeP2mPage } from './free_p2m_page.js';

const A1 = 0;
const A2 = 1;
const A3 = 2;
const A4 = 3;
const A4_1 = 4;
const A4_2 = 5;
const A4_3 = 6;
const A4_3_FILL = 7;
const A4_4 = 8;
const A4_5 = 9;
const A4_6 = 10;
const A5 = 11;
const A6_1 = 12;
const A6_2 = 13;
const A6_3 = 14;
const A6_4 = 15;
const A6_5 = 16;
const A6_6 = 17;
const A6_7 = 18;
const A6_8 = 19;
const A6_9 = 20;
const A6_10 = 21;
const A7_1 = 22;
const A7_2 = 23;
const A7_3 = 24;
const A7_4 = 25;

/**
 * `alloc_p2m(pfn)`, from L6 on `xen_alloc_p2m_entry`: gives `pfn` a private leaf where it has a shared one, PT page and
 * mid page of the tools' tree included (spec 6.3). Takes and gives back p2m_update_lock. Returns 1, or 0 when memory was
 * short; what was installed before stays.
 *
 * Double-checked: A5 looks without the lock, A6.4 looks again under it, and the loser frees its leaf (A6.10). A store that
 * is not under the lock: the compare-and-exchange A4.4, whose loser goes on with the winner's page.
 */
export const allocP2m: Machine = {
  name: 'alloc_p2m',
  rows: rows(
    ['A1', 'check the top index'],
    ['A2', 'R PMD', 'walk pmd'],
    ['A3', 'alloc_p2m_pmd'],
    ['A4', 'R p2m_top_mfn'],
    ['A4.1', 'R p2m_top_mfn_p[top]', 'load top_mfn_p'],
    ['A4.2', 'R p2m_top_mfn[top]', 'check load top_mfn'],
    ['A4.3', 'ALLOC a mid page'],
    ['A4.3', 'fill with mfn(p2m_missing)'],
    ['A4.4', 'CAS p2m_top_mfn[top]', 'cmpxchg top_mfn'],
    ['A4.5', 'W p2m_top_mfn_p[top]', 'store top_mfn_p'],
    ['A4.6', 'FREE the mid page'],
    ['A5', 'R PTE', 'load pte'],
    ['A6.1', 'ALLOC a leaf'],
    ['A6.2', 'fill the leaf'],
    ['A6.3', 'LOCK', 'lock'],
    ['A6.4', 'R PTE', 'load pte'],
    ['A6.5', 'W generation + 1'],
    ['A6.6', 'W PTE', 'store pte'],
    ['A6.7', 'W generation + 1'],
    ['A6.8', 'W mid[mididx]', 'store mid_mfn'],
    ['A6.9', 'UNLOCK', 'unlock'],
    ['A6.10', 'FREE the leaf', 'after unlock'],
    ['A7.1', 'R xen_p2m_last_pfn'],
    ['A7.2', 'W xen_p2m_last_pfn', 'store last_pfn'],
    ['A7.3', 'R xen_p2m_last_pfn', 'store shared_info.max_pfn'],
    ['A7.4', 'W max_pfn'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case A1:
        if (!form.pfnAboveMax && r.pfn >= g.maxP2mPfn) return cpu.bug('pfn-above-max', r.pfn);
        return A2;
      case A2:
        r.ptePage = port.walk(r.pfn);
        if (r.ptePage === NO_PAGE) return cpu.bug('unmapped-entry', r.pfn);
        if (r.ptePage !== port.global(Global.p2m_missing_pte) && r.ptePage !== port.global(Global.p2m_identity_pte)) {
          return A4;
        }
        cpu.call(cpu.machines.allocP2mPmd, r.pfn, 0, r.ptePage);
        return A3;
      case A3:
        r.ptePage = r.ret;
        return r.ptePage === NO_PAGE ? cpu.ret(0) : A4;
      case A4:
        if (port.global(Global.p2m_top_mfn) === NO_PAGE) return A5;
        return form.pfnAboveMax && r.pfn >= g.maxP2mPfn ? A5 : A4_1;
      case A4_1:
        r.mid = port.loadTopMfnP(Math.floor(r.pfn / g.pfnsPerMidPage));
        return A4_2;
      case A4_2:
        if (port.loadTopMfn(Math.floor(r.pfn / g.pfnsPerMidPage)) !== r.mid) {
          return cpu.bug('top-mfn-mismatch', r.pfn);
        }
        return r.mid === port.global(Global.p2m_mid_missing_mfn) ? A4_3 : A5;
      case A4_3:
        r.page0 = port.allocPage(Role.mid);
        return r.page0 === NO_PAGE ? cpu.ret(0) : A4_3_FILL;
      case A4_3_FILL:
        port.fillFrame(r.page0, port.global(Global.p2m_missing));
        return A4_4;
      case A4_4:
        r.seen = port.casTopMfn(Math.floor(r.pfn / g.pfnsPerMidPage), r.mid, r.page0);
        return r.seen === r.mid ? A4_5 : A4_6;
      case A4_5:
        port.setTopMfnP(Math.floor(r.pfn / g.pfnsPerMidPage), r.page0);
        r.mid = r.page0;
        return A5;
      case A4_6:
        if (!freeP2mPage(cpu, r.page0)) return r.pc;
        r.mid = r.seen;
        return A5;
      case A5:
        r.pte = port.loadPte(r.ptePage, r.pfn);
        if (ptePage(r.pte) === port.global(Global.p2m_missing)) return A6_1;
        if (ptePage(r.pte) === port.global(Global.p2m_identity)) return A6_1;
        return form.listForTools ? A7_1 : cpu.ret(1);
      case A6_1:
        r.leaf = port.allocPage(Role.leaf);
        return r.leaf === NO_PAGE ? cpu.ret(0) : A6_2;
      case A6_2:
        if (ptePage(r.pte) === port.global(Global.p2m_missing)) port.fillInvalid(r.leaf);
        else port.fillIdentity(r.leaf, form.identityBaseMasked ? r.pfn - (r.pfn % g.perPage) : r.pfn);
        return A6_3;
      case A6_3:
        return port.lock() ? A6_4 : A6_3;
      case A6_4:
        if (port.loadPte(r.ptePage, r.pfn) !== r.pte) return A6_9;
        return form.listForTools ? A6_5 : A6_6;
      case A6_5:
        port.bumpGeneration();
        return A6_6;
      case A6_6:
        port.setPte(r.ptePage, r.pfn, makePte(r.leaf, true));
        return form.listForTools ? A6_7 : A6_8;
      case A6_7:
        port.bumpGeneration();
        return A6_8;
      case A6_8:
        if (r.mid !== NO_PAGE) port.setMidMfn(r.mid, Math.floor(r.pfn / g.perPage) % g.midPerPage, r.leaf);
        r.leaf = NO_PAGE;
        return A6_9;
      case A6_9:
        port.unlock();
        return A6_10;
      case A6_10:
        if (r.leaf !== NO_PAGE && !freeP2mPage(cpu, r.leaf)) return r.pc;
        return form.listForTools ? A7_1 : cpu.ret(1);
      case A7_1: {
        const last = port.global(Global.xen_p2m_last_pfn);
        return (form.lastPfnAligned ? r.pfn >= last : r.pfn > last) ? A7_2 : cpu.ret(1);
      }
      case A7_2:
        port.setGlobal(Global.xen_p2m_last_pfn, form.lastPfnAligned ? alignUp(r.pfn + 1, g.perPage) : r.pfn);
        return A7_3;
      case A7_3:
        r.seen = port.global(Global.xen_p2m_last_pfn);
        return A7_4;
      case A7_4:
      default:
        port.setMaxPfn(r.seen);
        return cpu.ret(1); // A8
    }
  },
};
