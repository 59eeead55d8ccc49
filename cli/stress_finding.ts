import type { StoredLog } from '../events/index.js';
import type { Mutant, RoundFinding } from '../replay/index.js';
import type { RoundPlan } from './stress_round.js';

/** A finding of a round, with what could be found out about it. */
export interface ExplainedFinding {
  readonly finding: RoundFinding;
  /** The gallery's name of the defect; undefined where it has none like it. */
  readonly known: string | undefined;
  /** The smallest scenario that shows it, told, and the command that runs it. */
  readonly lines: readonly string[];
  readonly command: string | undefined;
}

/** Where a finding is to be looked into. */
export interface FindingSource {
  readonly log: StoredLog;
  readonly path: string;
  readonly finding: RoundFinding;
  readonly mutant: Mutant | undefined;
  readonly plan: RoundPlan;
}

/** Looks for the smallest scenario that shows a finding, and for the gallery's entry of it. */
export function explainFinding({ finding }: FindingSource): Promise<ExplainedFinding> {
  return Promise.resolve({ finding, known: undefined, lines: [], command: undefined });
}
