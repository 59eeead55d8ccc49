import { FORMS, formByKernel, type Form } from '../../src/index.js';
import { KNOWN_EVENTS, PROBES_END, TraceEvent } from '../trace/trace_line.js';

/**
 * The kernel functions that a recording has probes on, as the kernel's kprobe_events takes them. Arguments are read from
 * the registers of x86-64's calling convention: %di, %si, %dx, %cx.
 *
 * Not here: what Linux runs before ftrace is up (set_phys_range_identity, xen_vmalloc_p2m_tree: in .init and `notrace`).
 */
interface ProbedFunction {
  readonly name: string;
  /** What the line of an entry holds. */
  readonly entry: string;
  /** What the line of a return holds; none where the function returns nothing, or a return says nothing. */
  readonly result?: string;
  /** Names of forms: the first that has the function, and the first that has it no longer. */
  readonly since?: string;
  readonly until?: string;
  /** A look-up: changes nothing, and there may be very many. */
  readonly isLookUp?: true;
}

// A bool is the low byte of the register, an int its low half: what stands above them means nothing.
const BOOL = 'ret=$retval:u8';
const INT = 'ret=$retval:s32';

const FUNCTIONS: readonly ProbedFunction[] = [
  { name: '__set_phys_to_machine', entry: 'pfn=%di mfn=%si', result: BOOL },
  { name: 'set_phys_to_machine', entry: 'pfn=%di mfn=%si', result: BOOL },
  { name: 'get_phys_to_machine', entry: 'pfn=%di', result: 'mfn=$retval', isLookUp: true },
  { name: 'alloc_p2m', entry: 'pfn=%di', result: BOOL, until: '4.4' },
  { name: 'xen_alloc_p2m_entry', entry: 'pfn=%di', result: INT, since: '4.4' },
  { name: 'alloc_p2m_pmd', entry: 'addr=%di', result: 'ret=$retval', since: 'v3' },
  { name: 'alloc_p2m_page', entry: '', result: 'page=$retval' },
  { name: 'free_p2m_page', entry: 'page=%di' },
  { name: 'p2m_mid_mfn_init', entry: '' },
  {
    name: 'set_foreign_p2m_mapping',
    entry: 'map_ops=%di kmap_ops=%si pages=%dx count=%cx:u32',
    result: INT,
  },
  {
    name: 'clear_foreign_p2m_mapping',
    entry: 'unmap_ops=%di kunmap_ops=%si pages=%dx count=%cx:u32',
    result: INT,
  },
  { name: 'xen_create_contiguous_region', entry: 'pstart=%di order=%si:u32 bits=%dx:u32', result: INT },
  { name: 'xen_destroy_contiguous_region', entry: 'pstart=%di order=%si:u32' },
  { name: 'xen_zap_pfn_range', entry: 'vaddr=%di order=%si:u32' },
  { name: 'xen_remap_exchanged_ptes', entry: 'vaddr=%di order=%si:s32' },
];

/** The group that the probes are defined in: `p2m:set_phys_to_machine`. */
export const PROBE_GROUP = 'p2m';

/**
 * Calls of a function that may be under way at once before a return is missed. The kernel's own default can be as low as
 * one for each CPU, and these functions may sleep while they allocate.
 */
const ACTIVE_MAX = 64;
/** The first form all of whose kernels take that number (4.12 is the first kernel); others misread it as no name. */
const ACTIVE_MAX_SINCE = '4.15';

/** One line of kprobe_events. */
export interface Probe {
  /** Name of the event; that of a return ends in `_ret`. */
  readonly event: string;
  readonly function: string;
  readonly kind: 'entry' | 'return';
  /** The line, such as `p:p2m/free_p2m_page free_p2m_page page=%di`. */
  readonly definition: string;
}

/** The probes for a kernel; the return probe of a function follows that of its entry. */
export function probesOf(form: Form, lookUps: boolean): Probe[] {
  const active = isSince(form, ACTIVE_MAX_SINCE) ? String(ACTIVE_MAX) : '';
  return FUNCTIONS.filter(
    ({ since, until, isLookUp }) =>
      (since === undefined || isSince(form, since)) &&
      (until === undefined || !isSince(form, until)) &&
      (lookUps || isLookUp !== true),
  ).flatMap(({ name, entry, result }) => {
    const probes: Probe[] = [{ event: name, function: name, kind: 'entry', definition: line('p', name, name, entry) }];
    if (result !== undefined) {
      const event = `${name}_ret`;
      const definition = line(`r${active}`, event, name, result);
      probes.push({ event, function: name, kind: 'return', definition });
    }
    return probes;
  });
}

/** The tracepoints of page-table updates that a replay reads; no kernel has all of them. */
export const PAGE_TABLE_TRACEPOINTS: readonly string[] = Object.keys(TraceEvent)
  .slice(PROBES_END, KNOWN_EVENTS)
  .map((name) => `xen/${name}`);

function line(type: string, event: string, name: string, values: string): string {
  return `${type}:${PROBE_GROUP}/${event} ${name} ${values}`.trimEnd();
}

/** Whether a form is that of a name, or a newer one. */
function isSince(form: Form, name: string): boolean {
  return FORMS.indexOf(form) >= FORMS.indexOf(formByKernel(name));
}
