import { assert, Role } from '../../events/index.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { makePte, NO_PAGE } from '../memory/pte.js';
import { freeP2mPage } from './free_p2m_page.js';

const P1 = 0;
const P1_FREE = 1;
const P2 = 2;
const P3_1 = 3;
const P3_2 = 4;
const P3_4 = 5;
const P3_5 = 6;
const P3_6_ODD = 7;
const P3_6 = 8;
const P3_6_EVEN = 9;
const P3_7 = 10;
const P3_8 = 11;
const P3_8_FREE = 12;
const P3_9 = 13;
const P4 = 14;
const P4_OLD = 15;

/**
 * `alloc_p2m_pmd(addr, pte_pg)`: gives the mid page of `pfn` PT pages of its own where its PMD slots still name the
 * shared `ptePage` (spec 6.4). Takes and gives back p2m_update_lock around each slot. Returns the PT page that then
 * serves `pfn`, NO_PAGE when memory was short.
 *
 * The window of B3 (known-defects.md): between the caller's walk and P3.4 another CPU may link its own page. The loser
 * finds that in P3.5, frees its page, and must look again where the list now leads (P4, from L2 on):
 *
 *     CPU0  A2 walk -> Q                                P3.5 finds QB != Q, frees QA, P4'  returns Q   <- stale
 *     CPU1  A2 walk -> Q   P3.6 PMD = QB   P3.7
 */
export const allocP2mPmd: Machine = {
  name: 'alloc_p2m_pmd',
  rows: rows(
    ['P1', 'ALLOC a PT page'],
    ['P1', 'FREE the pages taken'],
    ['P2', 'round the address down'],
    ['P3.1', 'copy the shared PT page', 'copy pte page'],
    ['P3.2', 'HC announce the page table'],
    ['P3.4', 'LOCK', 'lock'],
    ['P3.5', 'R PMD', 'walk pmd'],
    ['P3.6', 'W generation + 1'],
    ['P3.6', 'W PMD', 'store pmd'],
    ['P3.6', 'W generation + 1'],
    ['P3.7', 'UNLOCK', 'unlock'],
    ['P3.8', 'HC retract the page table', 'after unlock'],
    ['P3.8', 'FREE'],
    ['P3.9', 'next PMD'],
    ['P4', 'R PMD', 'walk pmd'],
    ["P4'", 'return the PTE known'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case P1: {
        const page = port.allocPage(Role.pte);
        if (page === NO_PAGE) return r.i === 0 ? cpu.ret(NO_PAGE) : P1_FREE;
        setOwn(r, r.i++, page);
        return r.i < g.pmdsPerMidPage ? P1 : P2;
      }
      case P1_FREE:
        if (!freeP2mPage(cpu, own(r, --r.i))) return r.pc;
        return r.i > 0 ? P1_FREE : cpu.ret(NO_PAGE);
      case P2:
        r.vaddr = r.pfn - (r.pfn % g.pfnsPerMidPage);
        r.i = 0;
        r.result = r.ptePage = r.count; // pte_pg, the argument
        return P3_1;
      case P3_1:
        port.copyPage(own(r, r.i), r.ptePage);
        return P3_2;
      case P3_2:
        port.announcePage(own(r, r.i));
        return P3_4; // P3.3: the table that holds the PMD slot is always there in this model
      case P3_4:
        return port.lock() ? P3_5 : P3_4;
      case P3_5:
        r.linked = port.walk(r.vaddr);
        if (r.linked !== r.ptePage) return P3_7;
        return form.listForTools ? P3_6_ODD : P3_6;
      case P3_6_ODD:
        port.bumpGeneration();
        return P3_6;
      case P3_6:
        port.setPmd(r.vaddr, makePte(own(r, r.i), true));
        if (r.pfn >= r.vaddr && r.pfn < r.vaddr + g.pfnsPerPtePage) r.result = own(r, r.i);
        setOwn(r, r.i, NO_PAGE);
        return form.listForTools ? P3_6_EVEN : P3_7;
      case P3_6_EVEN:
        port.bumpGeneration();
        return P3_7;
      case P3_7:
        port.unlock();
        return P3_8;
      case P3_8:
        if (own(r, r.i) === NO_PAGE) return P3_9;
        port.retractPage(own(r, r.i));
        return P3_8_FREE;
      case P3_8_FREE:
        if (!freeP2mPage(cpu, own(r, r.i))) return r.pc;
        return P3_9;
      case P3_9:
        r.vaddr += g.pfnsPerPtePage;
        if (++r.i < g.pmdsPerMidPage) return P3_1;
        return form.pmdLoserWalksAgain ? P4 : P4_OLD;
      case P4:
        return cpu.ret(port.walk(r.pfn));
      case P4_OLD:
      default:
        return cpu.ret(r.result);
    }
  },
};

/** Page `i` of those that P1 took and nobody has linked; a mid page has one PMD or two. */
function own(r: Locals, i: number): number {
  return i === 0 ? r.page0 : r.page1;
}

function setOwn(r: Locals, i: number, page: number): void {
  assert(i < 2, 'a mid page has at most two PMDs');
  if (i === 0) r.page0 = page;
  else r.page1 = page;
}
