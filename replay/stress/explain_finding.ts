import type { StoredLog } from '../../events/index.js';
import { printRuns } from '../finding/run_length.js';
import { inlineThread } from '../scenario/inline_scenario.js';
import { THREAD_NAMES } from '../scenario/scenario.js';
import { knownDefects, type KnownDefect } from './known_defect.js';
import { reproduceFinding, type Reproduction, type ReproduceOptions } from './reproduce.js';
import type { RoundFinding } from './round_finding.js';

/** What could be found out about a finding of a round. */
export interface FindingExplanation {
  readonly finding: RoundFinding;
  /** The smallest scenario that shows it. */
  readonly reproduction: Reproduction;
  /** The defects of the gallery that it shows, or the mutant; none: it is new. */
  readonly known: readonly KnownDefect[];
  /** Where nothing shows it and it is not known: a known finding of the round that it may come of. */
  readonly follows?: FindingExplanation | undefined;
}

/**
 * Looks for the smallest scenario that shows a finding, and for the defect that it is. Some seconds where nothing shows it.
 * @throws {P2mError} the log is damaged
 */
export function explainRoundFinding(
  log: StoredLog,
  finding: RoundFinding,
  options: ReproduceOptions = {},
): FindingExplanation {
  const reproduction = reproduceFinding(log, finding, options);
  const scenario = reproduction.verdict === 'reproduced' ? reproduction.scenario : undefined;
  return { finding, reproduction, known: knownDefects(finding, log.header.kernel, scenario, options.mutant) };
}

/** The explanation in lines: what it is known as, the scenario, and as the last line the command that runs it. */
export function explanationLines({ reproduction, known, follows }: FindingExplanation): string[] {
  const told = follows === undefined ? knownLines(known) : [followsLine(follows)];
  return [...told, ...reproductionLines(reproduction)];
}

/** The explanation as JSON. */
export function explanationJson({ finding, reproduction, known, follows }: FindingExplanation): object {
  const isShown = reproduction.verdict === 'reproduced';
  return {
    ...finding,
    known,
    follows: follows === undefined ? null : { check: follows.finding.check, seq: follows.finding.seq },
    reproduced: isShown,
    why: isShown ? null : reproduction.why,
    breaks: isShown ? reproduction.checks : [],
    token: isShown ? reproduction.token : null,
    tried: reproduction.tried,
    command: reproduction.command ?? null,
  };
}

function knownLines(known: readonly KnownDefect[]): string[] {
  if (known.length === 0) return ['not in the gallery: a new finding'];
  return known.map(({ name, defect, about, by }) => {
    const how = by === 'correction' ? 'with it corrected the scenario passes' : 'by its check and the kernel form';
    const where = defect === 'new' ? 'in the newest kernels too' : defect;
    return `known: ${name} (${where}), ${how}: ${about}`;
  });
}

function followsLine({ finding: { check, seq }, known }: FindingExplanation): string {
  const names = known.map(({ name }) => name).join(' and ');
  const where = seq < 0 ? check : `${check} at event ${seq}`;
  return `not known by itself: it follows ${where}, which is ${names}, and may come of it`;
}

function reproductionLines(reproduction: Reproduction): string[] {
  const { command, tried } = reproduction;
  const last = command === undefined ? [] : [command];
  if (reproduction.verdict === 'not reproduced') return [`not reproduced: ${reproduction.why}`, ...last];
  const { scenario, schedule, checks } = reproduction;
  const { kernel, geometry, layout, threads } = scenario;
  return [
    `reproduced by a scenario, after ${tried} tries: ${checks.join(', ')}`,
    `  Linux ${kernel}, ${geometry.name}, ${layout.map((entry) => entry.join(' ')).join('; ')}`,
    ...threads.map((thread, i) => `  ${THREAD_NAMES[i]}: ${inlineThread(thread)}`),
    `  in the order ${printRuns(schedule)}`,
    ...last,
  ];
}
