import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { stateDigest, Timeline, type LogIndex } from '../../../replay/index.js';
import { Snapshots } from '../../../replay/audit/snapshots/snapshots.js';
import { TouchedGranules } from '../../../replay/audit/snapshots/touched_granules.js';
import { ChangeTaker } from '../../../replay/audit/snapshots/word_changes.js';
import { Ways } from '../../../replay/audit/snapshots/ways.js';
import { raceLogs, smallIndex, tinyLogs, x86Logs } from './index_logs.js';

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

/** From now on a timeline takes one way after the other, whatever it costs, wherever there is any. */
function takeAllWays(): void {
  let turn = 0;
  vi.spyOn(Snapshots.prototype, 'approach').mockImplementation(function (this: Snapshots, guarded, place, moment) {
    const ways = this.ways(place, moment);
    const way = ways[turn++ % Math.max(1, ways.length)];
    if (way === undefined || !this.take(guarded, place, way)) return place;
    taken.add(way.snapshot === undefined ? 'steps alone' : way.stepEnd === 0 ? 'snapshot' : 'snapshot and steps');
    return { at: way.moment, reached: way.moment };
  });
}

/** The ways that were taken. */
const taken = new Set<string>();

/** Where a timeline that takes all ways is not what playing all events from the beginning gives. */
function faultsOf(log: StoredLog, index: LogIndex, journey: readonly number[]): string[] {
  index.coverTo();
  takeAllWays();
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
      return faultsOf(log, smallIndex(log), [900, 300, 340, 1000, 950, 500, 540, 560]).length > 0;
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

  it('so too on x86_64, in the race of 3.19-rc1 and behind it', () => {
    for (const log of x86Logs()) expect(faultsOf(log, smallIndex(log), [1000, 900, 930, 0, 960])).toEqual([]);
  });

  it('has gone by snapshots, by steps, and by both', () => {
    for (const log of fc.sample(tinyLogs(), { numRuns: 40, seed: 3 })) {
      expect(faultsOf(log, smallIndex(log), [900, 300, 340, 1000, 950, 500, 540, 560])).toEqual([]);
    }
    expect([...taken].sort()).toEqual(['snapshot', 'snapshot and steps', 'steps alone']);
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

  it.each(['word', 'granule'] as const)('is caught where a step leaves a %s out', (what) => {
    vi.spyOn(ChangeTaker.prototype, what).mockReturnValue(undefined);
    expect(isCaught()).toBe(true);
  });

  it('is caught where pages whose fill was taken back are not put back', () => {
    const real = Reflect.get<Ways, 'between'>(Ways.prototype, 'between');
    vi.spyOn(Ways.prototype, 'between').mockImplementation(function (this: Ways, { at }, index) {
      return real.call(this, { at, reached: at }, Math.min(index, 1));
    });
    expect(isCaught()).toBe(true);
  });
});
