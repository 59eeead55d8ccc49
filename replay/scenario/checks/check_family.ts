import { kindName } from '../../../events/index.js';
import type { Domain, Memory } from '../../../src/index.js';
import type { Accesses } from '../../explore/accesses.js';
import type { Scenario, ScenarioOperation } from '../scenario.js';
import type { Finished } from '../scenario_thread.js';
import type { Findings } from './findings.js';
import type { PathWords } from './path_words.js';
import type { RunPages } from './run_pages.js';

/** A step that was taken. */
export interface TakenStep {
  readonly thread: number;
  /** By thread: the operation in its hand before the step. */
  readonly inHand: readonly (ScenarioOperation | undefined)[];
  /** What ended in the step. */
  readonly finished: readonly Finished[];
  /** The step's events are those of the domain's batch from here on. */
  readonly eventsFrom: number;
  /** What it touched: locations are indices in the memory's words. */
  readonly accesses: Accesses;
}

/** What an end is judged by of a thread. */
export interface EndedThread {
  /** A kernel assertion or a fault ended it. */
  readonly died: boolean;
  /** Its next step; undefined where it has none left. */
  readonly at: string | undefined;
  readonly finished: readonly Finished[];
}

/** Where a path ends. */
export interface PathEnd {
  readonly threads: readonly EndedThread[];
  /** All threads have done what they had to do. */
  readonly isQuiet: boolean;
  readonly found: Findings;
}

/** What every check looks at, and never changes. */
export interface CheckedRun {
  readonly scenario: Scenario;
  readonly domain: Domain;
  readonly memory: Memory;
  readonly pages: RunPages;
  readonly words: PathWords;
  /** What the path has broken. */
  readonly found: Findings;
}

/**
 * Checks that look at the same things. One is made only where the scenario is held to a check of it. What it remembers
 * beside the findings is an image of its own, and the part of it that later checks depend on is given to the state.
 */
export interface CheckFamily {
  /** A step was taken; `changed` says what kind of words its events change. */
  afterStep?(step: TakenStep, changed: number): void;
  /** The path ends here: raises in `end.found` what is wrong. */
  atEnd?(end: PathEnd): void;
}

/** What kind of words the events of a step change, as bits. */
export const Changed = { entry: 1, table: 2, fill: 4, page: 8, tools: 16 } as const;

const CHANGED = new Map<string, number>([
  ['set_entry', Changed.entry],
  ['wipe_page', Changed.entry],
  ['load_entries', Changed.entry],
  ['identity_range', Changed.entry],
  ['set_pte', Changed.table],
  ['set_pmd', Changed.table],
  ['set_mid', Changed.table],
  ['set_top', Changed.table],
  ['populate_pmd', Changed.table],
  ['fill_page', Changed.fill],
  ['alloc_page', Changed.page],
  ['alloc_failed', Changed.page],
  ['free_page', Changed.page],
  ['set_mid_mfn', Changed.tools],
  ['set_top_mfn', Changed.tools],
  ['set_top_mfn_p', Changed.tools],
]);

/** By the number of an event's kind. */
const CHANGED_BY = Uint8Array.from({ length: 256 }, (_, id) => CHANGED.get(kindName(id) ?? '') ?? 0);

/** What kind of words the events of the batch change from `from` on. */
export function changedSince({ batch }: Domain, from: number): number {
  let changed = 0;
  for (let i = from; i < batch.length; i++) changed |= CHANGED_BY[batch.kind[i]!]!;
  return changed;
}
