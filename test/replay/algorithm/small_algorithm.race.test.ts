import { describe, expect, it } from 'vitest';
import { countOutcomes, smallAlgorithm, type SmallAgent, type SmallForm } from '../../../replay/index.js';

/** What is broken, over all interleavings, and how many there are. */
function explored(form: SmallForm, agents: readonly SmallAgent[]): { all: bigint; violating: bigint; names: string[] } {
  const program = smallAlgorithm(form, agents);
  const counts = countOutcomes(program);
  if (!counts.complete) throw new Error('a bound was hit');
  const broken = counts.outcomes.filter((outcome) => outcome.broken !== 0);
  const bits = broken.reduce((sum, outcome) => sum | outcome.broken, 0);
  return {
    all: counts.interleavings,
    violating: broken.reduce((sum, { count }) => sum + count, 0n),
    names: program.checks.filter((_, check) => (bits & (1 << check)) !== 0),
  };
}

describe('the small algorithm', () => {
  it('has as many interleavings as design 7 says, and keeps all promises in each', () => {
    const { all, violating } = explored('fixed', ['S1', 'S2', 'R']);
    expect(Number(all).toPrecision(2)).toBe('2.5e+13');
    expect(violating).toBe(0n);
  });

  it.each<{ agents: SmallAgent[] }>([
    { agents: ['S1'] },
    { agents: ['S1', 'S3'] },
    { agents: ['S2', 'S3', 'R'] },
    { agents: ['S1', 'S2', 'R', 'R'] },
  ])('keeps them in its fixed form whoever runs: $agents', ({ agents }) => {
    expect(explored('fixed', agents).violating).toBe(0n);
  });

  it('keeps them for three setters and a reader', () => {
    expect(explored('fixed', ['S1', 'S2', 'S3', 'R']).violating).toBe(0n);
  });

  it('writes the shared pages in its broken form, in more than nine of ten interleavings', () => {
    const { all, violating, names } = explored('broken', ['S1', 'S2', 'R']);
    expect(names).toEqual(['shared-page-written', 'shared-leaf-written']);
    expect(10n * violating).toBeGreaterThan(9n * all);
  });

  it('breaks only where two setters share a PMD', () => {
    expect(explored('broken', ['S1', 'S3', 'R']).violating).toBe(0n);
    expect(explored('broken', ['S3', 'S4']).violating).toBeGreaterThan(0n);
  });
});
