import { usageError } from '../../events/index.js';
import { ALLOC_P2M_MUTANTS } from './alloc_p2m_mutants.js';
import { ALLOC_P2M_PMD_MUTANTS } from './alloc_p2m_pmd_mutants.js';
import type { Mutant } from './mutant.js';
import { STORE_MUTANTS } from './store_mutants.js';
import { SWITCH_MUTANTS } from './switch_mutants.js';
import { TREE_MUTANTS } from './tree_mutants.js';

/** All mutants: every lock, re-check, ordering, store and free of the run-time operations, and every switch of a form. */
export const MUTANTS: readonly Mutant[] = [
  ...ALLOC_P2M_MUTANTS,
  ...ALLOC_P2M_PMD_MUTANTS,
  ...STORE_MUTANTS,
  ...TREE_MUTANTS,
  ...SWITCH_MUTANTS,
];

/** The mutants that a command line names: `all`, or one name. @throws P2mError (usage) where there is none of that name */
export function mutantsByName(name: string): readonly Mutant[] {
  if (name === 'all') return MUTANTS;
  const found = MUTANTS.filter((mutant) => mutant.name === name);
  if (found.length === 0) {
    const like = MUTANTS.filter((mutant) => mutant.name.includes(name)).map((mutant) => mutant.name);
    throw usageError('unknown mutant', { got: JSON.stringify(name), expected: ['all', ...like].join(', ') });
  }
  return found;
}
