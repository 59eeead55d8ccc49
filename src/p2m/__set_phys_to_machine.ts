import { Global, INVALID } from '../../events/index.js';
import { rows, type Machine } from '../machine.js';
import { NO_PAGE, ptePage } from '../memory/pte.js';

const S1 = 0;
const S2 = 1;
const S3 = 2;
const S4 = 3;
const S5 = 4;
const OLD_S2 = 5;
const OLD_S3 = 6;
const OLD_S4 = 7;
const OLD_S5 = 8;

/**
 * `__set_phys_to_machine(pfn, value)`: the store that never allocates (spec 6.1). Returns 1 when the entry now reads
 * `value`, 0 when the leaf is shared and `value` is not what it stands for (or, from L10 on, pfn is out of range).
 *
 * While shared leaves were mapped writable (v3, 7of8) it looked before it stored: rows `S2'` to `S5'`.
 */
export const setPhysToMachineNoAlloc: Machine = {
  name: '__set_phys_to_machine',
  rows: rows(
    ['S1', 'R xen_p2m_size'],
    ['S2', 'W entry[pfn]', 'store entry'],
    ['S3', 'R PMD', 'walk pmd'],
    ['S4', 'R PTE', 'load pte'],
    ['S5', 'R PTE', 'load pte'],
    ["S2'", 'R PMD', 'walk pmd'],
    ["S3'", 'R PTE', 'load pte'],
    ["S4'", 'R PTE', 'load pte'],
    ["S5'", 'W entry[pfn]', 'store entry'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    const invalid = r.value === INVALID;
    switch (r.pc) {
      case S1:
        if (r.pfn < port.global(Global.xen_p2m_size)) return form.sharedLeavesReadOnly ? S2 : OLD_S2;
        if (invalid) return cpu.ret(1);
        return form.outOfRangeIsFalse ? cpu.ret(0) : cpu.bug('beyond-size', r.pfn);
      case S2:
        return port.storeEntry(r.pfn, r.value) ? cpu.ret(1) : S3;
      case S3:
      case OLD_S2:
        r.ptePage = port.walk(r.pfn);
        if (r.ptePage === NO_PAGE) return cpu.bug('unmapped-entry', r.pfn);
        return r.pc === S3 ? S4 : OLD_S3;
      case S4:
      case OLD_S3:
        r.pte = port.loadPte(r.ptePage, r.pfn);
        if (isPage(r.pte, port.global(Global.p2m_missing))) return cpu.ret(invalid ? 1 : 0);
        return r.pc === S4 ? S5 : OLD_S4;
      case S5:
      case OLD_S4:
        r.pte = port.loadPte(r.ptePage, r.pfn);
        if (isPage(r.pte, port.global(Global.p2m_identity))) {
          return cpu.ret(r.value === cpu.memory.codec.identityOf(r.pfn) ? 1 : 0);
        }
        return r.pc === S5 ? cpu.ret(0) : OLD_S5; // S6: whoever was first has just mapped a leaf; the caller tries again
      case OLD_S5:
      default:
        return port.storeEntry(r.pfn, r.value) ? cpu.ret(1) : cpu.fault('write', r.pfn);
    }
  },
};

/** Whether the PTE names `page`; before the rebuild there is no shared page to name. */
function isPage(pte: number, page: number): boolean {
  return page !== NO_PAGE && ptePage(pte) === page;
}
