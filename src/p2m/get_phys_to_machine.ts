import { FAULT, Global } from '../../events/index.js';
import { beyondList } from '../look_up.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';

const G1 = 0;
const G2 = 1;
const G3 = 2;
const G5 = 3;

/**
 * `get_phys_to_machine(pfn)`: the slow look-up, which tells p2m_identity from p2m_missing by the page (spec 5.2). Returns
 * the entry.
 */
export const getPhysToMachine: Machine = {
  name: 'get_phys_to_machine',
  rows: rows(
    ['5.2.1', 'R xen_p2m_size'],
    ['5.2.2', 'R PMD', 'walk pmd'],
    ['5.2.3', 'R PTE', 'load pte'],
    ['5.2.5', 'R entry[pfn]', 'load entry'],
  ),
  step(r, cpu) {
    const { port } = cpu;
    switch (r.pc) {
      case G1:
        return r.pfn < port.global(Global.xen_p2m_size) ? G2 : cpu.ret(beyondList(cpu.memory, r.pfn));
      case G2:
        r.ptePage = port.walk(r.pfn);
        return r.ptePage === NO_PAGE ? cpu.bug('unmapped-entry', r.pfn) : G3;
      case G3:
        r.pte = port.loadPte(r.ptePage, r.pfn);
        // 5.2.4: the shared identity leaf holds INVALID; that it is this page says what it means.
        if (r.pte !== 0 && ptePage(r.pte) === port.global(Global.p2m_identity)) {
          return cpu.ret(cpu.memory.codec.identityOf(r.pfn));
        }
        return G5;
      case G5:
      default:
        r.seen = port.loadEntry(r.pfn);
        return r.seen === FAULT ? cpu.fault('read', r.pfn) : cpu.ret(r.seen);
    }
  },
};
