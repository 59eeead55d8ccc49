import type { OperationName } from '../../events/index.js';
import type { Domain, Machine } from '../../src/index.js';
import { PROBES_END, TraceEvent } from '../trace/trace_line.js';

/** What the replay knows of the kernel functions that a log can have probes on; each by its entry event. */

const E = TraceEvent;

/** An operation of the model. */
export interface Run {
  readonly name: OperationName;
  readonly machine: Machine;
}

/** What the model runs for the entry events of probed functions. */
export function operationsOf({ machines }: Domain): (Run | undefined)[] {
  const runs: (Run | undefined)[] = [];
  runs[E.__set_phys_to_machine] = { name: '__set_phys_to_machine', machine: machines.setPhysToMachineNoAlloc };
  runs[E.set_phys_to_machine] = { name: 'set_phys_to_machine', machine: machines.setPhysToMachine };
  runs[E.get_phys_to_machine] = { name: 'get_phys_to_machine', machine: machines.getPhysToMachine };
  runs[E.xen_alloc_p2m_entry] = { name: 'xen_alloc_p2m_entry', machine: machines.allocP2m };
  runs[E.alloc_p2m] = { name: 'xen_alloc_p2m_entry', machine: machines.allocP2m };
  return runs;
}

/** alloc_p2m was exported as xen_alloc_p2m_entry in 4.4: one machine, two names. */
export function sameAs(event: number): number {
  return event === E.alloc_p2m ? E.xen_alloc_p2m_entry : event;
}

/** Whether the function is given a pfn and the word for it. */
export function takesValue(event: number): boolean {
  return event === E.__set_phys_to_machine || event === E.set_phys_to_machine;
}

/** Whether the function maps or unmaps grants: its steps have lines of their own. */
export function isGrant(event: number): boolean {
  return event === E.set_foreign_p2m_mapping || event === E.clear_foreign_p2m_mapping;
}

/** Whether a grant operation makes such calls. */
export function isGrantStep(event: number): boolean {
  return event < PROBES_END && isUsed(event) && !isGrant(event);
}

/** Whether the function is a step inside another, and makes no call of those that the model runs. */
export function isInnerStep(event: number): boolean {
  return (
    event === E.alloc_p2m_pmd || event === E.alloc_p2m_page || event === E.free_p2m_page || event === E.p2m_mid_mfn_init
  );
}

/** Whether an interrupt may make the call in the middle of any other: a look-up, or a network driver's grants. */
export function mayInterrupt(event: number): boolean {
  return event === E.get_phys_to_machine || isGrant(event);
}

/** Whether the function's return line is a return value to compare. */
export function isChecked(event: number): boolean {
  return isUsed(event) && event !== E.get_phys_to_machine;
}

/** Whether the replay uses the lines of the function. */
export function isUsed(event: number): boolean {
  switch (event & ~1) {
    case E.__set_phys_to_machine:
    case E.set_phys_to_machine:
    case E.get_phys_to_machine:
    case E.xen_alloc_p2m_entry:
    case E.alloc_p2m:
    case E.set_foreign_p2m_mapping:
    case E.clear_foreign_p2m_mapping:
      return event < PROBES_END;
    default:
      return false;
  }
}
