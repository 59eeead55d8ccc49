import fc from 'fast-check';
import {
  EVERY_PROBE,
  FOREIGN,
  identityOf,
  INVALID,
  logText,
  PER_PAGE,
  race,
  RacedList,
  type Action,
  type Kind,
  type Race,
  type RacingProbes,
} from './racing_log.js';

/** Two CPUs' idle tasks share pid 0. */
const TASKS = [
  { comm: '<idle>', pid: 0, cpu: 0 },
  { comm: '<idle>', pid: 0, cpu: 1 },
  { comm: 'gnt-dev: 1', pid: 71, cpu: 0 },
] as const;

/** Leaves that races are about, and pfns of each: few, so that tasks meet. */
const LEAVES = 2;
const PFNS = 3;
const DUMPED_LEAVES = 8;

const kind = fc.constantFrom<Kind>('own', 'missing', 'identity');
const pfn = fc.tuple(fc.nat({ max: LEAVES - 1 }), fc.nat({ max: PFNS - 1 })).map(([leaf, i]) => leaf * PER_PAGE + i);
/** A pfn that no other task stores: a grant operation finds what its task left. */
const ownPfn = (task: number) => fc.nat({ max: LEAVES - 1 }).map((leaf) => leaf * PER_PAGE + PFNS + task);
const frame = fc.integer({ min: 0x2000, max: 0x20ff }).map(BigInt);

/** A word that `p` may hold. */
const wordOf = (p: number): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 3, arbitrary: frame },
    { weight: 2, arbitrary: fc.constant(INVALID) },
    fc.constant(identityOf(p)),
    frame.map((mfn) => FOREIGN | mfn),
  );

/** What calls a race is made of. */
export interface RaceShape {
  readonly tasks: 1 | 2 | 3;
  readonly actionsMax: number;
  /** Grant operations, and interrupts in which look-ups and grant operations are made. */
  readonly grants?: boolean;
  /** Allocations that are given no page. */
  readonly fails?: boolean;
}

const grantOf = (task: number): fc.Arbitrary<Action> =>
  fc.record({
    op: fc.constantFrom('map' as const, 'unmap' as const),
    pfns: fc.uniqueArray(ownPfn(task), { minLength: 1, maxLength: 2 }),
    mfn: fc.integer({ min: 1, max: 0xfff }),
  });

function actionOf(task: number, { grants = false, fails = false }: RaceShape): fc.Arbitrary<Action> {
  const failing = fails ? fc.integer({ min: 0, max: 4 }).map((n) => n === 0) : fc.constant(false);
  const get = pfn.map((p): Action => ({ op: 'get', pfn: p }));
  const store = pfn.chain((p) =>
    fc.record({
      op: fc.constantFrom('set' as const, 'store' as const),
      pfn: fc.constant(p),
      value: wordOf(p),
      fails: failing,
    }),
  );
  const alloc = fc.record({ op: fc.constant('alloc' as const), pfn, fails: failing });
  const plain: fc.Arbitrary<Action> = fc.oneof(
    { weight: 4, arbitrary: store },
    { weight: 2, arbitrary: get },
    { weight: 1, arbitrary: alloc },
    ...(grants ? [{ weight: 2, arbitrary: grantOf(task) }] : []),
  );
  if (!grants) return plain;
  const interrupt = fc.option(
    fc.record({ after: fc.integer({ min: 1, max: 6 }), action: fc.oneof(get, grantOf(task)) }),
    { nil: undefined, freq: 3 },
  );
  return fc.tuple(plain, interrupt).map(([action, i]) => (i === undefined ? action : { ...action, interrupt: i }));
}

/** A race that was run, and the list that it began with. A property that fails prints its log. */
export interface RunRace extends Race {
  readonly start: RacedList;
  [fc.toStringMethod]: () => string;
}

/** Races of a shape: any list, any calls, any order of the moments of all of them. */
export function raceOf(shape: RaceShape, probes: RacingProbes = EVERY_PROBE): fc.Arbitrary<RunRace> {
  const actions = TASKS.slice(0, shape.tasks).map((_, task) =>
    fc.array(actionOf(task, shape), { minLength: 1, maxLength: shape.actionsMax }),
  );
  const words = fc.tuple(
    ...Array.from({ length: LEAVES * PFNS }, (_, i) => wordOf(Math.floor(i / PFNS) * PER_PAGE + (i % PFNS))),
  );
  return fc
    .record({
      kinds: fc.array(kind, { minLength: DUMPED_LEAVES, maxLength: DUMPED_LEAVES }),
      words,
      actions: fc.tuple(...actions),
      turns: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 64 }),
    })
    .map(({ kinds, words: values, actions: all, turns }) => {
      const list = new RacedList(kinds, new Map());
      for (const [i, word] of values.entries()) list.store(Math.floor(i / PFNS) * PER_PAGE + (i % PFNS), word);
      const start = new RacedList(list.kinds, list.words);
      let turn = 0;
      const tasks = all.map((calls, i) => ({ ...TASKS[i]!, actions: calls }));
      const next = (going: number): number => turns[turn++ % turns.length]! % going;
      const run = race(list, tasks, next, probes);
      const known = [...start.words].map(([p, word]) => `${p.toString(16)}=${word.toString(16)}`);
      const print = (): string => `${start.kinds.join()} ${known.join()}\n${logText(run.lines)}`;
      return { start, ...run, [fc.toStringMethod]: print };
    });
}
