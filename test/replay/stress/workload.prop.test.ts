import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { MIXES, parseSkew, skewText, workloadOf, workloadText, type Skew } from '../../../replay/index.js';

const anySkew: fc.Arbitrary<Skew> = fc.oneof(
  fc.constantFrom<Skew>({ kind: 'uniform' }, { kind: 'hot-leaf' }),
  fc.double({ min: 0.001, max: 8, noNaN: true }).map((theta): Skew => ({ kind: 'zipf', theta })),
);

test('a skew that is printed is read back', () => {
  fc.assert(
    fc.property(anySkew, (skew) => {
      expect(parseSkew(skewText(skew))).toEqual(skew);
    }),
  );
});

test('a workload that is printed is read back', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(MIXES)), anySkew, fc.boolean(), (mix, skew, share) => {
      const workload = workloadOf({ mix, skew: skewText(skew), share });
      expect(workloadOf(workloadText(workload))).toEqual(workload);
    }),
  );
});

describe('parseSkew', () => {
  it.each(['', 'zipf:', 'zipf:0', 'zipf:-1', 'zipf:8.5', 'zipf:1e1', 'zipf:NaN', 'hotleaf', 'Zipf', 'uniform '])(
    'refuses %j',
    (text) => {
      expect(() => parseSkew(text)).toThrow(/unknown skew: got|theta of zipf out of range: got/);
    },
  );
});

describe('workloadOf', () => {
  it('is legal by itself, but for the mixes that are about conflicts', () => {
    const shares = (mix: string, skew?: string): boolean => workloadOf({ mix, skew }).share;
    expect(Object.keys(MIXES).filter((mix) => shares(mix))).toEqual(['sets']);
    expect(shares('default', 'zipf')).toBe(false);
    expect(shares('default', 'hot-leaf')).toBe(true);
    expect(workloadOf({ mix: 'sets', share: false }).share).toBe(false);
  });
});
