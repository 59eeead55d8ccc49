import { describe, expect, it } from 'vitest';
import type { Claim, Race } from '../../bench/contest.js';
import type { Lane } from '../../bench/race.js';
import { verdictOf } from '../../bench/report.js';

const race: Race = { name: 'r', unit: 'ns', sameWork: false, contestants: [] };
const lane = (name: string, ...ns: number[]): Lane => ({
  name,
  runs: ns.map((each) => ({
    processorNs: each * 1000,
    clockNs: each * 2000,
    count: 1000,
    residentBytes: each * 2 ** 20,
  })),
});
const judged = (bound: object, lanes: readonly Lane[], by: Partial<Race> = {}) =>
  verdictOf({ text: 't', race: 'r', contestant: 'a', ...bound } as Claim, [{ race: { ...race, ...by }, lanes }]);

describe('verdictOf', () => {
  it('judges a ratio by the median of the rounds, round by round', () => {
    const lanes = [lane('a', 10, 30, 20), lane('c', 10, 10, 10)];
    const { verdict, measured, score } = judged({ ratioTo: 'c', atMost: 2 }, lanes);
    expect(verdict).toBe('met');
    expect(measured).toEqual({ median: 2, min: 1, max: 3 });
    expect(score).toEqual({ median: 1, min: 2 / 3, max: 2 });
    expect(judged({ ratioTo: 'c', atMost: 1.9 }, lanes).verdict).toBe('falls short');
  });

  it('turns the ratio round for a claim of being faster', () => {
    const lanes = [lane('a', 10, 10, 10), lane('c', 15, 30, 25)];
    expect(judged({ ratioTo: 'c', timesAsFast: 2.5 }, lanes)).toMatchObject({ verdict: 'met', unit: 'x' });
    expect(judged({ ratioTo: 'c', timesAsFast: 2.6 }, lanes).verdict).toBe('falls short');
  });

  it('judges a rate by processor time, or by the clock where the race says so', () => {
    expect(judged({ atLeast: 100 }, [lane('a', 10)]).verdict).toBe('met');
    const byClock = judged({ atLeast: 100 }, [lane('a', 10)], { by: 'clock' });
    expect(byClock).toMatchObject({ verdict: 'falls short', measured: { median: 50 }, score: { median: 0.5 } });
  });

  it('judges memory by what one has more than the other, and never by dividing by nothing', () => {
    const bound = { residentOver: 'c', megabytesMax: 64 };
    expect(judged(bound, [lane('a', 90), lane('c', 20)]).verdict).toBe('falls short');
    const less = judged(bound, [lane('a', 10), lane('c', 20)]);
    expect(less).toMatchObject({ verdict: 'met', measured: { median: -10 } });
    expect(Number.isFinite(less.score!.median)).toBe(true);
  });

  it('says why a claim was not measured', () => {
    const skipped: Lane = { name: 'c', runs: [], skipped: 'no gcc, no cc' };
    const bound = { ratioTo: 'c', atMost: 2 };
    expect(judged(bound, [lane('a', 1), skipped])).toMatchObject({ verdict: 'not run', why: 'no gcc, no cc' });
    expect(verdictOf({ text: 't', race: 'other', contestant: 'a', atLeast: 1 }, [])).toMatchObject({
      verdict: 'not run',
      why: 'its race was not run',
    });
  });
});
