import { KINDS, Operation, Role, type EventBatch } from '../../events/index.js';
import type { Form } from '../../src/index.js';

/** Operations that store one entry, and allocate where they must. */
const SETS: ReadonlySet<number> = new Set([
  Operation.set_phys_to_machine,
  Operation.xen_alloc_p2m_entry,
  Operation.increase_reservation,
  Operation.decrease_reservation,
  Operation.set_foreign_p2m_mapping,
  Operation.clear_foreign_p2m_mapping,
]);
const OF_ALLOC: ReadonlySet<number> = new Set([
  KINDS.set_pte.id,
  KINDS.set_top_mfn.id,
  KINDS.set_top_mfn_p.id,
  KINDS.set_mid_mfn.id,
]);
const OF_PMD: ReadonlySet<number> = new Set([KINDS.set_pmd.id, KINDS.announce_page.id, KINDS.retract_page.id]);
const OF_PAGE: ReadonlySet<number> = new Set([KINDS.alloc_page.id, KINDS.free_page.id]);

/**
 * The functions of the kernel between event `i` and operation `operation`, the innermost first: only those that follow from
 * the kind of the event and the operation alone. Of the linear list; none are told of the old tree.
 */
export function innerFunctions(batch: EventBatch, i: number, operation: number, form: Form): string[] {
  const kind = batch.kind[i]!;
  if (!SETS.has(operation) || form.structure === 'tree') return [];
  if (kind === KINDS.set_entry.id) return operation === Operation.xen_alloc_p2m_entry ? [] : ['__set_phys_to_machine'];
  const alloc = operation === Operation.xen_alloc_p2m_entry ? [] : ['alloc_p2m'];
  const role = OF_PAGE.has(kind) ? batch.b[i] : Role.none;
  if (OF_PMD.has(kind) || role === Role.pte) return ['alloc_p2m_pmd', ...alloc];
  return OF_ALLOC.has(kind) || role === Role.leaf || role === Role.mid ? alloc : [];
}
