import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { stateDigest, Timeline, type LogIndex } from '../../../replay/index.js';
import { Snapshots } from '../../../replay/audit/snapshots/snapshots.js';
import { TouchedGranules } from '../../../replay/audit/snapshots/touched_granules.js';
import { raceLogs, smallIndex, tinyLogs } from './index_logs.js';

afterEach(() => vi.restoreAllMocks());

/** Moments, as shares of the log, between which a timeline goes to and fro. */
const journeys = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 8 });

/** What stepping to the moment leaves, from either side: a page whose fill was taken back keeps its words. */
function steppedTo(log: StoredLog, moment: number): string[] {
  return [0, log.events].map((from) => {
    const timeline = new Timeline(log);
    timeline.goTo(from);
    timeline.goTo(moment);
    return JSON.stringify(stateDigest(timeline.memory));
  });
}

/** A timeline that takes every snapshot it can, and where it is not what playing all events from the beginning gives. */
function faultsOf(log: StoredLog, index: LogIndex, journey: readonly number[]): string[] {
  index.coverTo();
  // To restore costs nothing here: the way by a snapshot is taken wherever there is one.
  vi.spyOn(Snapshots.prototype, 'approach').mockImplementation(function (this: Snapshots, guarded, at, moment) {
    const before = this.moments.filter((each) => each <= moment).length - 1;
    return before >= 0 && at <= this.last && this.restore(guarded, at, before) ? this.moments[before]! : at;
  });
  const travelling = new Timeline(log, 'paged', index);
  const faults: string[] = [];
  for (const share of journey) {
    const moment = Math.floor((share * log.events) / 1000);
    travelling.goTo(moment);
    const got = JSON.stringify(stateDigest(travelling.memory));
    if (!steppedTo(log, moment).includes(got)) faults.push(`at ${moment} by ${journey.join()}`);
  }
  return faults;
}

function isCaught(): boolean {
  return fc.sample(tinyLogs(), { numRuns: 15, seed: 3 }).some((log) => {
    try {
      return faultsOf(log, smallIndex(log), [900, 300, 1000, 500]).length > 0;
    } catch {
      return true;
    }
  });
}

describe('Timeline with snapshots', () => {
  it('stands where playing all events leads, for any form, to and fro', () => {
    fc.assert(
      fc.property(tinyLogs(), journeys, (log, journey) => {
        expect(faultsOf(log, smallIndex(log), journey)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('so too in races', () => {
    for (const log of raceLogs()) expect(faultsOf(log, smallIndex(log), [1000, 400, 990, 0, 700])).toEqual([]);
  });

  it('steps back and forth from where a snapshot has put it', () => {
    for (const log of fc.sample(tinyLogs(), { numRuns: 10, seed: 9 })) {
      const index = smallIndex(log);
      index.coverTo();
      const timeline = new Timeline(log, 'paged', index);
      timeline.goTo(log.events);
      const end = stateDigest(timeline.memory);
      for (const moment of index.snapshots.moments) timeline.goTo(moment);
      for (let at = timeline.at; at >= 0; at--) timeline.goTo(at);
      for (let at = 0; at <= log.events; at++) timeline.goTo(at);
      expect(stateDigest(timeline.memory)).toEqual(end);
    }
  });

  it('is caught where what an event has touched is not saved', () => {
    vi.spyOn(TouchedGranules.prototype, 'note').mockReturnValue(undefined);
    expect(isCaught()).toBe(true);
  });
});
