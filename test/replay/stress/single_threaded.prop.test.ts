import { describe, expect, it, test } from 'vitest';
import { INVALID, KINDS, mfnWord, Operation } from '../../../events/index.js';
import { MIXES, type OperationStream } from '../../../replay/index.js';
import { FORMS, lookUp, type Domain } from '../../../src/index.js';
import { operate, stressDomain, stressStreams, type StressRunOptions } from './stress_run.js';

const WRONG: readonly number[] = [KINDS.bug.id, KINDS.warn.id, KINDS.fault.id];

/** No mix with a name sets identity. */
const IDENTITIES = 'look-up=4,set=4,identity=4,clear=1';

/** What the boot left is known below this. */
const KNOWN_MAX = 4096;

/** What the list must say, pfn by pfn, when whole operations run one after the other. */
class Expected {
  readonly #words = new Map<number, number>();
  readonly #domain: Domain;

  constructor(domain: Domain, pfnEnd: number) {
    this.#domain = domain;
    for (let pfn = 0; pfn < Math.min(pfnEnd, KNOWN_MAX); pfn++) this.#words.set(pfn, lookUp(domain.memory, pfn));
  }

  /** Sees that a look-up answered right, or keeps what an operation stores. */
  follow(stream: OperationStream, result: number): void {
    const { operation, pfn, value, count, slotPfn, slotMfn } = stream;
    const { codec } = this.#domain.memory;
    const words = this.#words;
    if (operation === Operation.__pfn_to_mfn) {
      const known = words.get(pfn);
      // Not by expect: it takes longer than the look-up.
      if (known !== undefined && known !== result) throw new Error(`pfn ${pfn}: ${result}, not ${known}`);
      words.set(pfn, result);
    } else if (operation === Operation.set_phys_to_machine) {
      words.set(pfn, value);
    } else if (operation === Operation.decrease_reservation || operation === Operation.increase_reservation) {
      for (let i = 0; i < count; i++) words.set(pfn + i, value === INVALID ? INVALID : codec.add(value, i));
    } else {
      const isMap = operation === Operation.set_foreign_p2m_mapping;
      for (let slot = 0; slot < count; slot++) {
        words.set(slotPfn[slot]!, isMap ? codec.foreignOf(mfnWord(slotMfn[slot]!)) : INVALID);
      }
    }
  }
}

/** Runs the streams in turn, so many operations each or to their end; gives what was wrong, and which operations ran. */
function run(options: StressRunOptions & { readonly operations: number }): { wrong: string[]; kinds: Set<number> } {
  const { memory = 'paged' } = options;
  const { layout, streams } = stressStreams(options);
  const wrong: string[] = [];
  const kinds = new Set<number>();
  const domain = stressDomain(layout, streams.length, memory, (kind) => {
    if (WRONG.includes(kind)) wrong.push(`event ${kind}`);
  });
  const expected = new Expected(domain, layout.pfnEnd);
  for (let i = 0; i < options.operations; i++) {
    for (const [cpu, stream] of streams.entries()) {
      if (!stream.next()) continue;
      kinds.add(stream.kind);
      const outcome = operate(domain, stream, cpu);
      if (outcome.kind === 'bug' || outcome.kind === 'fault') return { wrong: [...wrong, outcome.kind], kinds };
      if (outcome.kind === 'errno' && outcome.value !== 0) wrong.push(`errno ${outcome.value}`);
      if (outcome.kind === 'bool' && outcome.value !== 1) wrong.push(`false from a set of ${stream.pfn}`);
      expected.follow(stream, 'value' in outcome ? outcome.value : 0);
    }
  }
  domain.flush();
  return { wrong, kinds };
}

describe.each(['3.16', '3.18', '3.19-rc1', '4.0', '7.0'])('streams on %s, one operation after the other', (kernel) => {
  const mixes = [...Object.keys(MIXES), IDENTITIES];
  // The big ones take their time to boot; the tiny ones have their shapes.
  const big = [
    ...['default', 'leaves', 'pmds'].map((mix) => ['x86_64', mix] as const),
    ...(kernel === '7.0' ? [] : ['default', 'tops'].map((mix) => ['x86_32', mix] as const)),
  ];
  it.each([...['tiny', 'tiny-pae'].flatMap((geometry) => mixes.map((mix) => [geometry, mix] as const)), ...big])(
    'neither assert, warn nor fail on %s with the mix %s, and each look-up sees the last set',
    (geometry, mix) => {
      const small = geometry.startsWith('tiny') ? {} : { regions: 1, pfns: 2 ** 14 };
      const { wrong, kinds } = run({ kernel, geometry, mix, ...small, operations: 200 });
      expect(wrong).toEqual([]);
      expect(kinds.size).toBeGreaterThan(1);
    },
  );
});

describe('streams', () => {
  it.each(FORMS.map((form) => form.name))('are legal on every form: %s', (kernel) => {
    for (const geometry of ['tiny', 'tiny-pae']) {
      for (const mix of Object.keys(MIXES)) {
        for (const seed of [1, 2]) {
          expect(run({ kernel, geometry, mix, seed, operations: 100 }).wrong).toEqual([]);
        }
      }
    }
  });

  test('run on flat memory as on paged, skewed or not', () => {
    for (const skew of ['uniform', 'zipf', 'hot-leaf']) {
      expect(run({ memory: 'flat', skew, regions: 8, pfns: 2 ** 14, operations: 1000 }).wrong).toEqual([]);
    }
  });

  test('meet what one thread alone breaks before 3.19.8, where identity leaves are asked for', () => {
    const isWrong = (kernel: string, seed: number): boolean => {
      try {
        return (
          run({ kernel, geometry: 'tiny', mix: 'leaves', untouched: 'both', seed, operations: 100 }).wrong.length > 0
        );
      } catch {
        return true;
      }
    };
    const seeds = Array.from({ length: 8 }, (_, seed) => seed);
    const broken = FORMS.filter((form) => seeds.some((seed) => isWrong(form.name, seed)));
    expect(broken).toEqual(FORMS.filter((form) => !form.identityBaseMasked));
  });

  test('of threads that share bear it', () => {
    for (const mix of ['default', 'balloon', 'sets', 'leaves']) {
      expect(run({ mix, share: true, geometry: 'tiny', operations: 300 }).wrong).toEqual([]);
    }
  });

  test('of more threads than a leaf has entries are legal too', () => {
    for (const mix of Object.keys(MIXES))
      expect(run({ mix, geometry: 'tiny', threads: 20, operations: 50 }).wrong).toEqual([]);
  });
});
