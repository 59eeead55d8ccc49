import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isShortMfn, Operation, PAYLOAD_MASK } from '../../../events/index.js';
import { MIX_OPERATIONS, MIXES, OperationStream, type StressLayout } from '../../../replay/index.js';
import { stressStreams, type StressRunOptions } from './stress_run.js';

const anyRun = fc.record({
  kernel: fc.constantFrom('3.16', '3.19-rc1', '4.0', '7.0'),
  geometry: fc.constantFrom('tiny', 'tiny-pae', 'x86_64'),
  mix: fc.constantFrom(...Object.keys(MIXES), 'set=3,identity=3,clear=1', 'look-up=1,touch=1,grant=1,balloon-up=1'),
  skew: fc.constantFrom('uniform', 'zipf', 'zipf:2', 'hot-leaf'),
  share: fc.boolean(),
  threads: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer(),
  pfns: fc.integer({ min: 12, max: 48 }),
});

/** Big pages want more pfns. */
function sized<T extends { geometry: string; pfns: number }>(run: T): T {
  return run.geometry === 'x86_64' ? { ...run, pfns: run.pfns * 128 } : run;
}

/** Each operation of the streams in turn, so many each. */
function* operations(streams: readonly OperationStream[], count: number): Generator<[OperationStream, number]> {
  for (let i = 0; i < count; i++) {
    for (const [thread, stream] of streams.entries()) if (stream.next()) yield [stream, thread];
  }
}

/** The stream's operation as a value. */
function told({ operation, kind, pfn, value, count, slotPfn, slotMfn }: OperationStream): unknown {
  const slots = isGrant(operation) ? [[...slotPfn.subarray(0, count)], [...slotMfn.subarray(0, count)]] : [];
  return [operation, kind, pfn, value, count, ...slots];
}

function isGrant(operation: number): boolean {
  return operation === Operation.set_foreign_p2m_mapping || operation === Operation.clear_foreign_p2m_mapping;
}

function list(options: StressRunOptions, count = 100): unknown[] {
  return Array.from(operations(stressStreams(options).streams, count), ([stream]) => told(stream));
}

/** Pfns that an operation is about. */
function pfnsOf({ operation, pfn, count, slotPfn }: OperationStream): number[] {
  if (isGrant(operation)) return [...slotPfn.subarray(0, count)];
  return Array.from({ length: Math.max(count, 1) }, (_, i) => pfn + i);
}

/** Frames that an operation sets. */
function framesOf({ operation, value, count, slotMfn }: OperationStream): number[] {
  if (operation === Operation.set_foreign_p2m_mapping) return [...slotMfn.subarray(0, count)];
  if (isGrant(operation) || !isShortMfn(value)) return [];
  return Array.from({ length: Math.max(count, 1) }, (_, i) => (value & PAYLOAD_MASK) + i);
}

function within(pfn: number, { pfnStart, pfnEnd }: StressLayout['sets']): boolean {
  return pfnStart <= pfn && pfn < pfnEnd;
}

/** As expect, which takes longer than an operation. */
function must(fact: boolean): void {
  if (!fact) throw new Error('it is not so');
}

test('the same seed gives the same operations, another seed others', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const same = list(sized(run));
      expect(list(sized(run))).toEqual(same);
      if (same.length > 50) expect(list(sized({ ...run, seed: run.seed ^ 1 }))).not.toEqual(same);
    }),
    { numRuns: 40 },
  );
});

test('seeds go on giving the operations that they gave', () => {
  expect(list({ geometry: 'tiny', threads: 2, seed: 1 }, 6)).toMatchInlineSnapshot(`
    [
      [
        10,
        0,
        10,
        0,
        0,
      ],
      [
        10,
        0,
        17,
        0,
        0,
      ],
      [
        10,
        0,
        1,
        0,
        0,
      ],
      [
        15,
        1,
        7,
        1610613268,
        0,
      ],
      [
        20,
        6,
        0,
        1073741825,
        1,
        [
          14,
        ],
        [
          1064,
        ],
      ],
      [
        20,
        6,
        0,
        0,
        1,
        [
          15,
        ],
        [
          536871445,
        ],
      ],
      [
        10,
        0,
        16,
        0,
        0,
      ],
      [
        10,
        0,
        17,
        0,
        0,
      ],
      [
        10,
        0,
        17,
        0,
        0,
      ],
      [
        15,
        7,
        17,
        1610613277,
        0,
      ],
      [
        10,
        0,
        9,
        0,
        0,
      ],
      [
        10,
        0,
        1,
        0,
        0,
      ],
    ]
  `);
});

test('no frame is set twice, by any thread, and none is one of the boot', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const { layout, streams } = stressStreams(sized(run));
      const seen = new Set<number>();
      for (const [stream] of operations(streams, 200)) {
        for (const mfn of framesOf(stream)) {
          must(!seen.has(mfn));
          must(mfn >= layout.mfnEnd && mfn < 2 ** 30);
          seen.add(mfn);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('each operation keeps to the part of the list that is for it', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const { layout, streams } = stressStreams(sized(run));
      const { sets, balloon, grants, regions, regionPfns } = layout;
      const isUntouched = (pfn: number): boolean => regions.some((start) => start <= pfn && pfn < start + regionPfns);
      for (const [stream] of operations(streams, 200)) {
        const kind = MIX_OPERATIONS[stream.kind]!;
        for (const pfn of pfnsOf(stream)) {
          if (kind === 'look-up') must(pfn < grants.pfnEnd || isUntouched(pfn));
          else if (kind === 'grant') must(within(pfn, grants));
          else if (kind === 'touch') must(isUntouched(pfn));
          else if (kind.startsWith('balloon')) must(within(pfn, balloon));
          else must(within(pfn, sets) || (run.share && within(pfn, balloon)));
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('no two threads change the same pfn, unless they share', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const owner = new Map<number, number>();
      for (const [stream, thread] of operations(stressStreams(sized({ ...run, share: false })).streams, 200)) {
        if (stream.operation === Operation.__pfn_to_mfn) continue;
        for (const pfn of pfnsOf(stream)) {
          must((owner.get(pfn) ?? thread) === thread);
          owner.set(pfn, thread);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('a thread maps what is not mapped, unmaps what it mapped, and with the frame that it had', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const mapped = new Map<number, number>();
      for (const [stream] of operations(stressStreams(sized({ ...run, mix: 'grants' })).streams, 200)) {
        if (!isGrant(stream.operation)) continue;
        const isMap = stream.operation === Operation.set_foreign_p2m_mapping;
        must(stream.count > 0);
        for (let slot = 0; slot < stream.count; slot++) {
          const pfn = stream.slotPfn[slot]!;
          must(mapped.get(pfn) === (isMap ? undefined : stream.slotMfn[slot]));
          if (isMap) mapped.set(pfn, stream.slotMfn[slot]!);
          else mapped.delete(pfn);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('a balloon takes down what is up, and what comes up is what went down', () => {
  fc.assert(
    fc.property(anyRun, (run) => {
      const down = new Map<number, number>();
      for (const [stream] of operations(stressStreams(sized({ ...run, mix: 'balloon' })).streams, 200)) {
        if (stream.operation === Operation.decrease_reservation) {
          must(!down.has(stream.pfn));
          must(stream.count >= 1 && stream.count <= 16);
          down.set(stream.pfn, stream.count);
        } else if (stream.operation === Operation.increase_reservation) {
          must(down.get(stream.pfn) === stream.count);
          down.delete(stream.pfn);
        }
      }
    }),
    { numRuns: 40 },
  );
});

/** How often each operation of a mix came. */
function counts(options: StressRunOptions, count: number): number[] {
  const kinds = new Array<number>(MIX_OPERATIONS.length).fill(0);
  for (const [stream] of operations(stressStreams(options).streams, count)) kinds[stream.kind]!++;
  return kinds;
}

describe('OperationStream', () => {
  it('does each operation as often as the mix says', () => {
    const { weights } = MIXES.default;
    const sum = Object.values(weights).reduce((a, b) => a + b, 0);
    const total = 30_000;
    const kinds = counts({ threads: 3 }, total / 3);
    // A balloon with nothing down goes down: the two count together.
    const groups = [['look-up'], ['set'], ['clear'], ['balloon-down', 'balloon-up'], ['grant'], ['touch']] as const;
    for (const group of groups) {
      const expected = (group.reduce((parts, name) => parts + weights[name], 0) / sum) * total;
      const seen = group.reduce((all, name) => all + kinds[MIX_OPERATIONS.indexOf(name)]!, 0);
      expect(Math.abs(seen - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  it('lets threads meet: a leaf that is touched, is touched by more than one', () => {
    for (const mix of ['leaves', 'pmds', 'tops']) {
      const { layout, streams } = stressStreams({ mix, regions: 6, threads: 4 });
      const who = new Map<number, Set<number>>();
      for (const [stream, thread] of operations(streams, 400)) {
        if (MIX_OPERATIONS[stream.kind] !== 'touch') continue;
        const region = layout.regions.findIndex(
          (start) => start <= stream.pfn && stream.pfn < start + layout.regionPfns,
        );
        who.set(region, (who.get(region) ?? new Set()).add(thread));
      }
      expect(who.size).toBe(6);
      for (const threads of who.values()) expect(threads.size).toBeGreaterThan(1);
    }
  });

  it('ends when all regions were hot, at all threads', () => {
    const { streams } = stressStreams({ geometry: 'tiny', mix: 'leaves', threads: 2 });
    const touches = Array.from(operations(streams, 1000)).length;
    expect(touches).toBeGreaterThan(12 * 4);
    expect(streams.map((stream) => [stream.next(), stream.exhausted])).toEqual([
      [false, 'regions'],
      [false, 'regions'],
    ]);
  });

  it('looks up what is about to be touched', () => {
    const { layout, streams } = stressStreams({ mix: 'leaves', regions: 64, threads: 2 });
    let near = 0;
    let all = 0;
    for (const [stream] of operations(streams, 100)) {
      if (stream.operation !== Operation.__pfn_to_mfn) continue;
      all++;
      if (stream.pfn >= layout.grants.pfnEnd) near++;
    }
    expect(near / all).toBeGreaterThan(0.3);
  });

  it('looks up the hot pfns of all threads under zipf, and sets only its own', () => {
    const { streams } = stressStreams({ mix: 'look-up=1,set=1', skew: 'zipf', threads: 4 });
    const set = new Map<number, number>();
    const seen = new Map<number, number>();
    for (const [stream] of operations(streams, 4000)) {
      const map = stream.operation === Operation.__pfn_to_mfn ? seen : set;
      map.set(stream.pfn, (map.get(stream.pfn) ?? 0) + 1);
    }
    const hottest = (map: Map<number, number>): number[] =>
      [...map.entries()]
        .sort(([, a], [, b]) => b - a)
        .slice(0, 4)
        .map(([pfn]) => pfn)
        .sort((a, b) => a - b);
    expect(hottest(seen)).toEqual(hottest(set));
    expect(hottest(set).map((pfn) => pfn % 4)).toEqual([0, 1, 2, 3]);
  });

  it('keeps 15 of 16 to one leaf, where one is hot', () => {
    const { streams } = stressStreams({ mix: 'sets', skew: 'hot-leaf', threads: 3 });
    const leaves = new Map<number, number>();
    for (const [stream] of operations(streams, 3000)) {
      leaves.set(stream.pfn >>> 9, (leaves.get(stream.pfn >>> 9) ?? 0) + 1);
    }
    expect(Math.max(...leaves.values()) / 9000).toBeGreaterThan(0.92);
    expect(leaves.size).toBeGreaterThan(100);
  });

  it('ends when its frames are used up, below 2^30', () => {
    const { workload, layout } = stressStreams({ geometry: 'tiny', mix: 'set=1', share: true });
    const threads = 2 ** 20;
    const stream = new OperationStream({
      workload,
      layout,
      thread: threads - 1,
      threads,
      seed: 1,
      tickets: new Int32Array(1),
    });
    const frames: number[] = [];
    while (stream.next()) frames.push(...framesOf(stream));
    expect(stream.exhausted).toBe('frames');
    expect(frames).toHaveLength(1023);
    expect(frames.at(-1)).toBeLessThan(2 ** 30);
    expect(stream.next()).toBe(false);
  });
});
