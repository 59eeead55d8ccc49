import type { CheckName } from '../scenario/scenario.js';

/**
 * What a round can break beside the checks of scenarios.
 *
 * - `log-order`: an event overwrites what was not there: the log is not in the order of memory.
 * - `end-differs`: the log leads to another memory than the one that the threads left.
 * - `no-return`: an operation never returned, and nobody killed its thread.
 * - `lock-kept`: p2m_update_lock is held at the end by a CPU that is in no operation.
 * - `accounts`: events, calls or pages do not add up.
 * - `warning`: the kernel printed a warning that one that works has no reason for.
 */
export const ROUND_CHECKS = [
  'log-order',
  'end-differs',
  'no-return',
  'lock-kept',
  'accounts',
  'warning',
  'false-outcome',
] as const;

/** What a finding of a round says is broken. */
export type RoundCheck = CheckName | (typeof ROUND_CHECKS)[number];

/** Something that a round has broken. */
export interface RoundFinding {
  readonly check: RoundCheck;
  /** What is wrong, in words. */
  readonly says: string;
  /** Number of the event since which; -1 where there is no such event. */
  readonly seq: number;
  /** Number of the event that showed it; `seq` where that did. */
  readonly decidedAt: number;
  /** Numbers of the operations that have done it, as far as they are known. */
  readonly operations: readonly number[];
}
