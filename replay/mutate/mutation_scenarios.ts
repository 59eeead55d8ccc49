import { inlineScenario } from '../scenario/inline_scenario.js';
import type { Scenario } from '../scenario/scenario.js';

/** A scenario that mutants are tried in. */
export interface MutationScenario {
  /** Short, for tables. */
  readonly name: string;
  readonly scenario: Scenario;
}

interface Text {
  readonly name: string;
  readonly geometry?: string;
  /** Beside the areas. */
  readonly layout?: readonly string[];
  readonly threads: readonly string[];
  readonly failAt?: number;
}

/**
 * The tiny machine in the shape of x86_64: 4 entries a leaf, 16 pfns a PMD and a mid page, the tree ends at 64. The
 * builder's list has three mid pages and there is room for six; by area:
 *
 *     0..16  private      16..32  what the layout says     32..48  identity     48..64  above the list, 64..96 and the tree
 */
const AREAS = ['nr 48', 'limit 6', 'identity 32 48'];
const MISSING = 'hole 16 32';
const IDENTITY = 'identity 16 32';
/** The PT page is private, and one leaf under it is shared. */
const MISSING_LEAF = 'hole 20 24';
const IDENTITY_LEAF = 'identity 20 24';

/** One CPU alone: what is wrong without a race. */
const ALONE: readonly Text[] = [
  { name: 'alone, missing PMD', layout: [MISSING], threads: ['set 21 m:77; lookup 21; get 22'] },
  { name: 'alone, identity PMD', layout: [IDENTITY], threads: ['set 21 m:77; lookup 22; get 26'] },
  { name: 'alone, private', threads: ['set 5 m:77; alloc 5; lookup 5'] },
  {
    name: 'alone, what is there already',
    layout: [MISSING],
    threads: ['set 21 ~; set 37 i:37; lookup 37; rawSet 21 m:1'],
  },
  { name: 'alone, identity to missing', threads: ['set 37 ~; lookup 37; lookup 38'] },
  { name: 'alone, above the list', threads: ['set 50 m:77; set 51 m:78; set 33 m:79'] },
  { name: 'alone, above the tree', threads: ['set 66 m:77; get 66'] },
  { name: 'alone, look-ups beyond all', threads: ['lookup 200; get 200'] },
  { name: 'alone, INVALID beyond all', threads: ['rawSet 200 ~'] },
  { name: 'alone, a frame beyond all', threads: ['rawSet 200 m:77'] },
  { name: 'alone, no memory for the first page', layout: [MISSING], threads: ['set 21 m:77'], failAt: 1 },
  { name: 'alone, no memory for the second', layout: [MISSING], threads: ['set 21 m:77; lookup 21'], failAt: 2 },
  { name: 'alone, no memory for the third', layout: [MISSING], threads: ['set 21 m:77; lookup 21'], failAt: 3 },
];

/** Two CPUs. */
const PAIRS: readonly Text[] = [
  { name: 'missing PMD, one pfn', layout: [MISSING], threads: ['set 21 m:77', 'set 21 m:78'] },
  { name: 'missing PMD, two leaves', layout: [MISSING], threads: ['set 21 m:77', 'set 25 m:78'] },
  { name: 'missing PMD, one leaf, no tree', layout: [MISSING, 'notree'], threads: ['set 21 m:77', 'set 22 m:78'] },
  { name: 'identity PMD, two leaves, no tree', layout: [IDENTITY, 'notree'], threads: ['set 21 m:77', 'set 25 m:78'] },
  { name: 'missing leaf, one leaf', layout: [MISSING_LEAF], threads: ['set 21 m:77', 'set 22 m:78'] },
  { name: 'identity leaf, one leaf', layout: [IDENTITY_LEAF], threads: ['set 21 m:77', 'set 22 m:78'] },
  { name: 'identity leaf, set and look-up', layout: [IDENTITY_LEAF], threads: ['set 21 m:77', 'lookup 21; get 21'] },
  { name: 'missing leaf, set and look-up', layout: [MISSING_LEAF], threads: ['set 21 m:77', 'lookup 21; get 21'] },
  {
    name: 'missing leaf, identity and frame',
    layout: [MISSING_LEAF],
    threads: ['set 21 i:21; lookup 21', 'set 21 m:78'],
  },
  { name: 'missing leaf, INVALID and frame', layout: [MISSING_LEAF], threads: ['set 21 ~', 'set 21 m:78; lookup 21'] },
  { name: 'private, set between look-ups', threads: ['set 5 m:77', 'lookup 5; set 5 m:78; lookup 5'] },
  { name: 'above the list, two areas', threads: ['set 50 m:77', 'set 66 m:78'] },
  { name: 'missing PMD, one pfn, memory short', layout: [MISSING], threads: ['set 21 m:77', 'set 21 m:78'], failAt: 2 },
];

/** Two PMDs a mid page. */
const PAE: readonly Text[] = [
  { name: 'PAE, alone, second PMD', geometry: 'tiny-pae', layout: [MISSING], threads: ['set 29 m:77; lookup 21'] },
  { name: 'PAE, alone, no memory', geometry: 'tiny-pae', layout: [MISSING], threads: ['set 21 m:77'], failAt: 2 },
  {
    name: 'PAE, both PMDs',
    geometry: 'tiny-pae',
    layout: [MISSING, 'notree'],
    threads: ['set 21 m:77', 'set 29 m:78'],
  },
];

/**
 * The old tree ends at 64 and shares what lies above the builder's list; by area:
 *
 *     0..20  private      20..32  missing leaves, the mid page is private     32..48  missing mid page     48..64  identity
 */
const TREE_AREAS = ['nr 20', 'identity 48 64'];

const TREE: readonly Text[] = [
  { name: 'alone, missing mid', threads: ['set 37 m:77; lookup 37; get 38'] },
  { name: 'alone, missing leaf', threads: ['set 21 m:77; lookup 22; rawSet 25 m:78'] },
  { name: 'alone, identity', threads: ['lookup 53; set 37 i:37; get 37; set 21 i:21; get 21'] },
  { name: 'alone, private', threads: ['set 5 m:77; alloc 5; lookup 5'] },
  { name: 'missing leaf, one leaf', threads: ['set 21 m:77', 'set 22 m:78'] },
  { name: 'missing leaf, identity and frame', threads: ['set 21 i:21', 'set 21 m:78'] },
  { name: 'missing mid, one leaf', threads: ['set 37 m:77', 'set 38 m:78'] },
  { name: 'missing mid, two leaves', threads: ['set 37 m:77', 'set 41 m:78'] },
  { name: 'missing mid, two leaves, no tools', layout: ['notree'], threads: ['set 37 m:77', 'set 41 m:78'] },
  { name: 'missing mid, identity and frame', threads: ['set 37 i:37', 'set 41 m:78'] },
  { name: 'identity mid, two leaves', threads: ['alloc 53', 'alloc 57'] },
];

/** Small scenarios that reach every row of the run-time operations together: those of one CPU first, for they end at once. */
export const MUTATION_SCENARIOS: readonly MutationScenario[] = [
  ...linearScenarios('7.0'),
  ...TREE.map((text) => scenarioOfText('3.18', TREE_AREAS, text)),
];

/** Those of the linear list, under any kernel that has one. */
export function linearScenarios(kernel: string): MutationScenario[] {
  return [...ALONE, ...PAE, ...PAIRS].map((text) => scenarioOfText(kernel, AREAS, text));
}

function scenarioOfText(kernel: string, areas: readonly string[], text: Text): MutationScenario {
  const { name, geometry = 'tiny', layout = [], threads, failAt } = text;
  return { name, scenario: inlineScenario({ kernel, geometry, layout: [...areas, ...layout], threads, failAt }) };
}
