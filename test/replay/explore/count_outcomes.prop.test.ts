import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countOutcomes, isStuck } from '../../../replay/index.js';
import { enumerate } from './enumerate.js';
import { TinyProgram } from './tiny_program.js';
import { tinyThreads } from './tiny_arbitraries.js';

test.each([
  ['hashed', false],
  ['exact', true],
])('counts, broken checks and fewest switches are those of naive enumeration: %s', (_, exact) => {
  fc.assert(
    fc.property(tinyThreads(3, 4), (threads) => {
      const counts = countOutcomes(new TinyProgram(3, threads), { exact });
      if (!counts.complete) throw new Error('the bound was hit');
      const memoised = counts.outcomes.map(({ outcome, deadlock, broken, count, switches }) => [
        `${deadlock} ${broken} ${outcome}`,
        { count, switches },
      ]);
      const naive = enumerate(
        new TinyProgram(3, threads),
        (program) => `${isStuck(program)} ${program.broken()} ${program.outcome()}`,
      );
      expect(new Map(memoised as [string, object][])).toEqual(naive);
      expect(counts.outcomes.length).toBe(naive.size);
      expect(counts.interleavings).toBe([...naive.values()].reduce((sum, { count }) => sum + count, 0n));
    }),
    { numRuns: 150 },
  );
});
