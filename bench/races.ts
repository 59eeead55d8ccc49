import type { Claim, Race } from './contest.js';
import { logReplays } from './works/event_log.js';
import { replays } from './works/events.js';
import { countedStates, randomSchedules } from './works/explore.js';
import {
  boundRandomLookUps,
  boundSequentialLookUps,
  OLD_TREE,
  randomLookUps,
  rangeLookUps,
  sequentialLookUps,
} from './works/look_up.js';
import { notation } from './works/notation.js';
import { firstTouches, lookUpsByRows, setsOnPrivateLeaves } from './works/rows.js';

const C_LIST = 'C linear list';
const C_TREE = 'C three-level tree';
const FLAT = 'lookUp, flat';
const BOUND = 'boundLookUp, flat';
const RANGE = 'lookUpRange, flat';
const PAGED = 'lookUp, paged';
const TREE = "lookUp, '3.18' tree";

const RANDOM = 'random schedules, 2 setters, 1 reader';
const STATES = 'states, 2 setters, 1 reader';

/** Passes of a look-up run in order, and at random: long enough that the list is in the caches again after the others' turns. */
const PASSES = 32;
const RANDOM_PASSES = 16;

export const RACES: readonly Race[] = [
  {
    name: 'look-up sequential 1M',
    unit: 'ns',
    sameWork: true,
    contestants: [
      { name: C_LIST, c: ['list', 'seq', '20', String(PASSES)] },
      { name: C_TREE, c: ['tree', 'seq', '20', String(PASSES)] },
      { name: BOUND, node: () => boundSequentialLookUps(20, PASSES, { memory: 'flat' }) },
      { name: FLAT, node: () => sequentialLookUps(20, PASSES, { memory: 'flat' }) },
      { name: PAGED, node: () => sequentialLookUps(20, PASSES, { memory: 'paged' }) },
      { name: TREE, node: () => sequentialLookUps(20, PASSES, OLD_TREE) },
    ],
  },
  {
    name: 'look-up random 1M',
    unit: 'ns',
    sameWork: true,
    contestants: [
      { name: C_LIST, c: ['list', 'random', '20', String(RANDOM_PASSES)] },
      { name: C_TREE, c: ['tree', 'random', '20', String(RANDOM_PASSES)] },
      { name: BOUND, node: () => boundRandomLookUps(20, RANDOM_PASSES, { memory: 'flat' }) },
      { name: FLAT, node: () => randomLookUps(20, RANDOM_PASSES, { memory: 'flat' }) },
      { name: PAGED, node: () => randomLookUps(20, RANDOM_PASSES, { memory: 'paged' }) },
      { name: TREE, node: () => randomLookUps(20, RANDOM_PASSES, OLD_TREE) },
    ],
  },
  {
    name: 'look-up random 64M',
    unit: 'ns',
    sameWork: true,
    contestants: [
      { name: C_LIST, c: ['list', 'random', '26', '2'] },
      { name: C_TREE, c: ['tree', 'random', '26', '2'] },
      { name: BOUND, node: () => boundRandomLookUps(26, 2, { memory: 'flat' }) },
      { name: FLAT, node: () => randomLookUps(26, 2, { memory: 'flat' }) },
      { name: PAGED, node: () => randomLookUps(26, 2, { memory: 'paged' }) },
      { name: TREE, node: () => randomLookUps(26, 2, OLD_TREE) },
    ],
  },
  {
    name: 'look-up sequential 1M, buffered',
    unit: 'ns',
    sameWork: false,
    contestants: [
      { name: C_LIST, c: ['list', 'range', '20', String(PASSES)] },
      { name: RANGE, node: () => rangeLookUps(20, PASSES, { memory: 'flat' }) },
    ],
  },
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

/** What issues 2 and 4 and the notation decision promise, and nothing that was not promised. */
export const CLAIMS: readonly Claim[] = [
  {
    text: 'a look-up in order takes at most 1.5 times that of C',
    race: 'look-up sequential 1M',
    contestant: BOUND,
    ratioTo: C_LIST,
    atMost: 1.5,
  },
  {
    text: 'a random look-up in 1 M entries takes at most 0.8 times that of C',
    race: 'look-up random 1M',
    contestant: BOUND,
    ratioTo: C_LIST,
    atMost: 0.8,
  },
  {
    text: 'look-ups in order, into a buffer (lookUpRange), take at most 1.5 times those of C',
    race: 'look-up sequential 1M, buffered',
    contestant: RANGE,
    ratioTo: C_LIST,
    atMost: 1.5,
  },
  {
    text: 'a look-up in order is at least twice as fast as the tree of 3.18',
    race: 'look-up sequential 1M',
    contestant: FLAT,
    ratioTo: TREE,
    atMost: 0.5,
  },
  {
    text: 'a random look-up is at least twice as fast as the tree of 3.18',
    race: 'look-up random 1M',
    contestant: FLAT,
    ratioTo: TREE,
    atMost: 0.5,
  },
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
