import type { OperationName, ResultName } from '../events/index.js';
import type { Cpu } from './cpu.js';

/** How an operation ended, for people and for comparisons; hot loops read the CPU instead. */
export type Outcome =
  | { readonly kind: Exclude<ResultName, 'bug' | 'fault'>; readonly value: number }
  | { readonly kind: 'bug'; readonly bug: string }
  | { readonly kind: 'fault'; readonly access: string };

/** What kind of number each operation gives back. */
export const RESULT_OF: Partial<Record<OperationName, Exclude<ResultName, 'bug' | 'fault'>>> = {
  set_phys_range_identity: 'count',
  __pfn_to_mfn: 'word',
  pfn_to_mfn: 'word',
  get_phys_to_machine: 'word',
  mfn_to_pfn: 'count',
  __set_phys_to_machine: 'bool',
  set_phys_to_machine: 'bool',
  xen_alloc_p2m_entry: 'errno',
  alloc_p2m_pmd: 'count',
  set_foreign_p2m_mapping: 'errno',
  clear_foreign_p2m_mapping: 'errno',
  read_mfn_tree: 'count',
  read_p2m_cr3: 'count',
};

const ENOMEM = 12;

/** What an operation that has ended gave back: xen_alloc_p2m_entry an errno, the others what their machine says. */
export function resultOf(operation: OperationName, { result }: Cpu): number {
  if (operation !== 'xen_alloc_p2m_entry') return result;
  return result === 0 ? -ENOMEM : 0;
}
