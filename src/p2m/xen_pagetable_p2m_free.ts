import { Global } from '../../events/index.js';
import { alignUp } from '../geometry.js';
import { rows, type Machine } from '../machine.js';

const F1 = 0;
const F2 = 1;
const F3 = 2;

/** `xen_pagetable_p2m_free`: the builder's list is filled with 0xff and its pages are given back (spec 4.10, 64 bit). */
export const xenPagetableP2mFree: Machine = {
  name: 'xen_pagetable_p2m_free',
  rows: rows(
    ['4.10.1', 'R xen_p2m_addr, start_info.mfn_list'],
    ['4.10.2', 'fill a page with 0xff'],
    ['4.10.3', 'FREE the page'],
  ),
  step(r, cpu) {
    const { port, geometry: g } = cpu;
    switch (r.pc) {
      case F1:
        if (port.global(Global.xen_p2m_addr) === port.global(Global['start_info.mfn_list'])) return cpu.ret(0);
        r.end = alignUp(port.global(Global['start_info.nr_pages']), g.perPage);
        return F2;
      case F2:
        if (r.pfn === r.end) return cpu.ret(0);
        port.fillInvalid(cpu.memory.initPage(r.pfn));
        return F3;
      case F3:
      default:
        port.freePage(cpu.memory.initPage(r.pfn));
        r.pfn += g.perPage;
        return F2;
    }
  },
};
