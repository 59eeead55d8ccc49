import { usageError } from '../../events/index.js';

/**
 * Which pfns are wanted more than others: none; the k-th most wanted as often as 1 / k^theta; or those of one leaf, 15 times out
 * of 16.
 */
export type Skew =
  { readonly kind: 'uniform' } | { readonly kind: 'zipf'; readonly theta: number } | { readonly kind: 'hot-leaf' };

/** Of the YCSB benchmark (Cooper et al. 2010). */
const THETA = 0.99;
/** Below it is uniform; its text has no exponent. */
const THETA_MIN = 0.001;
/** Above it nearly all fall on the first pfn. */
const THETA_MAX = 8;

/** A skew as a command line has it: `uniform`, `zipf`, `zipf:1.2`, `hot-leaf`. @throws P2mError (usage) */
export function parseSkew(text: string): Skew {
  if (text === 'uniform' || text === 'hot-leaf') return { kind: text };
  const match = /^zipf(?::(\d{1,2}(?:\.\d{1,20})?))?$/.exec(text);
  if (match === null) {
    throw usageError('unknown skew', {
      got: JSON.stringify(text),
      expected: 'uniform, zipf, zipf:THETA or hot-leaf',
    });
  }
  const theta = match[1] === undefined ? THETA : Number(match[1]);
  if (theta < THETA_MIN || theta > THETA_MAX) {
    throw usageError('theta of zipf out of range', {
      got: match[1]!,
      expected: `${THETA_MIN} to ${THETA_MAX}`,
    });
  }
  return { kind: 'zipf', theta };
}

/** The text of a skew, which `parseSkew` reads back. */
export function skewText(skew: Skew): string {
  if (skew.kind !== 'zipf') return skew.kind;
  return skew.theta === THETA ? 'zipf' : `zipf:${skew.theta}`;
}
