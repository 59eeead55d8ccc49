import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scatter } from '../../../replay/stress/scatter.js';

test('is a permutation, of any size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (n, seed) => {
      const scatter = new Scatter(n, seed);
      const places = new Set(Array.from({ length: n }, (_, index) => scatter.at(index)));
      expect(places.size).toBe(n);
      expect([...places].every((place) => place >= 0 && place < n)).toBe(true);
    }),
  );
});

test('stays below the largest size', () => {
  const scatter = new Scatter(2 ** 30 - 1, 3);
  for (let index = 0; index < 1000; index++) {
    expect(scatter.at(index)).toBeGreaterThanOrEqual(0);
    expect(scatter.at(index)).toBeLessThan(2 ** 30 - 1);
  }
});

test('puts the first 64 of 2^18 into 50 leaves or more', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const scatter = new Scatter(2 ** 18, seed);
    expect(new Set(Array.from({ length: 64 }, (_, index) => scatter.at(index) >>> 9)).size).toBeGreaterThanOrEqual(50);
  }
});

test('another seed scatters another way', () => {
  const places = (seed: number): number[] =>
    Array.from({ length: 16 }, (_, index) => new Scatter(1000, seed).at(index));
  expect(places(1)).toEqual(places(1));
  expect(places(1)).not.toEqual(places(2));
});
