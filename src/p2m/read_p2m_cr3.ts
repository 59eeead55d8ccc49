import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';
import { UNREADABLE } from './read_mfn_tree.js';

const X1 = 0;
const X2 = 1;
const X2_TREE = 2;
const X3 = 3;
const X4 = 4;
const X5 = 5;
const X6 = 6;

/**
 * `read_p2m_cr3`: a tool walks the page tables of the list itself, from p2m_cr3, and emits the frame of each leaf (spec 8).
 * Returns how many, or UNREADABLE: "p2m generation count changed" since it began, or a hole. Where p2m_cr3 is 0 it reads
 * the tree, without a check. It runs beside the domain, without a lock; an odd generation at the start does not stop it.
 *
 * Identical PMDs at the end are dropped as in read_mfn_tree.
 */
export const readP2mCr3: Machine = {
  name: 'read_p2m_cr3',
  rows: rows(
    ['8', 'R shared_info max_pfn'],
    ['8', 'R shared_info p2m_cr3'],
    ['8', 'return what read_mfn_tree found'],
    ['8', 'R shared_info p2m_generation'],
    ['8', 'R PMD'],
    ['8', 'R PTE'],
    ['8', 'R shared_info p2m_generation'],
  ),
  step(r, cpu) {
    const { port, geometry: g } = cpu;
    switch (r.pc) {
      case X1:
        r.end = Math.ceil(port.global(Global['shared_info.max_pfn']) / g.perPage);
        return X2;
      case X2:
        if (port.global(Global['shared_info.p2m_cr3']) !== 0) return X3;
        cpu.call(cpu.machines.readMfnTree, 0);
        return X2_TREE;
      case X2_TREE:
        return cpu.ret(r.ret);
      case X3:
        r.seen = port.global(Global['shared_info.p2m_generation']);
        return X4;
      case X4:
        if (r.i * g.ptrsPerPte >= r.end) return X6;
        r.linked = port.walk(r.i++ * g.pfnsPerPtePage);
        if (r.linked === NO_PAGE) return cpu.ret(UNREADABLE);
        return r.linked === r.ptePage ? X4 : X5;
      case X5: {
        // r.leaf is the number of the next leaf; those of the PMDs that repeated r.ptePage come first.
        const repeatedEnd = (r.i - 1) * g.ptrsPerPte;
        if (r.leaf === repeatedEnd) r.ptePage = r.linked;
        r.pte = port.loadPte(r.ptePage, r.leaf++ * g.perPage);
        port.emit(ptePage(r.pte));
        return r.leaf === Math.min(r.i * g.ptrsPerPte, r.end) ? X4 : X5;
      }
      case X6:
      default:
        return cpu.ret(port.global(Global['shared_info.p2m_generation']) === r.seen ? r.leaf : UNREADABLE);
    }
  },
};
