import { NAMES, type OperationName } from '../../events/index.js';

/**
 * What a `call` says of an argument of its operation:
 *
 *     pfn, mfn   the pfn, or an mfn that stands in its place
 *     from       where a range of pfns begins: its end is in no event
 *     value      an entry
 *     kernel     whether the kernel's own mappings are (un)mapped too (`kmap_ops`, `kunmap_ops`)
 */
export type CallArgument = 'pfn' | 'mfn' | 'from' | 'value' | 'kernel';

/** Of operations that have any, in their order. Those that are not here take none, or a `call` records none. */
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
  set_foreign_p2m_mapping: ['kernel'],
  clear_foreign_p2m_mapping: ['kernel'],
};

/** The arguments that the `call` of operation `operation` records, in their order. */
export function callArguments(operation: number): readonly CallArgument[] {
  const name = NAMES.operation[operation];
  return (name === undefined ? undefined : ARGUMENTS[name]) ?? [];
}
