import { PROBES_END, TraceEvent } from '../trace/trace_line.js';

/** What the replay knows of the kernel functions that a log can have probes on; each by its entry event. */

const E = TraceEvent;

/** alloc_p2m was exported as xen_alloc_p2m_entry in 4.4: one machine, two names. */
export function sameAs(event: number): number {
  return event === E.alloc_p2m ? E.xen_alloc_p2m_entry : event;
}

/** Whether the function is given a pfn and the word for it. */
export function takesValue(event: number): boolean {
  return event === E.__set_phys_to_machine || event === E.set_phys_to_machine;
}

/** Whether the function is given a pfn, and an answer of it is checked. */
export function takesPfn(event: number): boolean {
  return takesValue(event) || event === E.get_phys_to_machine || sameAs(event) === E.xen_alloc_p2m_entry;
}

/** Whether the function maps or unmaps grants. */
export function isGrant(event: number): boolean {
  return event === E.set_foreign_p2m_mapping || event === E.clear_foreign_p2m_mapping;
}

/** Whether the function exchanges the frames of a region, or takes part in that. */
export function isExchange(event: number): boolean {
  return (
    event === E.xen_create_contiguous_region ||
    event === E.xen_destroy_contiguous_region ||
    event === E.xen_zap_pfn_range ||
    event === E.xen_remap_exchanged_ptes
  );
}

/** Whether the function is not run itself: its steps have lines of their own. */
export function isEnclosing(event: number): boolean {
  return isGrant(event) || isExchange(event);
}

/** Whether the function is a step inside an allocation, and makes no call of those that the model runs. */
export function isInnerStep(event: number): boolean {
  return (
    event === E.alloc_p2m_pmd || event === E.alloc_p2m_page || event === E.free_p2m_page || event === E.p2m_mid_mfn_init
  );
}

/** Whether an interrupt may make the call in the middle of any other: a look-up, or a network driver's grants. */
export function mayInterrupt(event: number): boolean {
  return event === E.get_phys_to_machine || isGrant(event);
}

/** Whether `outer`, which the model runs, makes calls of `inner`. */
export function mayContain(outer: number, inner: number): boolean {
  if (isInnerStep(inner)) return outer === E.set_phys_to_machine || sameAs(outer) === E.xen_alloc_p2m_entry;
  return (
    outer === E.set_phys_to_machine && (inner === E.__set_phys_to_machine || sameAs(inner) === E.xen_alloc_p2m_entry)
  );
}

/** Whether a function that encloses its steps makes such calls. */
export function isEnclosedStep(outer: number, inner: number): boolean {
  if (isExchange(outer)) return inner === E.xen_zap_pfn_range || inner === E.xen_remap_exchanged_ptes || isStore(inner);
  return isStore(inner) || inner === E.get_phys_to_machine;
}

function isStore(event: number): boolean {
  return takesValue(event) || sameAs(event) === E.xen_alloc_p2m_entry || isInnerStep(event);
}

/** Whether the function belongs to the boot, which runs alone. */
export function isBoot(event: number): boolean {
  return (
    event === E.xen_build_dynamic_phys_to_machine ||
    event === E.set_phys_range_identity ||
    event === E.xen_vmalloc_p2m_tree ||
    event === E.xen_build_mfn_list_list
  );
}

/** Whether the function's return line is a return value to compare. */
export function isChecked(event: number): boolean {
  return (
    (takesPfn(event) && event !== E.get_phys_to_machine) || isGrant(event) || event === E.xen_create_contiguous_region
  );
}

/** Whether the replay uses the lines of the function, entry or return. */
export function isUsed(event: number): boolean {
  if (event >= PROBES_END) return false;
  const entry = event & ~1;
  return takesPfn(entry) || isEnclosing(entry) || isBoot(entry) || isInnerStep(entry);
}
