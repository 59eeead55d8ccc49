import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { Journey } from '../../../replay/travel/journey.js';
import { allPieces } from '../../../replay/travel/pieces.js';
import { Stops } from '../../../replay/travel/stops.js';
import {
  watchedGlobal,
  watchedPfn,
  watchedPmd,
  watchedPte,
  type WatchedValue,
} from '../../../replay/travel/watched_value.js';
import { Timeline } from '../../../replay/audit/timeline.js';
import type { Memory } from '../../../src/index.js';
import { GALLERY } from '../../../replay/index.js';
import { scenarioOf } from '../../../replay/scenario/read_scenario.js';
import { ScenarioProgram } from '../../../replay/scenario/scenario_program.js';
import { Random, randomRun } from '../../../replay/index.js';
import { scheduleLog } from '../audit/race_logs.js';
import { raceLog } from './travelled_logs.js';

type Watching = (memory: Memory) => WatchedValue;

/** Events after which the value is another one, by reading it after every single one. */
function changes(log: StoredLog, watching: Watching): number[] {
  const timeline = new Timeline(log);
  const value = watching(timeline.memory);
  const found: number[] = [];
  let before = value.read();
  for (let seq = 0; seq < log.events; seq++) {
    timeline.goTo(seq + 1);
    const after = value.read();
    if (after !== before) found.push(seq);
    before = after;
  }
  return found;
}

/** Events that a watch stops at, all the way forwards, or backwards. */
function stopsAt(log: StoredLog, watching: Watching, forward: boolean): number[] {
  const timeline = new Timeline(log);
  if (!forward) timeline.goTo(log.events);
  const stops = new Stops();
  stops.addWatch(watching(timeline.memory));
  const journey = new Journey(timeline, stops);
  const found: number[] = [];
  for (;;) {
    const arrival = allPieces(journey.to(forward ? log.events : 0));
    if (arrival.kind !== 'hit') return found;
    expect(arrival.hits).toHaveLength(1);
    expect(timeline.at).toBe(forward ? arrival.hits[0]!.seq + 1 : arrival.hits[0]!.seq);
    found.push(arrival.hits[0]!.seq);
  }
}

/** A random run of each sort of gallery entry: both structures, shared pages written, leaves mapped twice. */
const LOGS = [
  ['stale-pte-pointer', '3.19-rc1'],
  ['identity-leaf-written', '3.18'],
  ['freed-mid-used', '3.18'],
  ['identity-leaf-split-to-missing', '7.0'],
].map(([name, kernel]) => {
  const scenario = scenarioOf({ ...GALLERY.find((entry) => entry.name === name)!.scenario!, kernel: kernel! });
  return scheduleLog(scenario, randomRun(new ScenarioProgram(scenario), new Random(1)).schedule);
});
LOGS.push(raceLog());

const watchingArb = fc.oneof(
  fc.nat({ max: 0xc_0000 }).map(
    (pfn): Watching =>
      (memory) =>
        watchedPfn(memory, pfn),
  ),
  fc.constantFrom(0x40002, 0x40003, 0x80002, 0x402, 0x602).map(
    (pfn): Watching =>
      (memory) =>
        watchedPfn(memory, pfn),
  ),
  fc.constantFrom(0x40002, 0x80002, 0x402).map(
    (pfn): Watching =>
      (memory) =>
        watchedPte(memory, pfn),
  ),
  fc.constantFrom(0x40002, 0x80002, 0).map(
    (pfn): Watching =>
      (memory) =>
        watchedPmd(memory, Math.min(pfn, memory.layout.areaPfns - 1)),
  ),
  fc.constantFrom('p2m_update_lock', 'xen_p2m_size', 'shared_info.p2m_generation', 'shared_info.max_pfn').map(
    (name): Watching =>
      (memory) =>
        watchedGlobal(memory, name),
  ),
);

describe('Journey', () => {
  it('stops forwards and backwards at the events that reading after every event finds, and at no other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LOGS), watchingArb, (log, watching) => {
        const wanted = changes(log, watching);
        expect(stopsAt(log, watching, true)).toEqual(wanted);
        expect(stopsAt(log, watching, false)).toEqual(wanted.reverse());
      }),
      { numRuns: 40 },
    );
  });

  it('sees a PTE change through a shared PT page, where the event names another pfn', () => {
    const pte: Watching = (memory) => watchedPte(memory, 0x80002);
    const log = LOGS.at(-1)!;
    expect(stopsAt(log, pte, true).at(-1)).toBe(log.events - 1);
    // Whoever compares pfns misses it: this is what the index within the page is compared for.
    const naive: Watching = (memory) => ({ ...pte(memory), mayChange: (batch, i) => batch.a[i] === 0x80002 });
    expect(stopsAt(log, naive, true)).not.toContain(log.events - 1);
  });

  it('leaves the timeline where a stop came, and goes on from there', () => {
    const timeline = new Timeline(LOGS[0]!);
    const journey = new Journey(timeline, new Stops());
    const work = journey.to(LOGS[0]!.events);
    expect(work.next(false).done).toBe(false);
    const stopped = work.next(true);
    expect(stopped).toEqual({ done: true, value: { kind: 'interrupted' } });
    expect(timeline.at).toBe(LOGS[0]!.seqOf(1));
    expect(allPieces(journey.to(LOGS[0]!.events))).toEqual({ kind: 'there' });
  });
});
