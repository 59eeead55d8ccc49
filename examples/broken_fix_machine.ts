/**
 * alloc_p2m_pmd as a reviewer would mend it: 3.19-rc1 gives the loser of the race for a PMD the PTE pointer that it had, and
 * that is in the page that all share (B3). For x86_64, where a mid page has one PMD; the labels are those of the kernel's
 * steps, P3.3' the reviewer's own.
 *
 * The idea: look whether another CPU has been here before the lock is taken, for then neither lock nor page are needed, and
 * what the look has found is the pointer to go on with. It closes most of the window, and not all of it:
 *
 *     CPU0   P3.3' walk -> Q                              P3.5 finds QB != Q   P4 returns Q   <- as stale as before
 *     CPU1                     P3.4   P3.6 PMD = QB   P3.7
 */
import { Role } from 'xen-p2m/events';
import { makePte, NO_PAGE, rows, type Machine, type Machines } from 'xen-p2m/model';

const P1 = 0;
const P3_1 = 1;
const P3_2 = 2;
const LOOK = 3;
const P3_4 = 4;
const P3_5 = 5;
const P3_6 = 6;
const P3_7 = 7;
const P3_8 = 8;
const P3_8_FREE = 9;
const P4 = 10;

/** The function with its walk before the lock, which is too early, or with one more after it, where L2 has it. */
function allocP2mPmd(walk: 'before the lock' | 'after the lock'): Machine {
  const late = walk === 'after the lock';
  return {
    name: 'alloc_p2m_pmd',
    rows: rows(
      ['P1', 'ALLOC a PT page'],
      ['P3.1', 'copy the shared PT page', 'copy pte page'],
      ['P3.2', 'HC announce the page table'],
      ["P3.3'", 'R PMD, ahead of the lock', 'walk pmd'],
      ['P3.4', 'LOCK', 'lock'],
      ['P3.5', 'R PMD', 'walk pmd'],
      ['P3.6', 'W PMD', 'store pmd'],
      ['P3.7', 'UNLOCK', 'unlock'],
      ['P3.8', 'HC retract the page table'],
      ['P3.8', 'FREE'],
      late ? ['P4', 'R PMD', 'walk pmd'] : ['P4', 'return the PTE known'],
    ),
    step(r, cpu) {
      const { port } = cpu;
      switch (r.pc) {
        case P1:
          r.ptePage = r.count; // pte_pg, the argument: the shared PT page that the caller found
          r.page0 = port.allocPage(Role.pte);
          return r.page0 === NO_PAGE ? cpu.ret(NO_PAGE) : P3_1;
        case P3_1:
          port.copyPage(r.page0, r.ptePage);
          return P3_2;
        case P3_2:
          port.announcePage(r.page0);
          return LOOK;
        case LOOK:
          r.result = port.walk(r.pfn);
          return r.result === r.ptePage ? P3_4 : P3_8; // another CPU was first
        case P3_4:
          return port.lock() ? P3_5 : P3_4;
        case P3_5:
          r.linked = port.walk(r.pfn);
          return r.linked === r.ptePage ? P3_6 : P3_7;
        case P3_6:
          port.setPmd(r.pfn, makePte(r.page0, true));
          r.result = r.page0;
          r.page0 = NO_PAGE;
          return P3_7;
        case P3_7:
          port.unlock();
          return r.page0 === NO_PAGE ? P4 : P3_8;
        case P3_8:
          port.retractPage(r.page0);
          return P3_8_FREE;
        case P3_8_FREE:
          port.freePage(r.page0);
          return P4;
        case P4:
        default:
          return cpu.ret(late ? port.walk(r.pfn) : r.result);
      }
    },
  };
}

/** The reviewer's version, in the place of the kernel's. */
export const machines: Partial<Machines> = { allocP2mPmd: allocP2mPmd('before the lock') };

/** The same with the walk where it has to be. */
export const mendedMachines: Partial<Machines> = { allocP2mPmd: allocP2mPmd('after the lock') };
