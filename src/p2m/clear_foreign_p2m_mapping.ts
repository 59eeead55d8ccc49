import { assert, Global, INVALID } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { Grant, GRANTS_MAX } from '../memory/layout.js';
import { EINVAL, hasKernelOps, kernelOpsResult } from './kernel_ops.js';

const C0 = 0;
const C1 = 1;
const C2 = 2;
const C2_SET = 3;
const C3 = 4;
const C4 = 5;

/**
 * `clear_foreign_p2m_mapping(unmap_ops, kunmap_ops, pages, count)`: after the hypercall that unmapped `count` grants, the
 * pages' entries are no longer foreign (spec 7.2). Slots and `value` as in set_foreign_p2m_mapping. Returns 0 or a negative
 * errno. No lock of its own.
 *
 * | form   | the entry becomes | not FOREIGN                                  | kernel mappings                        |
 * |--------|-------------------|----------------------------------------------|----------------------------------------|
 * | .. L3  | page->index       | -EINVAL, stop                                | slot by slot, overrides                |
 * | L4..L9 | INVALID           | -EINVAL, stop, kernel mappings stay (B13)    | one hypercall last, its error returned |
 * | L10..  | INVALID           | -EINVAL remembered                           | one hypercall last, its error wins     |
 *
 * A hypercall that fails as a whole unmaps nothing. Up to L3 it is a multicall whose result nobody reads.
 */
export const clearForeignP2mMapping: Machine = {
  name: 'clear_foreign_p2m_mapping',
  rows: rows(
    ['7.2', 'R auto-translated'],
    ['7.2', 'next slot: call __pfn_to_mfn'],
    ['7.2', 'check FOREIGN'],
    ['7.2', 'call set_phys_to_machine'],
    ['7.2', 'call m2p_remove_override'],
    ['7.2', 'HC unmap kunmap_ops'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    switch (r.pc) {
      case C0:
        assert(r.count <= GRANTS_MAX, `the model has no ${r.count} grant slots`);
        return form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0 ? cpu.ret(0) : C1;
      case C1:
        if (r.i === r.count) return hasKernelOps(r.value) && !form.m2pOverrides ? unmap(r) : cpu.ret(r.result);
        r.pfn = port.loadGrant(r.i, Grant.pfn);
        cpu.call(cpu.machines.pfnToMfnRaw, r.pfn);
        return C2;
      case C2:
        r.seen = r.ret;
        if (cpu.memory.codec.isForeign(r.seen)) return C2_SET;
        r.result = -EINVAL;
        if (!form.grantErrorsPerSlot) return cpu.ret(r.result);
        r.i++;
        return C1;
      case C2_SET:
        cpu.call(
          cpu.machines.setPhysToMachine,
          r.pfn,
          form.m2pOverrides ? port.loadGrant(r.i, Grant.savedEntry) : INVALID,
        );
        return C3;
      case C3:
        if (form.m2pOverrides && hasKernelOps(r.value)) removeOverride(r, cpu);
        r.i++;
        return C1;
      case C4:
      default:
        if (kernelOpsResult(r.value) !== 0) return cpu.ret(kernelOpsResult(r.value));
        if (r.i === r.count) return cpu.ret(r.result);
        port.setGrant(r.i++, Grant.kernelMapped, 0);
        return C4;
    }
  },
};

function unmap(r: Locals): number {
  r.i = 0;
  return C4;
}

function removeOverride(r: Locals, cpu: Cpu): void {
  cpu.call(cpu.machines.m2pRemoveOverride, r.pfn, cpu.memory.codec.frameOf(r.seen), r.i);
}
