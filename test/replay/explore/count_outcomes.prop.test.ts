import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countOutcomes } from '../../../replay/index.js';
import { enumerate } from './enumerate.js';
import { TinyProgram, type Instruction } from './tiny_program.js';

const word = fc.nat(2);
const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.tuple(fc.constantFrom('load', 'store', 'lock', 'unlock'), word),
  fc.tuple(fc.constant('put'), word, fc.nat(2)),
  fc.tuple(fc.constant('add'), fc.nat(2)),
  fc.tuple(fc.constant('fail'), fc.nat(3)),
);
const threads = fc.array(fc.array(instruction, { maxLength: 4 }), { minLength: 1, maxLength: 3 });

test('memoised counts and fewest switches are those of naive enumeration', () => {
  fc.assert(
    fc.property(threads, (program) => {
      const counts = countOutcomes(new TinyProgram(3, program));
      if (!counts.complete) throw new Error('the bound was hit');
      const memoised = counts.outcomes.map(({ outcome, deadlock, count, switches }) => [
        `${deadlock} ${outcome}`,
        { count, switches },
      ]);
      const naive = enumerate(new TinyProgram(3, program));
      expect(new Map(memoised as [string, object][])).toEqual(naive);
      expect(counts.interleavings).toBe([...naive.values()].reduce((sum, { count }) => sum + count, 0n));
    }),
    { numRuns: 150 },
  );
});
