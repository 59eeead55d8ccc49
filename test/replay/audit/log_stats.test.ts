import { describe, expect, it } from 'vitest';
import { Clock } from '../../../events/index.js';
import { EntryStores } from '../../../replay/audit/entry_stores.js';
import { TimeHistogram } from '../../../replay/audit/time_histogram.js';

describe('EntryStores', () => {
  it('lists those with most stores, the lower pfn first where two have as many', () => {
    const stores = new EntryStores(4);
    for (const pfn of [9, 2, 9, 1, 2, 5, 100]) stores.count(pfn);
    expect(stores.hotPfns(3)).toEqual([
      [2, 2],
      [9, 2],
      [1, 1],
    ]);
    expect(stores.hotLeaves(2)).toEqual([
      [0, 3],
      [8, 2],
    ]);
  });
});

describe('TimeHistogram', () => {
  it('keeps every time in at most 16 buckets, whichever way times go', () => {
    const times = [1000, 1001, 1016, 5000, 3, 1_000_000, 999];
    const histogram = new TimeHistogram(Clock.counter, times[0]!);
    for (const time of times) histogram.count(time);
    const { counts, start, width } = histogram;
    const expected = counts.map((_, i) => times.filter((t) => Math.floor((t - start) / width) === i).length);
    expect(counts).toEqual(expected);
    expect(counts.reduce((sum, count) => sum + count)).toBe(times.length);
    expect(counts.length).toBeLessThanOrEqual(16);
  });
});
