import type { Form, Geometry, Machines } from '../../src/index.js';

/**
 * One operation: what, pfn, and what a set stores. `set` is set_phys_to_machine, `rawSet` __set_phys_to_machine, `alloc`
 * xen_alloc_p2m_entry, `lookup` __pfn_to_mfn, `get` get_phys_to_machine.
 */
export type ScenarioOperation =
  | readonly [kind: 'set' | 'rawSet', pfn: number, value: string]
  | readonly [kind: 'lookup' | 'get' | 'alloc', pfn: number];

/** An entry of the layout, as vectors/README.md writes it; numbers are decimal strings. */
export type LayoutEntry =
  | readonly [kind: 'hole' | 'identity', pfnStart: string, pfnEnd: string]
  | readonly [kind: 'limit' | 'nr', value: string]
  | readonly [kind: 'notree'];

/** Few operations on a domain laid out for them, a thread a CPU: a program whose every interleaving is of interest. */
export interface Scenario {
  /** As it was given: a form's name or a kernel version. */
  readonly kernel: string;
  readonly form: Form;
  readonly geometry: Geometry;
  /** As it was given; what follows is drawn from it. */
  readonly layout: readonly LayoutEntry[];
  /** Entries of the domain builder's list: mfn 1000 + pfn, but for `ranges`, of which a later one lies over an earlier. */
  readonly nrPages: number;
  readonly ranges: readonly { readonly missing: boolean; readonly pfnStart: number; readonly pfnEnd: number }[];
  /** P2M_LIMIT, in pfns. */
  readonly limitPfns: number;
  /** Whether the tools' tree is built and the shared info page set up. */
  readonly tree: boolean;
  readonly threads: readonly (readonly ScenarioOperation[])[];
  /** Watched pfns, ascending. */
  readonly watch: readonly number[];
  /** The n-th attempt to allocate fails, over all threads, from 1 on; `from`: it and all later ones. 0: none. */
  readonly fail: { readonly at: number; readonly from: number };
  /** What it is held to. */
  readonly check: readonly CheckName[];
  /** Machines that stand in for those of the form: a reviewer's own version, or a mutant's. */
  readonly machines: Partial<Machines>;
}

/** Names of the threads, in their order. */
export const THREAD_NAMES = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Flags of the vectors (vectors/README.md, "Flags"), in the order in which an outcome lists them. */
export const VECTOR_FLAGS = [
  'BUG_ON',
  'shared-pte-page-written',
  'shared-leaf-written',
  'bystander-changed',
  'target-had-never-set-value',
  'lookup-outside-interval',
  'lookup-never-set-value',
  'mfn-tree-misses-leaf',
  'top-mismatch',
  'leak',
  'freed-page-reachable',
  'double-free',
  'lost-update',
  'last-pfn-too-low',
  'shared-max_pfn-too-low',
] as const;

/** What can be wrong with a path, in the words of the vectors. */
export type ScenarioFlag = (typeof VECTOR_FLAGS)[number];

/** What else a path is held to (known-defects.md, section 2); never part of a vector's outcome. */
export const OTHER_CHECKS = [
  /** Nobody can go on, and somebody has not ended. */
  'deadlock',
  /** I2: a PMD or PTE that was private changed, or a private page is reachable from two slots. */
  'private-page-changed',
  /** I3: a private leaf under a shared PMD, or the tools' tree does not name the leaf when the allocation has returned. */
  'list-and-tree-differ',
  /** I5: the results of the operations on one pfn fit no order of them that keeps to real time. */
  'not-linearizable',
  /** I7: a step touched a page that was freed. */
  'use-after-free',
  /** I8, at the end: max_pfn or xen_p2m_last_pfn do not cover every private leaf. */
  'max-pfn-misses-leaf',
  /** I9: a set returned false, and stored, or memory was not short. */
  'false-set',
] as const;

/** All checks of a scenario; bit `i` of `broken` is the i-th. */
export const CHECKS = [...VECTOR_FLAGS, ...OTHER_CHECKS] as const;

/** Name of a check. */
export type CheckName = (typeof CHECKS)[number];
