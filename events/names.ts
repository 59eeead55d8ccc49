/**
 * The enumerated fields of events: lists of names, whose positions are the numbers in a batch and in memory, and so are
 * for ever. A new name goes to the end.
 */

/** What a page was allocated for. `init` is the domain builder's list. */
export const ROLES = [
  'none',
  'init',
  'leaf',
  'pte',
  'mid',
  'missing',
  'identity',
  'missing_pte',
  'identity_pte',
  'mid_missing',
  'top_mfn',
  'top_mfn_p',
  'tree_top',
  'tree_mid',
  'tree_mid_missing',
  'tree_mid_identity',
] as const;

/** How `fill_page` fills: a constant, identity from a base pfn, the frame (or PTE) `value` everywhere, a copy of a page. */
export const PATTERNS = ['invalid', 'identity', 'frame', 'pte', 'copy'] as const;

/** Words of the kernel's global state (spec 3); the order is the memory layout's, and for ever. */
export const GLOBALS = [
  'none',
  'xen_p2m_addr',
  'xen_p2m_size',
  'xen_max_p2m_pfn',
  'p2m_missing',
  'p2m_identity',
  'p2m_missing_pte',
  'p2m_identity_pte',
  'p2m_top_mfn',
  'p2m_top_mfn_p',
  'p2m_mid_missing_mfn',
  'p2m_update_lock',
  'xen_p2m_last_pfn',
  'HYPERVISOR_shared_info',
  'start_info.nr_pages',
  'start_info.flags',
  'start_info.mfn_list',
  'slab_is_available',
  'p2m_top',
  'p2m_mid_missing',
  'p2m_mid_identity',
  'machine_to_phys_nr',
  'p2m_limit',
  'auto_translated',
  'dummy.max_pfn',
  'dummy.pfn_to_mfn_frame_list_list',
  'dummy.p2m_generation',
  'dummy.p2m_vaddr',
  'dummy.p2m_cr3',
  'shared_info.max_pfn',
  'shared_info.pfn_to_mfn_frame_list_list',
  'shared_info.p2m_generation',
  'shared_info.p2m_vaddr',
  'shared_info.p2m_cr3',
  'xen_extra_mem_count',
] as const;

/** Operations that a `call` opens, by their kernel names. */
export const OPERATIONS = [
  'none',
  'xen_build_dynamic_phys_to_machine',
  'set_phys_range_identity',
  'xen_vmalloc_p2m_tree',
  'xen_rebuild_p2m_list',
  'xen_inv_extra_mem',
  'xen_pagetable_p2m_setup',
  'xen_pagetable_p2m_free',
  'xen_build_mfn_list_list',
  'xen_setup_mfn_list_list',
  '__pfn_to_mfn',
  'pfn_to_mfn',
  'get_phys_to_machine',
  'mfn_to_pfn',
  '__set_phys_to_machine',
  'set_phys_to_machine',
  'xen_alloc_p2m_entry',
  'alloc_p2m_pmd',
  'decrease_reservation',
  'increase_reservation',
  'set_foreign_p2m_mapping',
  'clear_foreign_p2m_mapping',
  'xen_arch_pre_suspend',
  'xen_arch_post_suspend',
  'read_mfn_tree',
  'read_p2m_cr3',
  'setup',
  'xen_create_contiguous_region',
  'xen_destroy_contiguous_region',
  'xen_zap_pfn_range',
  'xen_remap_exchanged_ptes',
] as const;

/** What a time counts: nothing, nanoseconds of the log's clock, or whatever a clock without a unit counts. */
export const CLOCKS = ['none', 'ns', 'counter'] as const;

/** How an operation ended: with what kind of value. */
export const RESULTS = ['void', 'bool', 'word', 'count', 'errno', 'bug', 'fault'] as const;

/** Kernel assertions: where BUG() stands, in our words. The first three are named by the vectors. */
export const BUGS = [
  'none',
  'beyond-size',
  'unmapped-entry',
  'pfn-above-max',
  'top-mfn-mismatch',
  'early-free',
  'mididx',
  'mid-not-missing',
  'dummy-shared-info',
  'null-page',
  'no-pmd-table',
  'list-overlaps-e820',
] as const;

/** Kernel warnings. */
export const WARNINGS = ['none', 'p2m-not-invalid', 'identity-race'] as const;

/** The two kinds of access that can fault. */
export const ACCESSES = ['read', 'write'] as const;

/** Names behind the enumerated field types. */
export const NAMES = {
  role: ROLES,
  pattern: PATTERNS,
  global: GLOBALS,
  operation: OPERATIONS,
  result: RESULTS,
  bug: BUGS,
  warning: WARNINGS,
  access: ACCESSES,
  clock: CLOCKS,
} as const;

export type RoleName = (typeof ROLES)[number];
export type PatternName = (typeof PATTERNS)[number];
export type GlobalName = (typeof GLOBALS)[number];
export type OperationName = (typeof OPERATIONS)[number];
export type ResultName = (typeof RESULTS)[number];
export type BugName = (typeof BUGS)[number];
export type WarningName = (typeof WARNINGS)[number];
export type AccessName = (typeof ACCESSES)[number];
export type ClockName = (typeof CLOCKS)[number];

/** `{ leaf: 2, ... }` from a list of names: how code names the numbers of an enumerated field. */
function numbersOf<T extends readonly string[]>(names: T): { readonly [K in T[number]]: number } {
  return Object.fromEntries(names.map((name, i) => [name, i])) as { [K in T[number]]: number };
}

/** Number of each role. */
export const Role = numbersOf(ROLES);
/** Number of each pattern. */
export const Pattern = numbersOf(PATTERNS);
/** Number of each global: its index in memory. */
export const Global = numbersOf(GLOBALS);
/** Number of each operation. */
export const Operation = numbersOf(OPERATIONS);
/** Number of each kind of result. */
export const Result = numbersOf(RESULTS);
/** Number of each kernel assertion. */
export const Bug = numbersOf(BUGS);
/** Number of each kernel warning. */
export const Warning = numbersOf(WARNINGS);
/** Number of each kind of access. */
export const Access = numbersOf(ACCESSES);
/** Number of each kind of clock. */
export const Clock = numbersOf(CLOCKS);
