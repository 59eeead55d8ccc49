import { describe, expect, it } from 'vitest';
import {
  explainRoundFinding,
  explanationJson,
  explanationLines,
  judgeRound,
  knownDefects,
  mutantsByName,
  parseToken,
  replayToken,
  scenarioHash,
  ScenarioProgram,
  type FindingExplanation,
  type RoundCheck,
} from '../../../replay/index.js';
import { steppedRound, type SteppedRoundOptions } from './stepped_round.js';

const PMDS = { mix: 'look-up=40,touch-pmd=60', regions: 2, share: true };
const LEAVES = { mix: 'look-up=40,touch=60', regions: 2, share: true };

/** Explains what a round breaks of one check; it must. */
function explained(options: SteppedRoundOptions, check: RoundCheck): FindingExplanation {
  const { log, memory } = steppedRound(options);
  const finding = judgeRound(log, { memory }).findings.find((one) => one.check === check);
  expect(finding, `${check} in a round of ${JSON.stringify(options)}`).toBeDefined();
  return explainRoundFinding(log, finding!, {
    mutant: options.mutant === undefined ? undefined : mutantsByName(options.mutant)[0],
  });
}

/** The scenario's token, run again, breaks a check. */
function expectReplayed({ reproduction }: FindingExplanation): void {
  if (reproduction.verdict !== 'reproduced') throw new Error(reproduction.why);
  const { scenario, token } = reproduction;
  const bits = replayToken(new ScenarioProgram(scenario), parseToken(token), scenarioHash(scenario));
  expect(bits).not.toBe(0);
}

describe('explainRoundFinding', () => {
  it('shows what 3.19-rc1 does to the shared PT page by two sets of one pfn, and knows it as B3', () => {
    const found = explained({ ...PMDS, kernel: '3.19-rc1', seed: 2 }, 'shared-pte-page-written');
    expectReplayed(found);
    expect(found.known.map(({ defect, by }) => [defect, by])).toEqual([['B3', 'correction']]);
    expect(explanationLines(found)).toEqual([
      expect.stringMatching(/^known: stale-pte-pointer \(B3\), with it corrected the scenario passes: /),
      expect.stringMatching(/^reproduced by a scenario, after \d+ tries: shared-pte-page-written$/),
      '  Linux 3.19-rc1, tiny, nr 32; hole 16 32',
      '  A: set 0x11 m:1',
      '  B: set 0x11 m:2',
      expect.stringMatching(/^ {2}in the order A\d+B\d+A\d+$/),
      expect.stringMatching(
        /^p2m explore --kernel 3.19-rc1 --geometry tiny --layout 'nr 32; hole 16 32' --thread 'set 0x11 m:1' --thread 'set 0x11 m:2' --check shared-pte-page-written --replay p1-/,
      ),
    ]);
    expect(explanationJson(found)).toMatchObject({ reproduced: true, breaks: ['shared-pte-page-written'] });
  });

  it('knows the set that 3.19-rc1 fails for no reason as B3 too', () => {
    const found = explained({ ...PMDS, kernel: '3.19-rc1', seed: 2 }, 'false-set');
    expectReplayed(found);
    expect(found.known.map(({ defect }) => defect)).toEqual(['B3']);
  });

  it('shows the BUG_ON of 7.0 by two sets, and knows it as the one that the gallery has of the newest form', () => {
    const found = explained({ ...PMDS, seed: 5, cpus: 4 }, 'BUG_ON');
    expectReplayed(found);
    expect(found.known.map(({ name, by }) => [name, by])).toEqual([['top-mfn-compared-too-early', 'correction']]);
  });

  it.each([
    ['leaf-lock-dropped', 'leak', LEAVES],
    ['leaf-recheck-dropped', 'private-page-changed', LEAVES],
    ['leaf-filled-after-publish', 'bystander-changed', LEAVES],
    ['store-says-true', 'not-linearizable', LEAVES],
    ['leaf-unlock-dropped', 'no-return', LEAVES],
    ['pmd-recheck-dropped', 'private-page-changed', PMDS],
  ] as const)('shows the mutant %s by a scenario that breaks %s only with it', (mutant, check, round) => {
    const found = explained({ ...round, mutant, seed: mutant.startsWith('pmd') ? 2 : 1 }, check);
    expectReplayed(found);
    expect(found.known.map(({ name, defect }) => [name, defect])).toEqual([[mutant, 'mutant']]);
    expect(found.reproduction.command).toContain(` --mutant ${mutant} `);
  });

  it('says which window of the log to explore where the bounds let it find nothing', () => {
    const { log } = steppedRound({ ...PMDS, kernel: '3.19-rc1', seed: 2 });
    const finding = judgeRound(log).findings[0]!;
    const { reproduction } = explainRoundFinding(log, finding, { scenariosMax: 0 });
    expect(reproduction.verdict).toBe('not reproduced');
    expect(reproduction.command).toMatch(/^p2m explore --from round.p2mlog --window \d+\.\.\d+$/);
  });

  it('calls a finding new where nothing that is known of its kernel mends the scenario', () => {
    const { log, memory } = steppedRound({ ...LEAVES, mutant: 'lost-leaf-leaked', seed: 1 });
    const finding = judgeRound(log, { memory }).findings.find(({ check }) => check === 'leak')!;
    const mutant = mutantsByName('lost-leaf-leaked')[0]!;
    const { reproduction } = explainRoundFinding(log, finding, { mutant });
    if (reproduction.verdict !== 'reproduced') throw new Error(reproduction.why);
    expect(knownDefects(finding, '7.0', reproduction.scenario)).toEqual([]);
    expect(explanationLines({ finding, reproduction, known: [] })[0]).toBe('not in the gallery: a new finding');
  });

  it('moves the mid pages of a race on x86_64 to the beginning of a list that can be laid out', () => {
    const round = {
      mix: 'look-up=10,touch-pmd=90',
      pfns: 262_144,
      regions: 6,
      untouched: 'missing',
      share: true,
    } as const;
    const found = explained(
      { ...round, geometry: 'x86_64', kernel: '3.19-rc1', operations: 6, seed: 1 },
      'shared-pte-page-written',
    );
    expectReplayed(found);
    expect(found.known.map(({ defect }) => defect)).toEqual(['B3']);
    expect(found.reproduction.command).toContain("--layout 'nr 524288; hole 262144 524288'");
  });
});
