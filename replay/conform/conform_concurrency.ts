import { P2mError } from '../../events/index.js';
import {
  countOutcomes,
  type CountOptions,
  type CountedOutcome,
  type OutcomeCounts,
} from '../explore/count_outcomes.js';
import { follow } from '../explore/schedule.js';
import { VECTOR_FLAGS } from '../scenario/scenario.js';
import { ScenarioProgram, type ScenarioOutcome } from '../scenario/scenario_program.js';
import { canonical } from './canonical.js';
import type { ConcurrencyVector } from './concurrency_vector.js';
import type { Failure } from './conform.js';

/**
 * Explores every interleaving of a vector's scenario and compares: the look-ups before the run, the set of outcomes, the
 * count and the fewest switches of each, that its schedule leads to it, and the sums. No failure is left out.
 *
 * `line` of a failure is 1, `op` says which of the vector's outcomes it is: `outcome 3`.
 */
export function conformConcurrency(vector: ConcurrencyVector, options: CountOptions = {}): Failure[] {
  const failures: Failure[] = [];
  const compare = (op: string, field: string, got: string, expected: string): void => {
    if (got !== expected) failures.push({ file: vector.file, line: 1, op, field, got, expected });
  };
  const broken = (got: string): Failure[] => [
    { file: vector.file, line: 1, op: 'scenario', field: '-', got: `${vector.file}: ${got}`, expected: 'a run' },
  ];
  let program: ScenarioProgram;
  let counts: OutcomeCounts;
  try {
    // Other checks are never part of a vector's outcome.
    program = new ScenarioProgram({ ...vector.scenario, check: VECTOR_FLAGS });
    counts = countOutcomes(program, options);
  } catch (error) {
    // What the model cannot hold (a list that is too large, a kernel that has no 32-bit PV) or the explorer cannot walk.
    if (!(error instanceof P2mError)) throw error;
    return broken(error.message);
  }
  if (!counts.complete) return broken(`not exhausted: ${counts.states} states were not enough`);
  compare('scenario', 'initial', canonical(program.initial), canonical(vector.initial));
  compare('scenario', 'interleavings', String(counts.interleavings), vector.interleavings);
  compare('scenario', 'violating', String(violating(counts.outcomes)), vector.violating);

  const found = new Map(counts.outcomes.map((outcome) => [canonical(JSON.parse(outcome.outcome)), outcome]));
  vector.outcomes.forEach(({ outcome, count, switches, schedule }, i) => {
    const op = `outcome ${i + 1}`;
    const key = canonical(outcome);
    const ours = found.get(key);
    found.delete(key);
    compare(op, 'outcome', ours === undefined ? 'nothing' : key, key);
    if (ours !== undefined) {
      compare(op, 'count', String(ours.count), count);
      compare(op, 'switches', String(ours.switches), String(switches));
    }
    compare(op, 'schedule', replayed(program, schedule), key);
  });
  for (const key of found.keys()) compare('outcomes', 'outcome', key, 'nothing');
  return failures;
}

/** Interleavings whose outcome has a flag. */
function violating(outcomes: readonly CountedOutcome[]): bigint {
  return outcomes
    .filter(({ outcome }) => (JSON.parse(outcome) as ScenarioOutcome).flags.length > 0)
    .reduce((sum, { count }) => sum + count, 0n);
}

/** What a vector's schedule leads to, or why it does not apply. */
function replayed(program: ScenarioProgram, schedule: readonly (readonly [thread: string, label: string])[]): string {
  const agents = schedule.map(([name]) => program.agents.findIndex((agent) => agent.name === name));
  try {
    return canonical(
      JSON.parse(
        follow(
          program,
          agents,
          schedule.map(([, label]) => label),
        ),
      ),
    );
  } catch (error) {
    if (!(error instanceof P2mError)) throw error;
    return error.message;
  }
}
