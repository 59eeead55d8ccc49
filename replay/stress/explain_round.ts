import type { StoredLog } from '../../events/index.js';
import { explainRoundFinding, type FindingExplanation } from './explain_finding.js';
import type { ReproduceOptions } from './reproduce.js';
import type { RoundCheck, RoundFinding } from './round_finding.js';

/** What is looked into, and how far. */
export interface ExplainRoundOptions extends Omit<ReproduceOptions, 'behind' | 'isShrunk'> {
  /** Most findings that are looked into; default 3. */
  readonly findingsMax?: number;
  /** What rounds before have shown: of their checks only the round's first finding is looked into, whether it is the same. */
  readonly told?: readonly FindingExplanation[];
  /** Hears of each finding before it is looked into, which may take seconds. */
  readonly onFinding?: (finding: RoundFinding) => void;
}

const FINDINGS_MAX = 3;

/** What casts doubt on the recording: no defect of a kernel explains that, so they come before all that could be their cause. */
const OF_THE_RECORDING: readonly RoundCheck[] = ['log-order', 'end-differs'];

/**
 * Looks into what a round has broken, in the order in which it showed: a list that one defect has broken breaks more on its way.
 * Findings of one check, or of an event that is understood, are one. Each is looked for behind the operations that are known to
 * have broken the list before, then by itself; where neither shows it, it is told which known one it follows.
 *
 * @throws {P2mError} the log is damaged
 */
export function explainRound(
  log: StoredLog,
  findings: readonly RoundFinding[],
  options: ExplainRoundOptions = {},
): FindingExplanation[] {
  const { findingsMax = FINDINGS_MAX, told = [], onFinding } = options;
  const explained: FindingExplanation[] = [];
  for (const [i, finding] of asTheyShowed(findings).entries()) {
    if (explained.length === findingsMax) break;
    const isTold = told.some((one) => one.finding.check === finding.check);
    if (i > 0 && (isTold || explained.some((one) => isPartOf(finding, one)))) continue;
    onFinding?.(finding);
    const short = isTold ? explainRoundFinding(log, finding, { ...options, isShrunk: false }) : undefined;
    const isNothingNew = short !== undefined && told.some((one) => isSameDefect(one, short));
    explained.push(isNothingNew ? short : explainAfter(log, finding, explained, options));
  }
  return explained;
}

/** Whether both say of one check that it is the same defect. One that is new is never what another one follows. */
export function isSameDefect(a: FindingExplanation, b: FindingExplanation): boolean {
  const names = ({ known }: FindingExplanation): string => known.map(({ name }) => name).join();
  const isFollower = ({ follows }: FindingExplanation): boolean => follows !== undefined;
  return a.finding.check === b.finding.check && names(a) === names(b) && isFollower(a) === isFollower(b);
}

/** What casts doubt on the recording first; what no event showed last. */
function asTheyShowed(findings: readonly RoundFinding[]): RoundFinding[] {
  const rank = ({ check, decidedAt }: RoundFinding): number => {
    if (OF_THE_RECORDING.includes(check)) return -1;
    return decidedAt < 0 ? Number.MAX_SAFE_INTEGER : decidedAt;
  };
  return [...findings].sort((a, b) => rank(a) - rank(b));
}

function isPartOf({ check, seq }: RoundFinding, { finding, known }: FindingExplanation): boolean {
  return check === finding.check || (seq >= 0 && seq === finding.seq && known.length > 0);
}

/** @param before those that showed before it */
function explainAfter(
  log: StoredLog,
  finding: RoundFinding,
  before: readonly FindingExplanation[],
  options: ReproduceOptions,
): FindingExplanation {
  const causes = before.filter(({ known }) => known.length > 0);
  for (const cause of causes) {
    const behind = explainRoundFinding(log, finding, { ...options, behind: operationsOf(cause) });
    if (behind.reproduction.verdict === 'reproduced') return behind;
  }
  const alone = explainRoundFinding(log, finding, options);
  const isDecided = alone.reproduction.verdict === 'reproduced' || alone.known.length > 0;
  return isDecided ? alone : { ...alone, follows: causes[0] };
}

/** Those of the smallest group of calls that shows it, else the guilty ones. */
function operationsOf({ finding, reproduction }: FindingExplanation): readonly number[] {
  return reproduction.verdict === 'reproduced' ? reproduction.operations : finding.operations;
}
