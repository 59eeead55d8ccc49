import { Result, type NAMES } from './names.js';

/**
 * The table of event kinds: the single source from which the columnar batch's meaning, the typed view, the zod and JSON
 * schemas, the JSONL codec and docs/events.md derive (design 2, "Events without an object each").
 *
 * A field's position in `fields` is its column in a batch (`a` first); `WIDTHS` says which take more than one. `id`s are for ever.
 */

/**
 * What a column holds.
 *
 * | type    | in the batch                                     | in the view and in JSON                           |
 * |---------|--------------------------------------------------|---------------------------------------------------|
 * | pfn     | pfn below 2^31                                   | number                                            |
 * | pfn64   | two columns, lower and upper 32 bits             | number below 2^53                                 |
 * | time    | as pfn64                                         | number below 2^53                                 |
 * | comm    | four columns, 16 bytes, the lowest first; 0 ends | text of up to 16 bytes (TASK_COMM_LEN)            |
 * | word    | tagged word (word.ts)                            | raw entry, `0x...`; `fault` where a load faulted  |
 * | pte     | page << 2, bit 0 present, bit 1 writable; 0 none | `12:rw`, `12:ro`, `none`                          |
 * | page    | page number, 0 none                              | number                                            |
 * | int     | signed 32-bit integer                            | number                                            |
 * | payload | offset of a payload record                       | array of runs `[count, word, stride]`             |
 * | either  | word where `wordWhen` of the kind holds, else int | raw entry or number                               |
 * | others  | index into the list of that name in names.ts     | the name                                          |
 */
export type FieldType =
  'pfn' | 'pfn64' | 'time' | 'comm' | 'word' | 'pte' | 'page' | 'int' | 'payload' | 'either' | keyof typeof NAMES;

/** Columns of the fields that take more than one. */
const WIDTHS: Readonly<Partial<Record<FieldType, number>>> = { pfn64: 2, time: 2, comm: 4 };

/** Columns that a field of the type takes. */
export function widthOf(type: FieldType): number {
  return WIDTHS[type] ?? 1;
}

/** A row of the table. */
export interface KindSpec {
  readonly id: number;
  /** Whether `apply` changes memory for it; if not, it is an observation. */
  readonly mutates: boolean;
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Fields of type `either` hold a word where this column, an earlier one, is that number. */
  readonly wordWhen?: { readonly column: number; readonly is: number };
  readonly doc: string;
}

/** Every kind, with what its columns hold. */
export const KINDS = {
  alloc_page: {
    id: 1,
    mutates: true,
    fields: { page: 'page', role: 'role' },
    doc: 'alloc_p2m_page gave out the next page of the pool of this CPU',
  },
  alloc_failed: {
    id: 2,
    mutates: true,
    fields: { role: 'role' },
    doc: 'alloc_p2m_page failed; counts as an attempt, as alloc_page does',
  },
  free_page: {
    id: 3,
    mutates: true,
    fields: { page: 'page', role: 'role' },
    doc: 'free_p2m_page; the page is only marked, never given out again, so that a use after free is seen',
  },
  fill_page: {
    id: 4,
    mutates: true,
    fields: { page: 'page', pattern: 'pattern', value: 'int' },
    doc: 'a page is initialised: value is the base pfn, the frame, the PTE or the page copied from',
  },
  announce_page: {
    id: 5,
    mutates: false,
    fields: { page: 'page' },
    doc: 'paravirt_alloc_pte: the hypervisor makes the page read-only and pins it as a page table',
  },
  retract_page: {
    id: 6,
    mutates: false,
    fields: { page: 'page' },
    doc: 'paravirt_release_pte: the page is no page table any more',
  },
  populate_pmd: {
    id: 7,
    mutates: true,
    fields: { pfn: 'pfn', page: 'page' },
    doc: 'populate_extra_pte at boot: a new, empty PT page is allocated and linked in the PMD slot that spans pfn',
  },
  set_pmd: {
    id: 8,
    mutates: true,
    fields: { pfn: 'pfn', old: 'pte', new: 'pte' },
    doc: 'the PMD slot that spans pfn',
  },
  set_pte: {
    id: 9,
    mutates: true,
    fields: { pfn: 'pfn', page: 'page', old: 'pte', new: 'pte' },
    doc: 'the PTE, in PT page `page`, of the leaf that holds pfn',
  },
  set_entry: {
    id: 10,
    mutates: true,
    fields: { pfn: 'pfn', page: 'page', old: 'word', new: 'word' },
    doc: 'the entry of pfn, in leaf `page`, the one that the store reached',
  },
  identity_range: {
    id: 11,
    mutates: true,
    fields: { pfnStart: 'pfn', pfnEnd: 'pfn', old: 'payload' },
    doc: 'entries [pfnStart, pfnEnd) become IDENTITY_FRAME of their pfn; old is what they held',
  },
  boot: {
    id: 12,
    mutates: true,
    fields: { nrPages: 'pfn', entries: 'payload' },
    doc: 'the domain builder leaves its list of nrPages entries, in whole pages',
  },
  set_global: {
    id: 13,
    mutates: true,
    fields: { global: 'global', old: 'int', new: 'int' },
    doc: 'a word of the global state that boot or the allocation writes',
  },
  set_top_mfn: {
    id: 14,
    mutates: true,
    fields: { index: 'int', expected: 'int', old: 'int', new: 'int' },
    doc: 'compare-and-exchange of p2m_top_mfn[index]; where old is not expected it is lost and nothing changes',
  },
  set_top_mfn_p: {
    id: 15,
    mutates: true,
    fields: { index: 'int', old: 'int', new: 'int' },
    doc: 'p2m_top_mfn_p[index], the mid page by its kernel address',
  },
  set_mid_mfn: {
    id: 16,
    mutates: true,
    fields: { page: 'page', index: 'int', old: 'int', new: 'int' },
    doc: 'the mfn of a leaf in a mid page of the tree for the tools',
  },
  set_max_pfn: {
    id: 17,
    mutates: true,
    fields: { info: 'int', old: 'int', new: 'int' },
    doc: 'shared_info.arch.max_pfn (info 1), or that of the dummy page (info 0)',
  },
  set_generation: {
    id: 18,
    mutates: true,
    fields: { info: 'int', old: 'int', new: 'int' },
    doc: 'shared_info.arch.p2m_generation (info 1), or that of the dummy page (info 0)',
  },
  lock: { id: 19, mutates: true, fields: {}, doc: 'p2m_update_lock is taken by this CPU' },
  unlock: { id: 20, mutates: true, fields: {}, doc: 'p2m_update_lock is given back by this CPU' },
  set_top: {
    id: 21,
    mutates: true,
    fields: { index: 'int', expected: 'int', old: 'int', new: 'int' },
    doc: 'compare-and-exchange of p2m_top[index] of the old tree; lost as in set_top_mfn',
  },
  set_mid: {
    id: 22,
    mutates: true,
    fields: { page: 'page', index: 'int', expected: 'int', old: 'int', new: 'int' },
    doc: 'compare-and-exchange of an entry of a mid page of the old tree; lost as in set_top_mfn',
  },
  set_m2p: {
    id: 23,
    mutates: true,
    fields: { mfn: 'int', old: 'int', new: 'int' },
    doc: 'the hypervisor writes machine_to_phys_mapping[mfn]: pfn + 1, 0 for none',
  },
  set_override: {
    id: 24,
    mutates: true,
    fields: { mfn: 'int', old: 'int', new: 'int' },
    doc: 'm2p_overrides: the page that maps a foreign mfn: pfn + 1, 0 for none',
  },
  set_grant: {
    id: 25,
    mutates: true,
    fields: { slot: 'int', field: 'int', old: 'either', new: 'either' },
    wordWhen: { column: 1, is: 5 },
    doc: 'a word of a grant operation: 0 pfn, 1 foreign mfn, 2 status, 3 status of the kernel mapping, 4 handle, 5 saved entry (a word), 6 kernel mapping',
  },
  set_extra_mem: {
    id: 26,
    mutates: true,
    fields: { index: 'int', oldStart: 'int', oldCount: 'int', start: 'int', count: 'int' },
    doc: 'xen_extra_mem[index]: a region of pfns that is not populated at start',
  },
  arm_failure: {
    id: 27,
    mutates: true,
    fields: { oldAttempts: 'int', oldAt: 'int', oldFrom: 'int', failAt: 'int', failFrom: 'int' },
    doc: 'injection: the failAt-th attempt to allocate from now fails, and all from the failFrom-th on; 0 is off',
  },
  load_entries: {
    id: 28,
    mutates: true,
    fields: { pfn: 'pfn', entries: 'payload' },
    doc: 'entries from pfn on, in private leaves that held only INVALID, as a dump gives them',
  },
  wipe_page: {
    id: 29,
    mutates: true,
    fields: { page: 'page', old: 'payload' },
    doc: 'a page in use is overwritten with INVALID before it is given back; old is what it held',
  },
  call: {
    id: 40,
    mutates: false,
    fields: { operation: 'operation', pfn: 'pfn64', value: 'word', origin: 'int' },
    doc: 'an operation begins; origin is the line of the input it came from, or 0',
  },
  return: {
    id: 41,
    mutates: false,
    fields: { operation: 'operation', result: 'result', value: 'either' },
    wordWhen: { column: 1, is: Result.word },
    doc: 'the operation of this event ends; value is a word for a result of that kind, else a number',
  },
  look_up: {
    id: 42,
    mutates: false,
    fields: { pfn: 'pfn64', value: 'word' },
    doc: 'what a look-up saw, logged when asked',
  },
  bug: {
    id: 43,
    mutates: false,
    fields: { bug: 'bug', pfn: 'pfn64' },
    doc: 'a kernel assertion was hit: the CPU stops here',
  },
  warn: {
    id: 44,
    mutates: false,
    fields: { warning: 'warning', pfn: 'pfn64' },
    doc: 'a kernel warning was printed',
  },
  fault: {
    id: 45,
    mutates: false,
    fields: { access: 'access', pfn: 'pfn64' },
    doc: 'a plain access to an entry of the list faulted and nothing fixes it up',
  },
  task: {
    id: 46,
    mutates: false,
    fields: { pid: 'int', comm: 'comm' },
    doc: 'operations that begin on this CPU from here on are of this task, until the next such event',
  },
  origin: {
    id: 47,
    mutates: false,
    fields: { clock: 'clock', time: 'time', around: 'operation', line: 'int' },
    doc: 'of the operation whose call follows: when it began (ns, or a counter), the kernel function around it that the input shows, and the line of that',
  },
} as const satisfies Record<string, KindSpec>;

/** The name of a kind. */
export type KindName = keyof typeof KINDS;
const byId: (KindName | undefined)[] = [];
for (const name of Object.keys(KINDS) as KindName[]) byId[KINDS[name].id] = name;

/** The name of kind `id`, or undefined where there is no such kind. */
export function kindName(id: number): KindName | undefined {
  return byId[id];
}
