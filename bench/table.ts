import type { Claim, Contestant, Race, Setting, Work } from './contest.js';

/** A row of the table that `p2m bench` prints. */
export interface TableRow {
  /** What `--only` is compared with. */
  readonly name: string;
  readonly claim: Claim;
  /** Takes minutes: for who asks for it. */
  readonly isLong?: boolean;
}

/** Names of contestants that claims are about. */
export const LookUp = {
  cList: 'C linear list',
  cTree: 'C three-level tree',
  bound: 'boundLookUp, flat',
  range: 'lookUpRange, flat',
  flat: 'lookUp, flat',
  paged: 'lookUp, paged',
  tree: "lookUp, '3.18' tree",
} as const;

const QUIET = 'while nobody sets';
const BESIDE = 'while another thread sets';
const HANDED_ON = 'handed on';
const IN_A_LOG = 'in a log';
const BLOCKS = 'block checksums';
const CHAIN = 'chain too';

const RANDOM_64M = 'look-up random 64M';
const LONG_REPLAY = 'replay of 100 M events';
const LINEARIZABILITY = 'linearizability';
const LINEARIZABILITY_MIX = 'a million pfns alike';
const LINEARIZABILITY_OPERATIONS = 1e7;
const MB = 2 ** 20;
const SHORT_LOG_EVENTS = 3e6;
const EVENT_BYTES = 33;

/** Passes of a look-up run in order, and at random: long enough that the list is in the caches again after the others' turns. */
const PASSES = 32;
const RANDOM_PASSES = 16;

/** What is promised of threads and speed, in the order of the promises. */
export const TABLE: readonly TableRow[] = [
  lookUpRow('look-up sequential', 'a look-up in order', 'look-up sequential 1M', LookUp.bound, 1.5),
  lookUpRow('look-up sequential, buffered', 'look-ups in order, into a buffer', 'look-up buffered', LookUp.range, 1.5),
  lookUpRow('look-up random 1M', 'a random look-up in 1 M entries', 'look-up random 1M', LookUp.bound, 0.8),
  lookUpRow('look-up random 64M', 'a random look-up in 64 M entries', RANDOM_64M, LookUp.bound, 1.35),
  treeRow('look-up sequential, tree', 'a look-up in order, to the 3.18 tree', 'look-up sequential 1M'),
  treeRow('look-up random, tree', 'a random look-up, to the 3.18 tree', 'look-up random 1M'),
  {
    name: 'look-up beside sets',
    claim: {
      text: 'a random look-up while another thread makes 1 M sets/s, to its quiet time',
      race: 'look-up beside sets',
      contestant: BESIDE,
      ratioTo: QUIET,
      atMost: 2.5,
    },
  },
  rateRow('sets batched', 'sets of populated leaves, batched, applied and recorded', 'sets batched', HANDED_ON, 10),
  rateRow('sets batched, log', 'the same, in a log with checksums and chain', 'sets batched', IN_A_LOG, 10),
  rateRow('sets by machines', 'sets through the step machines, recorded', 'sets by machines', HANDED_ON, 2),
  rateRow('sets by machines, log', 'the same, in a log with checksums and chain', 'sets by machines', IN_A_LOG, 2),
  rateRow('lock pairs', 'lock pairs, 2 threads contended (clock)', 'lock pairs', 'Spinlock', 8),
  rateRow('replay checksums', 'binary replay from disk, block checksums', 'binary replay', BLOCKS, 30),
  rateRow('replay chain', 'binary replay from disk, chain too', 'binary replay', CHAIN, 12),
  {
    name: 'replay 100M',
    isLong: true,
    claim: {
      text: 'replay of 100 M events, verified, in bounded memory',
      race: LONG_REPLAY,
      contestant: '100 M events',
      residentOver: '10 M events',
      megabytesMax: 64,
    },
  },
  {
    name: 'linearizability',
    claim: {
      text: 'linearizability of 10 M operations',
      race: LINEARIZABILITY,
      contestant: LINEARIZABILITY_MIX,
      secondsMax: 20,
    },
  },
];

/** The races behind it. Contestants of a look-up that no claim is about are for docs/benchmarks.md. */
export function tableRaces(): readonly Race[] {
  return [...lookUpRaces(), lookUpBesideSets(), ...setRaces(), lockRace(), ...replayRaces(), linearizabilityRace()];
}

function lookUpRaces(): Race[] {
  return [
    {
      name: 'look-up sequential 1M',
      unit: 'ns',
      sameWork: true,
      contestants: [
        cLookUp(LookUp.cList, 'list', 'seq', 20, PASSES),
        cLookUp(LookUp.cTree, 'tree', 'seq', 20, PASSES),
        ...lookUps(20, PASSES, 'in order'),
      ],
    },
    {
      name: 'look-up random 1M',
      unit: 'ns',
      sameWork: true,
      contestants: [
        cLookUp(LookUp.cList, 'list', 'random', 20, RANDOM_PASSES),
        cLookUp(LookUp.cTree, 'tree', 'random', 20, RANDOM_PASSES),
        ...lookUps(20, RANDOM_PASSES, 'at random'),
      ],
    },
    {
      name: RANDOM_64M,
      unit: 'ns',
      sameWork: true,
      contestants: [
        cLookUp(LookUp.cList, 'list', 'random', 26, 2),
        cLookUp(LookUp.cTree, 'tree', 'random', 26, 2),
        ...lookUps(26, 2, 'at random'),
      ],
    },
    {
      name: 'look-up buffered',
      unit: 'ns',
      sameWork: false,
      contestants: [
        cLookUp(LookUp.cList, 'list', 'range', 20, PASSES),
        {
          name: LookUp.range,
          node: async (setting) =>
            (await import('./works/look_up.js')).rangeLookUps(log2Of(20, setting), passesOf(PASSES, setting), {
              memory: 'flat',
            }),
        },
      ],
    },
  ];
}

/** Our look-ups: bound, by the memory as an argument, and of other structures. */
function lookUps(log2: number, passes: number, order: 'in order' | 'at random'): Contestant[] {
  const each = (name: string, by: 'bound' | 'memory', structure: 'flat' | 'paged' | 'tree'): Contestant => ({
    name,
    needs: { memoryBytes: 2 ** log2 * (structure === 'flat' ? 6 : 12) + 100 * MB },
    node: async (setting) =>
      (await import('./works/look_up.js')).lookUps(
        { order, by, structure },
        log2Of(log2, setting),
        passesOf(passes, setting),
      ),
  });
  return [
    each(LookUp.bound, 'bound', 'flat'),
    each(LookUp.flat, 'memory', 'flat'),
    each(LookUp.paged, 'memory', 'paged'),
    each(LookUp.tree, 'memory', 'tree'),
  ];
}

function cLookUp(name: string, structure: string, order: string, log2: number, passes: number): Contestant {
  return {
    name,
    needs: { memoryBytes: 2 ** log2 * 8 },
    c: (setting) => [structure, order, String(log2Of(log2, setting)), String(passesOf(passes, setting))],
  };
}

function log2Of(log2: number, { tiny }: Setting): number {
  return tiny ? 12 : log2;
}

function passesOf(passes: number, { tiny }: Setting): number {
  return tiny ? 1 : passes;
}

function lookUpBesideSets(): Race {
  const each = (name: string, others: 'quiet' | 'setting'): Contestant => ({
    name,
    needs: { cpus: 2 },
    node: async (setting) => (await import('./works/threads.js')).lookUpsBeside(others, setting),
  });
  return {
    name: 'look-up beside sets',
    unit: 'ns',
    sameWork: false,
    contestants: [each(QUIET, 'quiet'), each(BESIDE, 'setting')],
  };
}

function setRaces(): Race[] {
  const each = (by: 'batchedSets' | 'setsByMachine'): Contestant[] =>
    ([HANDED_ON, IN_A_LOG] as const).map((recorded) => ({
      name: recorded,
      needs: { memoryBytes: 300 * MB, ...(recorded === IN_A_LOG ? { diskBytes: 200 * MB } : {}) },
      node: async (setting) => (await import('./works/sets.js'))[by](recorded, setting),
    }));
  return [
    { name: 'sets batched', unit: 'M/s', sameWork: true, contestants: each('batchedSets') },
    { name: 'sets by machines', unit: 'M/s', sameWork: true, contestants: each('setsByMachine') },
  ];
}

function lockRace(): Race {
  return {
    name: 'lock pairs',
    unit: 'M/s',
    by: 'clock',
    sameWork: true,
    contestants: [
      {
        name: 'Spinlock',
        needs: { cpus: 2 },
        node: async (setting) => (await import('./works/threads.js')).lockPairs(setting),
      },
    ],
  };
}

function replayRaces(): Race[] {
  const each = (name: string, events: number, chain: boolean): Contestant => ({
    name,
    needs: { memoryBytes: 300 * MB, diskBytes: EVENT_BYTES * events },
    node: async (setting: Setting): Promise<Work> =>
      (await import('./works/log_replay.js')).logReplaysFromDisk(events, chain, setting),
  });
  return [
    {
      name: 'binary replay',
      unit: 'M/s',
      sameWork: true,
      contestants: [each(BLOCKS, SHORT_LOG_EVENTS, false), each(CHAIN, SHORT_LOG_EVENTS, true)],
    },
    {
      name: LONG_REPLAY,
      unit: 'M/s',
      sameWork: false,
      heatsMax: 1,
      roundsMax: 2,
      warmUps: 0,
      contestants: [each('10 M events', 1e7, true), each('100 M events', 1e8, true)],
    },
  ];
}

function linearizabilityRace(): Race {
  return {
    name: LINEARIZABILITY,
    unit: 'M/s',
    sameWork: true,
    heatsMax: 1,
    roundsMax: 1,
    warmUps: 0,
    contestants: [
      {
        name: LINEARIZABILITY_MIX,
        needs: { memoryBytes: 2 * 1024 * MB, diskBytes: 2.5 * EVENT_BYTES * LINEARIZABILITY_OPERATIONS },
        node: async (setting) => {
          const { ACCESS_MIXES, linearizabilityChecks } = await import('./works/linearizability.js');
          return linearizabilityChecks(LINEARIZABILITY_OPERATIONS, ACCESS_MIXES[LINEARIZABILITY_MIX]!, setting);
        },
      },
    ],
  };
}

function lookUpRow(name: string, what: string, race: string, contestant: string, atMost: number): TableRow {
  return { name, claim: { text: `${what}, to C`, race, contestant, ratioTo: LookUp.cList, atMost } };
}

function treeRow(name: string, text: string, race: string): TableRow {
  return { name, claim: { text, race, contestant: LookUp.flat, ratioTo: LookUp.tree, timesAsFast: 2 } };
}

function rateRow(name: string, text: string, race: string, contestant: string, atLeast: number): TableRow {
  return { name, claim: { text, race, contestant, atLeast } };
}
