import type { Claim, Race } from './contest.js';
import { tableRaces } from './table.js';
import { logReplays } from './works/event_log.js';
import { replays } from './works/events.js';
import { countedStates, randomSchedules } from './works/explore.js';
import { notation } from './works/notation.js';
import { firstTouches, lookUpsByRows, setsOnPrivateLeaves } from './works/rows.js';

const RANDOM = 'random schedules, 2 setters, 1 reader';
const STATES = 'states, 2 setters, 1 reader';

/** All races: those of the table, and those that only this file has. */
export const RACES: readonly Race[] = [
  ...tableRaces(),
  {
    name: 'rows',
    unit: 'M/s',
    sameWork: false,
    contestants: [
      { name: 'set, private leaf, paged', node: () => setsOnPrivateLeaves({ memory: 'paged' }) },
      { name: 'set, private leaf, flat', node: () => setsOnPrivateLeaves({ memory: 'flat' }) },
      { name: '__pfn_to_mfn, paged', node: () => lookUpsByRows({ memory: 'paged' }) },
      { name: '__pfn_to_mfn, flat', node: () => lookUpsByRows({ memory: 'flat' }) },
      { name: 'set, first touch, paged', node: () => firstTouches({ memory: 'paged' }) },
      { name: 'set, first touch, flat', node: () => firstTouches({ memory: 'flat' }) },
    ],
  },
  {
    name: 'apply',
    unit: 'M/s',
    sameWork: false,
    contestants: [
      { name: 'ballooning, paged', node: () => replays('paged', 'ballooning', false) },
      { name: 'ballooning, flat', node: () => replays('flat', 'ballooning', false) },
      { name: 'ballooning, paged, undo', node: () => replays('paged', 'ballooning', true) },
      { name: 'ballooning, flat, undo', node: () => replays('flat', 'ballooning', true) },
      { name: 'first touches, paged', node: () => replays('paged', 'first touches', false) },
      { name: 'first touches, flat', node: () => replays('flat', 'first touches', false) },
      { name: 'first touches, paged, undo', node: () => replays('paged', 'first touches', true) },
      { name: 'first touches, flat, undo', node: () => replays('flat', 'first touches', true) },
      { name: 'scattered stores, paged', node: () => replays('paged', 'scattered stores', false) },
      { name: 'scattered stores, flat', node: () => replays('flat', 'scattered stores', false) },
    ],
  },
  {
    name: 'binary log',
    unit: 'M/s',
    sameWork: true,
    contestants: [
      { name: 'replay, paged', node: () => logReplays('paged') },
      { name: 'replay, flat', node: () => logReplays('flat') },
    ],
  },
  {
    name: 'explore',
    unit: 'M/s',
    sameWork: false,
    contestants: [
      { name: RANDOM, node: () => randomSchedules(['S1', 'S2', 'R']) },
      { name: STATES, node: () => countedStates(['S1', 'S2', 'R']) },
      { name: 'states, 3 setters, 1 reader', node: () => countedStates(['S1', 'S2', 'S3', 'R']) },
    ],
  },
  {
    name: 'notation',
    unit: 'ns',
    sameWork: true,
    contestants: [
      { name: '(a) switch, named locals', node: () => notation('a') },
      { name: '(b) table of functions', node: () => notation('b') },
      { name: '(c) switch, Int32Array', node: () => notation('c') },
      { name: '(d) generators', node: () => notation('d') },
    ],
  },
];

/** What is promised of the races that only this file has. */
export const CLAIMS: readonly Claim[] = [
  ...['set, private leaf', '__pfn_to_mfn', 'set, first touch']
    .flatMap((what) => [`${what}, paged`, `${what}, flat`])
    .map((contestant) => ({
      text: `step machines run 5 M rows/s (${contestant})`,
      race: 'rows',
      contestant,
      atLeast: 5,
    })),
  ...[
    'ballooning, paged',
    'ballooning, flat',
    'first touches, paged',
    'first touches, flat',
    'scattered stores, paged',
    'scattered stores, flat',
  ].map((contestant) => ({
    text: `apply runs 30 M events/s (${contestant})`,
    race: 'apply',
    contestant,
    atLeast: 30,
  })),
  {
    text: 'a binary log is replayed at 10 M events/s (flat)',
    race: 'binary log',
    contestant: 'replay, flat',
    atLeast: 10,
  },
  { text: '0.3 M random schedules/s of the small algorithm', race: 'explore', contestant: RANDOM, atLeast: 0.3 },
  { text: '0.5 M states/s of the small algorithm', race: 'explore', contestant: STATES, atLeast: 0.5 },
];
