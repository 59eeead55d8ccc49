import { Global } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';

const R1 = 0;
const R2 = 1;
const R4 = 2;
const R5 = 3;

/**
 * `set_phys_range_identity(pfn_s, pfn_e)`, here pfn and count: entries become IDENTITY_FRAME of their pfn (spec 4.3).
 * Returns how many. Boot alone, with plain stores: on a shared leaf of the rebuilt list the first one faults.
 */
export const setPhysRangeIdentity: Machine = {
  name: 'set_phys_range_identity',
  rows: rows(
    ['4.3.1', 'R xen_p2m_size'],
    ['4.3.2', 'R auto-translated'],
    ['4.3.4', 'clamp the end'],
    ['4.3.5', 'W entry[pfn_s .. pfn_e)'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    switch (r.pc) {
      case R1:
        return r.pfn >= port.global(Global.xen_p2m_size) ? cpu.ret(0) : R2;
      case R2:
        if (form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0) return cpu.ret(r.count - r.pfn);
        return r.pfn > r.count ? cpu.ret(0) : R4; // 4.3.3
      case R4:
        r.end = Math.min(r.count, port.global(Global.xen_p2m_size));
        return R5;
      case R5:
      default: {
        const stored = port.firstReadOnly(r.pfn, r.end);
        if (stored > r.pfn) port.setIdentity(r.pfn, stored);
        return stored < r.end ? cpu.fault('write', stored) : cpu.ret(r.end - r.pfn); // 4.3.6
      }
    }
  },
};
