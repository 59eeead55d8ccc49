import { usageError } from '../../events/index.js';
import { coreOf } from './failing_core.js';
import type { History } from './history.js';
import { KeyEvents } from './key_events.js';
import type { Scalar } from './names.js';
import { operationOf, type Operation } from './operation.js';
import { RegisterCheck } from './register_check.js';
import { explainCore } from './core_words.js';

/** Bounds, and what a register begins with. */
export interface CheckHistoryOptions {
  /** Most steps of search for one key, beyond one for each of its operations; default `STEPS_MAX`. */
  readonly budget?: number;
  /** The value of every register at the beginning; default null. */
  readonly initial?: Scalar;
}

/** A register whose operations have no order. */
export interface RegisterViolation {
  readonly key: Scalar;
  /** Some of its operations that have no order by themselves, as they began; each is needed. */
  readonly core: readonly Operation[];
  /** Whether each of the core is needed for certain: false where a bound ended the search for a smaller one. */
  readonly isMinimal: boolean;
  /** Why they have none, in words that can be checked by hand. */
  readonly message: string;
}

/** What was found out about a history. */
export interface HistoryReport {
  /** `violated` where any key is, `unknown` where none is and some are undecided. */
  readonly verdict: 'ok' | 'violated' | 'unknown';
  readonly keys: number;
  readonly operations: number;
  readonly violations: readonly RegisterViolation[];
  /** The keys that no verdict was reached on within the budget. */
  readonly unknown: readonly Scalar[];
}

/** Default of `CheckHistoryOptions.budget`: some seconds, and half a gigabyte where all of them are remembered. */
export const STEPS_MAX = 1 << 24;
/** What a key may take in the first round, and by how much more in each that follows. */
const FIRST_ROUND = 1 << 12;
const GROWTH = 16;

/**
 * Whether the operations on each register are linearizable (Herlihy and Wing 1990): whether they can be put into an order
 * in which each takes effect at one moment between its beginning and its end. An operation that failed had no effect; one
 * that never ended, or of which nobody knows how, had it at any time after it began, or not at all.
 *
 * Each key is decided by itself, first all of them with few steps, then those that are left with more: a hard one does
 * not hide an easy one. Every violated key is reported, in the order in which the keys came.
 *
 * @throws {P2mError} code `usage`: a budget that is no whole number from 1 on
 */
export function checkHistory(history: History, options: CheckHistoryOptions = {}): HistoryReport {
  const { budget = STEPS_MAX, initial = null } = options;
  if (!Number.isSafeInteger(budget) || budget < 1) {
    throw usageError('bad budget', { got: String(budget), expected: 'a whole number of steps, 1 or more' });
  }
  const first = history.values.number(initial);
  const byKey = new KeyEvents(history);
  const check = new RegisterCheck(history, first);
  const violations = new Map<number, RegisterViolation>();
  let open = Array.from({ length: history.keys.count }, (_, key) => key);
  for (let steps = Math.min(FIRST_ROUND, budget); ; steps = Math.min(GROWTH * steps, budget)) {
    open = open.filter((key) => {
      const events = byKey.of(key);
      const found = check.check(events, events.length + steps);
      if (found.verdict === 'violated') violations.set(key, violationOf(history, check, events, found.guilty, first));
      return found.verdict === 'unknown';
    });
    if (open.length === 0 || steps === budget) break;
  }
  return {
    verdict: violations.size > 0 ? 'violated' : open.length > 0 ? 'unknown' : 'ok',
    keys: history.keys.count,
    operations: history.count,
    violations: [...violations].sort(([a], [b]) => a - b).map(([, violation]) => violation),
    unknown: open.map((key) => history.keys.name(key)),
  };
}

function violationOf(
  history: History,
  check: RegisterCheck,
  events: Int32Array,
  guilty: ReadonlySet<number>,
  initial: number,
): RegisterViolation {
  const { core, isMinimal } = coreOf(history, check, events, guilty, initial);
  return {
    key: history.keys.name(history.key.cells[core[0]!]!),
    core: core.map((operation) => operationOf(history, operation)),
    isMinimal,
    message: explainCore(history, events, core, initial),
  };
}
