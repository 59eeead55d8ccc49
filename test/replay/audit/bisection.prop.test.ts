import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bisect, type MomentVerdict } from '../../../replay/index.js';

/** Judges as if everything from `bad` on were bad, but cannot tell of the moments skipped. */
function judgeOf(bad: number, skipped: ReadonlySet<number> = new Set()) {
  return (moment: number): Promise<MomentVerdict> =>
    Promise.resolve(skipped.has(moment) ? 'skip' : moment >= bad ? 'bad' : 'good');
}

describe('bisect', () => {
  it('finds the first bad moment, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 0, max: 2000 }), async (bad, more) => {
        expect(await bisect(0, bad + more, judgeOf(bad))).toEqual({ verdict: 'found', good: bad - 1, bad });
      }),
    );
  });

  it('leaves all between a good and a bad moment that cannot be judged', async () => {
    expect(await bisect(0, 10, judgeOf(5, new Set([4, 5, 6])))).toEqual({ verdict: 'found', good: 3, bad: 7 });
  });

  it('says that nothing is bad where the end is good, and nothing at all where an end cannot be judged', async () => {
    expect(await bisect(0, 10, judgeOf(11))).toEqual({ verdict: 'never' });
    expect(await bisect(0, 10, judgeOf(5, new Set([10])))).toMatchObject({ verdict: 'unknown' });
    expect(await bisect(0, 10, judgeOf(0))).toMatchObject({ verdict: 'unknown' });
  });
});
