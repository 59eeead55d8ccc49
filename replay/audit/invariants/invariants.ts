import { BYSTANDER_CHANGED } from './bystanders.js';
import { BUG_ON } from './crash.js';
import { FALSE_SET } from './false_sets.js';
import type { Invariant } from './invariant.js';
import { MAX_PFN_MISSES_LEAF } from './max_pfn.js';
import { FREED_PAGE_REACHABLE, LEAK, USE_AFTER_FREE } from './page_lives.js';
import { PRIVATE_PAGE_CHANGED } from './private_links.js';
import { SHARED_LEAF_WRITTEN, SHARED_PTE_PAGE_WRITTEN } from './shared_pages.js';
import { LIST_AND_TREE_DIFFER, MFN_TREE_MISSES_LEAF, TOP_MISMATCH } from './tools_tree_watch.js';

/**
 * The invariants that a log can be held to, by the names that scenarios give their breaking. What is missing of those: the
 * checks of what look-ups and results say together (`p2m check`), and deadlock, which leaves no event.
 */
export const INVARIANTS = {
  BUG_ON,
  'shared-pte-page-written': SHARED_PTE_PAGE_WRITTEN,
  'shared-leaf-written': SHARED_LEAF_WRITTEN,
  'private-page-changed': PRIVATE_PAGE_CHANGED,
  'bystander-changed': BYSTANDER_CHANGED,
  'list-and-tree-differ': LIST_AND_TREE_DIFFER,
  'mfn-tree-misses-leaf': MFN_TREE_MISSES_LEAF,
  'top-mismatch': TOP_MISMATCH,
  leak: LEAK,
  'freed-page-reachable': FREED_PAGE_REACHABLE,
  'use-after-free': USE_AFTER_FREE,
  'max-pfn-misses-leaf': MAX_PFN_MISSES_LEAF,
  'false-set': FALSE_SET,
} as const satisfies Record<string, Invariant>;

/** Name of an invariant. */
export type InvariantName = keyof typeof INVARIANTS;

/** Their names, in the order of --help. */
export const INVARIANT_NAMES = Object.keys(INVARIANTS) as InvariantName[];
