import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../replay/index.js';
import { Zipf } from '../../../replay/stress/zipf.js';

const DRAWS = 100_000;

/** Chi square of `DRAWS` ranks against 1 / (k + 1)^theta, in classes of at least 20 expected; and how many classes. */
function chiSquare(n: number, theta: number, drawn: number, seed: number): { chi: number; classes: number } {
  const zipf = new Zipf(new Random(seed), n, drawn);
  const counts = new Float64Array(n);
  for (let i = 0; i < DRAWS; i++) counts[zipf.next()]!++;
  const weights = Array.from({ length: n }, (_, k) => (k + 1) ** -theta);
  const sum = weights.reduce((a, b) => a + b, 0);
  let [chi, classes, seen, expected] = [0, 0, 0, 0];
  for (let k = 0; k < n; k++) {
    seen += counts[k]!;
    expected += (weights[k]! / sum) * DRAWS;
    if (expected < 20 && k < n - 1) continue;
    chi += (seen - expected) ** 2 / expected;
    classes++;
    [seen, expected] = [0, 0];
  }
  return { chi, classes };
}

/** Chi square has mean f and variance 2 f: six deviations are never seen. */
function limit(classes: number): number {
  return classes + 6 * Math.sqrt(2 * classes) + 6;
}

describe('Zipf', () => {
  it.each([
    [1, 0.99],
    [2, 0.99],
    [10, 0.5],
    [1000, 0.99],
    [1000, 1],
    [1000, 1.0000001],
    [1000, 1.00001],
    [5000, 1.5],
    [262_144, 0.99],
    [262_144, 3],
    [20_000, 0.001],
  ])('draws rank k of %i as often as 1 / (k + 1)^%d', (n, theta) => {
    const { chi, classes } = chiSquare(n, theta, theta, 7);
    expect(chi).toBeLessThan(limit(classes));
  });

  it('is told from a theta that is a little off', () => {
    const { chi, classes } = chiSquare(1000, 0.99, 0.95, 7);
    expect(chi).toBeGreaterThan(limit(classes));
  });

  it('stays below n', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.double({ min: 0.001, max: 8, noNaN: true }),
        fc.integer(),
        (n, theta, seed) => {
          const zipf = new Zipf(new Random(seed), n, theta);
          for (let i = 0; i < 100; i++) {
            const rank = zipf.next();
            expect(Number.isInteger(rank) && rank >= 0 && rank < n).toBe(true);
          }
        },
      ),
    );
  });
});
