import { assert, Global } from '../../events/index.js';
import { alignUp } from '../geometry.js';
import { rows, type Machine } from '../machine.js';
import { LIST_AREA } from '../memory/memory.js';

const V1 = 0;
const V2 = 1;
const V4 = 2;
const V5 = 3;
const V6 = 4;
const V7 = 5;
const V8 = 6;
const V9 = 7;

/** `xen_vmalloc_p2m_tree`: builds the linear list in the vm area, switches to it, and invalidates extra memory (spec 4.5). */
export const xenVmallocP2mTree: Machine = {
  name: 'xen_vmalloc_p2m_tree',
  rows: rows(
    ['4.5.1', 'W xen_p2m_last_pfn'],
    ['4.5.2', 'size of the area'],
    ['4.5.4', 'W xen_max_p2m_pfn'],
    ['4.5.5', 'call xen_rebuild_p2m_list'],
    ['4.5.6', 'W xen_p2m_addr'],
    ['4.5.7', 'W xen_p2m_size'],
    ['4.5.8', 'call xen_inv_extra_mem'],
    ['4.5.9', 'return'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case V1:
        if (form.listForTools) port.setGlobal(Global.xen_p2m_last_pfn, port.global(Global.xen_max_p2m_pfn));
        return V2;
      case V2: {
        const limit = form.p2mLimit ? port.global(Global.p2m_limit) : 0;
        r.end = alignUp(Math.max(port.global(Global.xen_max_p2m_pfn), limit), g.pfnsPerMidPage);
        assert(r.end <= cpu.memory.layout.areaPfns, `a list of ${r.end} pfns was not provided for`);
        return V4;
      }
      case V4:
        port.setGlobal(Global.xen_max_p2m_pfn, r.end);
        return V5;
      case V5:
        cpu.call(cpu.machines.xenRebuildP2mList, 0);
        return V6;
      case V6:
        port.setGlobal(Global.xen_p2m_addr, LIST_AREA);
        return V7;
      case V7:
        port.setGlobal(Global.xen_p2m_size, r.end);
        return V8;
      case V8:
        cpu.call(cpu.machines.xenInvExtraMem, 0);
        return V9;
      case V9:
      default:
        return cpu.ret(0);
    }
  },
};
