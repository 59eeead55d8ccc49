/** What a command says of a moment. */
export type MomentVerdict = 'good' | 'bad' | 'skip';

/**
 * What a bisection comes to: the first bad moment where the one before it is good; all between `good` and `bad` where the
 * moments between them cannot be judged; or that the ends are not a good one and a bad one.
 */
export type Bisected =
  | { readonly verdict: 'found'; readonly good: number; readonly bad: number }
  | { readonly verdict: 'never' }
  | { readonly verdict: 'unknown'; readonly why: string };

/**
 * Finds the first bad moment of [first, last] by halves, as git bisect does: it holds only where what is bad once stays bad.
 * A moment that cannot be judged is passed over for its neighbours.
 */
export async function bisect(
  first: number,
  last: number,
  judge: (moment: number) => Promise<MomentVerdict>,
): Promise<Bisected> {
  const end = await judge(last);
  if (end === 'good') return { verdict: 'never' };
  if (end === 'skip') return { verdict: 'unknown', why: 'the last moment cannot be judged' };
  const start = first === last ? 'bad' : await judge(first);
  if (start !== 'good') {
    const why = start === 'bad' ? 'is bad already' : 'cannot be judged';
    return { verdict: 'unknown', why: `the first moment (${first} events) ${why}` };
  }
  let good = first;
  let bad = last;
  const skipped = new Set<number>();
  while (bad - good > 1) {
    const next = nearest(good, bad, skipped);
    if (next === undefined) break;
    const says = await judge(next);
    if (says === 'skip') skipped.add(next);
    else if (says === 'good') good = next;
    else bad = next;
  }
  return { verdict: 'found', good, bad };
}

/** The moment nearest to the middle that was not passed over; undefined where there is none between the two. */
function nearest(good: number, bad: number, skipped: ReadonlySet<number>): number | undefined {
  const middle = (good + bad) >>> 1;
  for (let away = 0; away <= bad - good; away++) {
    for (const moment of [middle - away, middle + away]) {
      if (moment > good && moment < bad && !skipped.has(moment)) return moment;
    }
  }
  return undefined;
}
