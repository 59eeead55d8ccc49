import { assert, Global, INVALID, mfnWord, Warning } from '../../events/index.js';
import type { Cpu } from '../cpu.js';
import { rows, type Locals, type Machine } from '../machine.js';
import { Grant, GRANTS_MAX } from '../memory/layout.js';
import { ENOMEM, GENERAL_ERROR, hasKernelOps, INVALID_HANDLE, kernelOpsResult } from './kernel_ops.js';

const F0 = 0;
const F_KMAP = 1;
const F1 = 2;
const F2 = 3;
const F3 = 4;
const F4 = 5;
const F4_SAVED = 6;
const F5 = 7;
const F5_RET = 8;
const F6_STATUS = 9;
const F6_HANDLE = 10;
const F6_UNMAP = 11;

/**
 * `set_foreign_p2m_mapping(map_ops, kmap_ops, pages, count)`: after the hypercall that mapped `count` grants, the pages'
 * entries become FOREIGN_FRAME of the granted frames (spec 7.1). Slots: `Grant` in memory/layout.ts; `value`: kernelOps().
 * Returns 0 or a negative errno. No lock of its own.
 *
 * | form   | kernel mappings          | slot looked at when         | no memory for a slot's leaf               |
 * |--------|--------------------------|-----------------------------|-------------------------------------------|
 * | .. L3  | slot by slot, overrides  | user status is 0            | -ENOMEM, stop: what was done stays (B15)  |
 * | L4..L9 | one hypercall first      | user status is 0 (B14)      | -ENOMEM, stop: what was done stays (B15)  |
 * | L10..  | one hypercall first      | both statuses are 0         | that slot alone fails and is unmapped     |
 *
 * Lazy MMU mode, in which up to L3 the PTE and PMD stores were only queued (spec 9), is not modelled. Where kmap_ops is
 * NULL, L10 prints that its unmap failed although it did not: the second status keeps its preset 1.
 */
export const setForeignP2mMapping: Machine = {
  name: 'set_foreign_p2m_mapping',
  rows: rows(
    ['7.1', 'R auto-translated'],
    ['7.1', 'HC map kmap_ops'],
    ['7.1', 'R status of the slot'],
    ['7.1', 'R the granted mfn'],
    ['7.1', 'call pfn_to_mfn'],
    ['7.1', 'WARN unless INVALID'],
    ['7.1', 'W page->index'],
    ['7.1', 'call set_phys_to_machine: FOREIGN_FRAME(mfn)'],
    ['7.1', 'true: call m2p_add_override'],
    ['7.1', 'false: W status, general error'],
    ['7.1', 'W handle, invalid'],
    ['7.1', 'HC unmap the slot'],
  ),
  step(r, cpu) {
    const { port, form } = cpu;
    switch (r.pc) {
      case F0:
        assert(r.count <= GRANTS_MAX, `the model has no ${r.count} grant slots`);
        if (form.autoTranslatedChecks && port.global(Global.auto_translated) !== 0) return cpu.ret(0);
        return hasKernelOps(r.value) && !form.m2pOverrides ? F_KMAP : F1;
      case F_KMAP:
        if (kernelOpsResult(r.value) !== 0) return cpu.ret(kernelOpsResult(r.value));
        if (r.end === r.count) return F1;
        port.setGrant(r.end, Grant.kernelMapped, port.loadGrant(r.end, Grant.kernelStatus) === 0 ? 1 : 0);
        r.end++;
        return F_KMAP;
      case F1:
        if (r.i === r.count) return cpu.ret(0);
        return isMapped(r, cpu) ? F2 : nextSlot(r);
      case F2:
        r.pfn = port.loadGrant(r.i, Grant.pfn);
        r.seen = port.loadGrant(r.i, Grant.mfn);
        return F3;
      case F3:
        cpu.call(cpu.machines.pfnToMfn, r.pfn);
        return form.m2pOverrides ? F4_SAVED : F4;
      case F4:
        if (r.ret !== INVALID) port.warn(Warning['p2m-not-invalid'], r.pfn);
        return F5;
      case F4_SAVED:
        port.setGrant(r.i, Grant.savedEntry, r.ret);
        return F5;
      case F5:
        cpu.call(cpu.machines.setPhysToMachine, r.pfn, cpu.memory.codec.foreignOf(mfnWord(r.seen)));
        return F5_RET;
      case F5_RET:
        if (r.ret === 0) return form.grantErrorsPerSlot ? F6_STATUS : cpu.ret(-ENOMEM);
        if (form.m2pOverrides && hasKernelOps(r.value)) cpu.call(cpu.machines.m2pAddOverride, r.pfn, r.seen, r.i);
        return nextSlot(r);
      case F6_STATUS:
        port.setGrant(r.i, Grant.status, GENERAL_ERROR);
        return F6_HANDLE;
      case F6_HANDLE:
        port.setGrant(r.i, Grant.handle, INVALID_HANDLE);
        return F6_UNMAP;
      case F6_UNMAP:
      default:
        if (hasKernelOps(r.value)) port.setGrant(r.i, Grant.kernelMapped, 0);
        return nextSlot(r);
    }
  },
};

function isMapped(r: Locals, cpu: Cpu): boolean {
  if (cpu.port.loadGrant(r.i, Grant.status) !== 0) return false;
  const both = cpu.form.grantErrorsPerSlot && hasKernelOps(r.value);
  return !both || cpu.port.loadGrant(r.i, Grant.kernelStatus) === 0;
}

function nextSlot(r: Locals): number {
  r.i++;
  return F1;
}
