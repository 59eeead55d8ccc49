import { CHECKS, grouped, type Exploration, type Scenario } from '../replay/index.js';

/** Outcomes that people are shown; --json has all. */
const OUTCOMES_MAX = 20;

/** What every exploration of a scenario on the model takes for granted. */
export const SCENARIO_ASSUMPTIONS = [
  'memory is sequentially consistent',
  'translations are coherent: no TLB keeps an old one',
  'accesses are folded into steps as in vectors/README.md',
] as const;

/** Assumptions of what was found, with those of the method. */
export function assumptionsOf({ collisions, method }: Exploration): string[] {
  const assumptions: string[] = [...SCENARIO_ASSUMPTIONS];
  if (collisions > 0) {
    assumptions.push(
      `128-bit hashes tell states apart: one in ${(1 / collisions).toExponential(0)} that two of them do not`,
    );
  }
  if (method.some((line) => line.startsWith('optimal DPOR'))) {
    assumptions.push('what is checked in the middle of a path was checked on one interleaving of each class');
  }
  return assumptions;
}

/** Names of the checks in `bits`. */
export function checkNames(bits: number): string[] {
  return CHECKS.filter((_, check) => (bits & (1 << check)) !== 0);
}

/** The scenario in a line. */
export function scenarioLine({ form, kernel, geometry, threads, watch, check }: Scenario): string {
  const operations = threads.reduce((sum, thread) => sum + thread.length, 0);
  const held = check.length === CHECKS.length ? 'all checks' : `checks ${check.join(', ')}`;
  return `Linux ${kernel} (form ${form.name}), ${geometry.name}: ${threads.length} threads, ${operations} operations, ${watch.length} pfns watched, ${held}`;
}

/** What was done and what it came to; the reports of violations come behind it. */
export function explorationText(scenario: Scenario, exploration: Exploration, outcomes: boolean): string[] {
  const { method, interleavings, violating, violations, bound, verdict, states } = exploration;
  const lines = [scenarioLine(scenario), ...method.map((line) => `  ${line}`)];
  if (outcomes) lines.push(...outcomeLines(exploration));
  if (interleavings !== undefined) {
    const share = violating === 0n ? 'none of them breaks a check' : `${grouped(violating!)} of them break a check`;
    lines.push(`interleavings: ${grouped(interleavings)}, ${share}`);
  }
  if (violations.length > 0) {
    const names = checkNames(violations.reduce((sum, { bits }) => sum | bits, 0));
    lines.push(`broken: ${names.join(', ')}`);
  }
  if (bound !== undefined) lines.push(`bound: ${bound}`);
  if (verdict === 'ok') {
    const all = interleavings === undefined ? `all interleavings` : `all ${grouped(interleavings)} interleavings`;
    const seen = states > 0 ? `, through ${grouped(states)} states` : '';
    lines.push(`proven: no check is broken in ${all}${seen}`);
  }
  lines.push(...assumptionsOf(exploration).map((text, i) => `${i === 0 ? 'assuming: ' : '          '}${text}`));
  return lines;
}

function outcomeLines({ outcomes }: Exploration): string[] {
  const lines = [...outcomes]
    .sort((a, b) => (a.count < b.count ? 1 : -1))
    .slice(0, OUTCOMES_MAX)
    .map(({ outcome, count, broken }) => {
      const names = broken === 0 ? '' : `  breaks ${checkNames(broken).join(', ')}`;
      return `  ${grouped(count).padStart(20)}  ${outcome}${names}`;
    });
  if (outcomes.length > OUTCOMES_MAX) lines.push(`  ... and ${outcomes.length - OUTCOMES_MAX} more (--json)`);
  return [`outcomes: ${outcomes.length}`, ...lines];
}
