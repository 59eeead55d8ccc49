import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KINDS, type BatchLog, type EventBatch } from '../../../events/index.js';
import { EntryHistory, LogIndex } from '../../../replay/index.js';
import { PfnPostingLists } from '../../../replay/audit/index/pfn_postings.js';
import { ReachedPfns } from '../../../replay/audit/index/reached_pfns.js';
import { LinkCounts } from '../../../replay/audit/link_counts.js';
import { changesOf, faultsOf, raceLogs, smallIndex, tinyLogs, x86Logs, x86Pfns } from './index_logs.js';

afterEach(() => vi.restoreAllMocks());

let samples: { log: BatchLog; changes: number[][] }[] | undefined;

/** Whether any of some logs shows that the index is wrong. */
function isCaught(): boolean {
  samples ??= [...fc.sample(tinyLogs(), { numRuns: 30, seed: 3 }), ...raceLogs()].map((log) => ({
    log,
    changes: changesOf(log),
  }));
  return samples.some(({ log, changes }) => faultsOf(log, smallIndex(log), changes).length > 0);
}

/** `of` of `ReachedPfns`, but for events of a kind, of which it says that they reach nothing. */
function overlook(kind: number, isOverlooked: (batch: EventBatch, i: number) => boolean = () => true): void {
  const real = Reflect.get<ReachedPfns, 'of'>(ReachedPfns.prototype, 'of');
  vi.spyOn(ReachedPfns.prototype, 'of').mockImplementation(function (this: ReachedPfns, batch, i) {
    return batch.kind[i] === kind && isOverlooked(batch, i) ? [] : real.call(this, batch, i);
  });
}

describe('EntryHistory', () => {
  it('names the events that change what a look-up answers, no others, for any form', () => {
    fc.assert(
      fc.property(tinyLogs(), (log) => {
        expect(faultsOf(log, smallIndex(log), changesOf(log))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('names them in races too, where pages are mapped twice and shared pages are stored into', () => {
    for (const log of raceLogs()) expect(faultsOf(log, smallIndex(log), changesOf(log))).toEqual([]);
  });

  it('names them on x86_64 too, in the race of 3.19-rc1 and behind it', () => {
    const pfns = [...x86Pfns()];
    for (const log of x86Logs()) {
      const changes = changesOf(log, pfns);
      const history = new EntryHistory(log, smallIndex(log));
      expect(pfns.map((pfn) => history.eventsOf(pfn))).toEqual(changes);
      expect(pfns.map((pfn) => history.setBy(pfn))).toEqual(changes.map((seqs) => seqs.at(-1) ?? -1));
      expect(changes.some((seqs) => seqs.length > 1)).toBe(true);
    }
  });

  it('needs no index that somebody else has opened', () => {
    const [log] = fc.sample(tinyLogs(), { numRuns: 1, seed: 5 });
    const changes = changesOf(log!);
    changes.forEach((seqs, pfn) => expect(new EntryHistory(log!).eventsOf(pfn)).toEqual(seqs));
  });

  it('knows no pfn that the list cannot have', () => {
    const [log] = fc.sample(tinyLogs(), { numRuns: 1, seed: 5 });
    expect(new EntryHistory(log!).setBy(2 ** 30)).toBe(-1);
  });
});

describe('a wrong index is caught', () => {
  it('one that leaves out a posting', () => {
    const real = Reflect.get<PfnPostingLists, 'push'>(PfnPostingLists.prototype, 'push');
    let count = 0;
    vi.spyOn(PfnPostingLists.prototype, 'push').mockImplementation(function (this: PfnPostingLists, pfn, seq) {
      if (++count % 40 !== 0) real.call(this, pfn, seq);
    });
    expect(isCaught()).toBe(true);
  });

  it.each([
    ['set_pte', KINDS.set_pte.id],
    ['set_mid', KINDS.set_mid.id],
    ['set_global', KINDS.set_global.id],
    ['identity_range', KINDS.identity_range.id],
    ['set_entry into a page that others see too', KINDS.set_entry.id],
  ])('one that overlooks what %s changes', (_, kind) => {
    overlook(kind);
    expect(isCaught()).toBe(true);
  });

  it('one that takes every leaf for one that is mapped once', () => {
    vi.spyOn(LinkCounts.prototype, 'walksTo').mockReturnValue(1);
    expect(isCaught()).toBe(true);
  });

  it('one that goes on behind what it was asked for', () => {
    const real = Reflect.get<LogIndex, 'stretch'>(LogIndex.prototype, 'stretch');
    vi.spyOn(LogIndex.prototype, 'stretch').mockImplementation(function (this: LogIndex, index) {
      const { seqStart, postings } = real.call(this, index);
      return { seqStart: seqStart + 1, postings };
    });
    expect(isCaught()).toBe(true);
  });
});
