import { NAMES, type OperationName } from '../../events/index.js';

/** What a `call` says of its operation's arguments: a pfn, or where that stands for an mfn, and an entry. */
export type CallArgument = 'pfn' | 'mfn' | 'value' | 'from';

/** Arguments that a `call` records, of operations that have any; the end of a range is in its return or in none. */
const ARGUMENTS: Readonly<Partial<Record<OperationName, readonly CallArgument[]>>> = {
  set_phys_range_identity: ['from'],
  __pfn_to_mfn: ['pfn'],
  pfn_to_mfn: ['pfn'],
  get_phys_to_machine: ['pfn'],
  mfn_to_pfn: ['mfn'],
  __set_phys_to_machine: ['pfn', 'value'],
  set_phys_to_machine: ['pfn', 'value'],
  xen_alloc_p2m_entry: ['pfn'],
  alloc_p2m_pmd: ['pfn'],
  decrease_reservation: ['from'],
  increase_reservation: ['from', 'value'],
};

/** The arguments that the `call` of operation `operation` records, in their order. */
export function callArguments(operation: number): readonly CallArgument[] {
  const name = NAMES.operation[operation];
  return (name === undefined ? undefined : ARGUMENTS[name]) ?? [];
}
