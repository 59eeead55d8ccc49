import { describe, expect, it } from 'vitest';
import { firstDifference, listDifferences, Random, randomRun, Timeline } from '../../../replay/index.js';
import { scenarioOf } from '../../../replay/scenario/read_scenario.js';
import { ScenarioProgram } from '../../../replay/scenario/scenario_program.js';
import { scheduleLog } from './race_logs.js';

const scenario = scenarioOf({
  kernel: '7.0',
  geometry: 'tiny',
  layout: [['nr', '16']],
  threads: [[['set', 2, 'm:77']], [['set', 5, 'm:78']]],
});
const runs = [1, 2, 3, 4].map((seed) => randomRun(new ScenarioProgram(scenario), new Random(seed)).schedule);

function memoryAt(log: ReturnType<typeof scheduleLog>, moment: number) {
  const timeline = new Timeline(log);
  timeline.goTo(moment);
  return timeline.memory;
}

describe('listDifferences', () => {
  it('tells the entries that were set between two moments, and nothing else', () => {
    const log = scheduleLog(scenario, runs[0]!);
    const boot = scheduleLog(scenario, []);
    expect(listDifferences(memoryAt(log, boot.events), memoryAt(log, log.events))).toEqual([
      { what: 'entries', pfnStart: 2, pfnEnd: 3, before: '0x3ea', after: '0x4d' },
      { what: 'entries', pfnStart: 5, pfnEnd: 6, before: '0x3ed', after: '0x4e' },
    ]);
  });
});

describe('firstDifference', () => {
  it('finds none in a log and itself, and the end of one that is cut', () => {
    const log = scheduleLog(scenario, runs[0]!);
    expect(firstDifference(log, scheduleLog(scenario, runs[0]!))).toBeUndefined();
    const cut = scheduleLog(scenario, runs[0]!.slice(0, -1));
    expect(firstDifference(log, cut)).toMatchObject({ seq: cut.events, b: undefined });
  });
});
