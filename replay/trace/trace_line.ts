import { assert } from '../../events/index.js';
import { NameTable } from './name_table.js';

/**
 * One line of a kernel log, as numbers: what every line decoder (ftrace text, trace-cmd report, perf script, the
 * early-boot log) fills and what the replayer reads. There is ONE record for a whole log, filled anew for each line.
 */

/**
 * The events that mean something to a replay, by the names they have in a log. Probed functions come first, the entry
 * of each at an even id and its return at the next (`isReturn`, `entryOf`); then the tracepoints of xen/mmu. Any other
 * name that a log holds gets an id from `KNOWN_EVENTS` on (`TraceNames.events`); its arguments are not read.
 */
export const TraceEvent = {
  __set_phys_to_machine: 0,
  __set_phys_to_machine_ret: 1,
  set_phys_to_machine: 2,
  set_phys_to_machine_ret: 3,
  get_phys_to_machine: 4,
  get_phys_to_machine_ret: 5,
  xen_alloc_p2m_entry: 6,
  xen_alloc_p2m_entry_ret: 7,
  set_foreign_p2m_mapping: 8,
  set_foreign_p2m_mapping_ret: 9,
  clear_foreign_p2m_mapping: 10,
  clear_foreign_p2m_mapping_ret: 11,
  xen_create_contiguous_region: 12,
  xen_create_contiguous_region_ret: 13,
  xen_destroy_contiguous_region: 14,
  xen_destroy_contiguous_region_ret: 15,
  xen_zap_pfn_range: 16,
  xen_zap_pfn_range_ret: 17,
  xen_remap_exchanged_ptes: 18,
  xen_remap_exchanged_ptes_ret: 19,
  alloc_p2m: 20,
  alloc_p2m_ret: 21,
  alloc_p2m_pmd: 22,
  alloc_p2m_pmd_ret: 23,
  alloc_p2m_page: 24,
  alloc_p2m_page_ret: 25,
  free_p2m_page: 26,
  free_p2m_page_ret: 27,
  p2m_mid_mfn_init: 28,
  p2m_mid_mfn_init_ret: 29,
  xen_build_dynamic_phys_to_machine: 30,
  xen_build_dynamic_phys_to_machine_ret: 31,
  set_phys_range_identity: 32,
  set_phys_range_identity_ret: 33,
  xen_vmalloc_p2m_tree: 34,
  xen_vmalloc_p2m_tree_ret: 35,
  xen_build_mfn_list_list: 36,
  xen_build_mfn_list_list_ret: 37,
  xen_mmu_set_pte: 38,
  xen_mmu_set_pte_at: 39,
  xen_mmu_set_pte_atomic: 40,
  xen_mmu_set_domain_pte: 41,
  xen_mmu_ptep_modify_prot_start: 42,
  xen_mmu_ptep_modify_prot_commit: 43,
  xen_mmu_set_pmd: 44,
  xen_mmu_set_pud: 45,
  xen_mmu_set_p4d: 46,
  xen_mmu_set_pgd: 47,
  xen_mmu_alloc_ptpage: 48,
  xen_mmu_release_ptpage: 49,
} as const;

/** Ids below are entries and returns of probed functions. */
export const PROBES_END: number = TraceEvent.xen_mmu_set_pte;
/** Ids below are those of `TraceEvent`. */
export const KNOWN_EVENTS: number = Object.keys(TraceEvent).length;

/** Whether the event is the return line of a probed function. */
export function isReturn(event: number): boolean {
  return event < PROBES_END && (event & 1) === 1;
}

/** The entry event of a probed function, given its entry or its return. */
export function entryOf(event: number): number {
  assert(event < PROBES_END, `event ${event} is not that of a probed function`);
  return event & ~1;
}

/**
 * The arguments that are read, by key. The four levels of page table print their entry under different names; here
 * `entryp` is the address (`ptep`, `pmdp`, `pudp`, `p4dp`, `pgdp`; hashed by most kernels) and `entryval` the value as
 * Linux sees it (`pteval`, `pmdval` ...); `raw` is what the page table holds.
 */
export const ArgKey = {
  pfn: 0,
  mfn: 1,
  ret: 2,
  count: 3,
  page: 4,
  entryp: 5,
  entryval: 6,
  raw: 7,
  pstart: 8,
  order: 9,
  bits: 10,
  vaddr: 11,
  pfn_s: 12,
  pfn_e: 13,
  map_ops: 14,
  kmap_ops: 15,
  unmap_ops: 16,
  kunmap_ops: 17,
  pages: 18,
  mm: 19,
  addr: 20,
  level: 21,
  xen_p2m_addr: 22,
  xen_p2m_size: 23,
  xen_max_p2m_pfn: 24,
} as const;

/** One of the keys of `ArgKey`, as its number. */
export type ArgKey = (typeof ArgKey)[keyof typeof ArgKey];

const ARG_KEYS = Object.keys(ArgKey).length;
assert(ARG_KEYS <= 32, 'the keys that are present fit one 32-bit mask');

/** What a key is called in a message. */
export function argName(key: ArgKey): string {
  return Object.keys(ArgKey)[key]!;
}

/** Names met in a log, as small integers: `TraceLine.event` and `TraceLine.task` are ids of these tables. */
export class TraceNames {
  /** Event names; the ids of `TraceEvent` first. */
  readonly events = new NameTable(Object.keys(TraceEvent));
  /** Task names (comm), without pid. */
  readonly tasks = new NameTable();
}

/** No count was printed with a loss. */
export const LOST_UNKNOWN = -1;

/**
 * The record. Valid during the handler's call only: the next line overwrites it, and `bytes` may be a buffer that is
 * reused; copy what must stay.
 */
export class TraceLine {
  /** 1-based number of the line in the unzipped log. */
  line = 0;
  /** 0-based offset of the line's first byte in the unzipped log. */
  byte = 0;
  /** 0 where the line does not say it (`perf script -F` without cpu), but -1 of a loss. */
  cpu = 0;
  pid = 0;
  /** Id in `TraceNames.tasks`; the name is empty where the log has no tasks. */
  task = 0;
  /**
   * The timestamp: seconds, or the whole counter where the clock has no unit, as unsigned 32-bit halves; and the digits
   * after the point, as an integer of `timeDigits` digits (both 0 where there is no point).
   */
  timeHi = 0;
  timeLo = 0;
  timeFraction = 0;
  timeDigits = 0;
  /** Number of the call in an early-boot log, from 1 on (the timestamp there too); 0 in other formats. */
  call = 0;
  /** Id in `TraceNames.events`; below `KNOWN_EVENTS` a `TraceEvent`. */
  event = 0;
  /** Bit k is set where the argument of `ArgKey` k was printed. */
  args = 0;
  /** Upper and lower unsigned halves of each argument, by `ArgKey`; negative numbers in two's complement. */
  readonly hi = new Uint32Array(ARG_KEYS);
  readonly lo = new Uint32Array(ARG_KEYS);
  /**
   * Of a loss: how many events, or `LOST_UNKNOWN`. Of an event: how many are known to be missing right before it (the
   * handler has been told of the loss first); nearly always 0.
   */
  lost = 0;
  /** The log ends here without a newline: the line parses, but it may be cut. */
  unterminated = false;

  /** Where the line stands: `bytes[start, end)`, without the newline. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** The text between the parentheses of a probe, `func+0x0/0x40` or `caller+0x14/0x40 <- func`; empty where none. */
  placeStart = 0;
  placeEnd = 0;

  /** Whether the line printed the argument. */
  has(key: ArgKey): boolean {
    return (this.args & (1 << key)) !== 0;
  }

  /** The argument as a signed 32-bit number (`ret=-12`, `ret=0xfffffff4` and `ret=18446744073709551604` are all -12). */
  int(key: ArgKey): number {
    return this.lo[key]! | 0;
  }

  /** The argument as a number; exact below 2^53. */
  number(key: ArgKey): number {
    return this.hi[key]! * 0x1_0000_0000 + this.lo[key]!;
  }

  /** `0x` and the argument in hexadecimal, for messages. */
  hex(key: ArgKey): string {
    const hi = this.hi[key]!;
    const lo = this.lo[key]!.toString(16);
    return hi === 0 ? `0x${lo}` : `0x${hi.toString(16)}${lo.padStart(8, '0')}`;
  }

  /** Whether the timestamp is the very one that `other` holds. */
  sameTime(other: TraceTime): boolean {
    return (
      this.timeLo === other.timeLo &&
      this.timeFraction === other.timeFraction &&
      this.timeHi === other.timeHi &&
      this.timeDigits === other.timeDigits
    );
  }

  /** The line as text, for messages. */
  text(): string {
    return new TextDecoder().decode(this.bytes.subarray(this.start, this.end));
  }

  /** What stands in the probe's parentheses, for messages; '' where there is none. */
  place(): string {
    return new TextDecoder().decode(this.bytes.subarray(this.placeStart, this.placeEnd));
  }
}

/** A timestamp to compare with: a `TraceLine`, or a copy of these four fields. */
export type TraceTime = Readonly<Pick<TraceLine, 'timeHi' | 'timeLo' | 'timeFraction' | 'timeDigits'>>;
