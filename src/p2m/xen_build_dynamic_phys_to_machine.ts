import { Global, INVALID } from '../../events/index.js';
import { alignUp } from '../geometry.js';
import { rows, type Machine } from '../machine.js';
import { LIST_BUILDER } from '../memory/memory.js';

const B1 = 0;
const B2 = 1;
const B3 = 2;
const B4 = 3;
const B5 = 4;

/**
 * `xen_build_dynamic_phys_to_machine`: takes over the list that the domain builder left, `pfn` entries long (spec 4.1).
 * The tail of its last page becomes INVALID.
 */
export const xenBuildDynamicPhysToMachine: Machine = {
  name: 'xen_build_dynamic_phys_to_machine',
  rows: rows(
    ['4.1.1', 'R auto-translated'],
    ['4.1.2', 'W xen_p2m_addr'],
    ['4.1.3', 'W xen_p2m_size'],
    ['4.1.4', 'W entry[pfn]'],
    ['4.1.5', 'W xen_max_p2m_pfn'],
  ),
  step(r, cpu) {
    const { port, form, geometry: g } = cpu;
    switch (r.pc) {
      case B1:
        return form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0 ? cpu.ret(0) : B2;
      case B2:
        port.setGlobal(Global.xen_p2m_addr, LIST_BUILDER);
        return B3;
      case B3:
        r.i = port.global(Global['start_info.nr_pages']);
        r.end = alignUp(r.i, g.perPage);
        port.setGlobal(Global.xen_p2m_size, r.end);
        return B4;
      case B4:
        if (r.i === r.end) return B5;
        port.storeEntry(r.i++, INVALID);
        return B4;
      case B5:
      default:
        port.setGlobal(Global.xen_max_p2m_pfn, r.end);
        return cpu.ret(0);
    }
  },
};
