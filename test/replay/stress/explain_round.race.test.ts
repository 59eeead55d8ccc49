import { describe, expect, it } from 'vitest';
import {
  explainRound,
  explainRoundFinding,
  explanationJson,
  explanationLines,
  isSameDefect,
  judgeRound,
  type FindingExplanation,
  type RoundFinding,
} from '../../../replay/index.js';
import { steppedRound, type SteppedRoundOptions } from './stepped_round.js';

const TOPS = { kernel: '3.19-rc1', mix: 'look-up=20,touch-top=80', regions: 3, share: true, cpus: 3, seed: 1 };

function judged(options: SteppedRoundOptions) {
  const { log, memory } = steppedRound(options);
  return { log, findings: judgeRound(log, { memory }).findings };
}

function only(findings: readonly RoundFinding[], ...checks: readonly string[]): RoundFinding[] {
  return findings.filter(({ check }) => checks.includes(check));
}

function names({ known }: FindingExplanation): string[] {
  return known.map(({ name, by }) => `${name}, ${by}`);
}

describe('explainRound', () => {
  it('shows what comes of a broken list behind the operations that broke it', () => {
    const { log, findings } = judged(TOPS);
    const [cause, consequence] = only(findings, 'shared-pte-page-written', 'bystander-changed');
    expect(explainRoundFinding(log, consequence!, { scenariosMax: 12 }).known).toEqual([]);
    const explained = explainRound(log, [consequence!, cause!], { scenariosMax: 12 });
    expect(explained.map((one) => [one.finding.check, names(one)])).toEqual([
      ['shared-pte-page-written', ['stale-pte-pointer, correction']],
      ['bystander-changed', ['stale-pte-pointer, correction']],
    ]);
    expect(explained[1]!.reproduction.verdict).toBe('reproduced');
  });

  it('says which known one a finding follows that nothing shows', () => {
    const { log, findings } = judged({ ...TOPS, geometry: 'tiny-pae' });
    const explained = explainRound(log, only(findings, 'shared-pte-page-written', 'bystander-changed'));
    const [cause, follower] = explained as [FindingExplanation, FindingExplanation];
    expect(names(cause)).toEqual(['stale-pte-pointer, correction']);
    expect(follower.reproduction.verdict).toBe('not reproduced');
    expect(follower.known).toEqual([]);
    const { seq } = cause.finding;
    expect(explanationLines(follower)[0]).toBe(
      `not known by itself: it follows shared-pte-page-written at event ${seq}, which is stale-pte-pointer, and may come of it`,
    );
    expect(explanationJson(follower)).toMatchObject({ known: [], follows: { check: 'shared-pte-page-written', seq } });
  });

  it('excuses nothing by what is itself not known', () => {
    const { log, findings } = judged(TOPS);
    const some = only(findings, 'shared-pte-page-written', 'bystander-changed');
    const explained = explainRound(log, some, { scenariosMax: 0 });
    expect(explained.map(({ known, follows }) => [known, follows])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
  });

  it('never takes what casts doubt on the recording for a consequence', () => {
    const { log, findings } = judged(TOPS);
    const doubt: RoundFinding = { check: 'end-differs', says: 'made up', seq: -1, decidedAt: -1, operations: [] };
    const explained = explainRound(log, [...only(findings, 'shared-pte-page-written'), doubt]);
    expect(explained.map(({ finding: { check }, follows }) => [check, follows])).toEqual([
      ['end-differs', undefined],
      ['shared-pte-page-written', undefined],
    ]);
  });

  it('looks again only whether the first is the same, where rounds before have told of it', () => {
    const { log, findings } = judged(TOPS);
    const some = only(findings, 'shared-pte-page-written', 'false-set');
    const told = explainRound(log, some);
    expect(told).toHaveLength(2);
    const heard: string[] = [];
    const again = explainRound(log, some, { told, onFinding: ({ check }) => heard.push(check) });
    expect(heard).toEqual(['shared-pte-page-written']);
    expect(again.map(names)).toEqual([['stale-pte-pointer, correction']]);
    expect(again[0]!.reproduction.tried).toBeLessThan(told[0]!.reproduction.tried);
  });

  it('does not take a new finding for what was told of another that follows a known one', () => {
    const { log, findings } = judged(TOPS);
    const some = only(findings, 'shared-pte-page-written');
    const [one] = explainRound(log, some);
    const [unknown] = explainRound(log, some, { scenariosMax: 0 });
    const follower: FindingExplanation = { ...unknown!, follows: one };
    expect(isSameDefect(follower, unknown!)).toBe(false);
    expect(isSameDefect(follower, follower)).toBe(true);
    const [again] = explainRound(log, some, { scenariosMax: 0, told: [follower] });
    expect([again!.known, again!.follows, isSameDefect(follower, again!)]).toEqual([[], undefined, false]);
  });

  it('looks into the first in full where it is not what was told', () => {
    const { log, findings } = judged(TOPS);
    const some = only(findings, 'shared-pte-page-written');
    const [one] = explainRound(log, some);
    const [again] = explainRound(log, some, { told: [{ ...one!, known: [] }] });
    expect(again!.reproduction).toEqual(one!.reproduction);
  });
});
