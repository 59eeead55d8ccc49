import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Accesses, AccessKind, countOutcomes, exploreTraces, type Program } from '../../../replay/index.js';
import { JoinedProgram, type Act } from './joined_program.js';
import { endOf, naiveTraces, traceOf } from './naive_traces.js';
import { tinyThreads } from './tiny_arbitraries.js';
import { TinyProgram } from './tiny_program.js';

/** More interleavings than this are not run one by one. */
const INTERLEAVINGS_MAX = 1500n;

const word = fc.nat(2);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(fc.constantFrom('load', 'store', 'unlock', 'add', 'stop', 'jump'), word),
  fc.tuple(fc.constantFrom('put', 'cas'), word, word),
  fc.constant<Act>(['loadAt']),
  { weight: 1, arbitrary: fc.tuple(fc.constant('fail'), fc.constant(2)) },
);
const acts = fc.array(act, { minLength: 1, maxLength: 4 });
const joinedStep = fc.oneof(
  acts,
  fc.tuple(word, acts).map(([lock, rest]): Act[] => [['lock', lock], ...rest]),
);
const joinedThreads = fc.array(fc.array(joinedStep, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 4 });

/** Whether the search finds what naive enumeration finds: each end, and each trace once. */
function expectOptimal(program: Program & { readonly depth: number }): void {
  const counts = countOutcomes(program);
  fc.pre(counts.complete && counts.interleavings <= INTERLEAVINGS_MAX);
  const naive = naiveTraces(program);
  const schedules: (readonly number[])[] = [];
  const ends = new Set<string>();
  const search = exploreTraces(program, {
    goOn: true,
    onExecution: (schedule) => {
      schedules.push(schedule);
      ends.add(endOf(program));
    },
  });
  expect(program.depth).toBe(0);
  expect(ends).toEqual(naive.ends);
  const traces = schedules.map((schedule) => traceOf(program, schedule));
  expect(new Set(traces)).toEqual(naive.traces);
  expect(search).toMatchObject({ complete: true, executions: naive.traces.size, blocked: 0 });
  expect(traces.length).toBe(naive.traces.size);
}

describe('exploreTraces', () => {
  it.each([
    [2, 5],
    [3, 4],
    [4, 3],
  ])('runs each trace once, and none in vain: up to %i threads of up to %i instructions', (threads, length) => {
    fc.assert(
      fc.property(tinyThreads(threads, length), (text) => {
        expectOptimal(new TinyProgram(3, text));
      }),
      { numRuns: 150 },
    );
  });

  it('does so where a step makes several accesses, and which ones depends on what it reads', () => {
    fc.assert(
      fc.property(joinedThreads, (text) => {
        expectOptimal(new JoinedProgram(3, text));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['reads', AccessKind.read],
    ['stores', AccessKind.write],
    ['locks taken', AccessKind.acquire],
  ])('loses ends where a program says nothing of its %s: the property above can fail', (_, kind) => {
    const result = fc.check(
      fc.property(tinyThreads(3, 4), (text) => {
        expectOptimal(new SilentProgram(text, kind));
      }),
      { numRuns: 1000, seed: 1 },
    );
    expect(result.failed).toBe(true);
  });
});

/** A program that does not say all that its steps touch. */
class SilentProgram extends TinyProgram {
  readonly #kind: number;

  constructor(threads: ConstructorParameters<typeof TinyProgram>[1], kind: number) {
    super(3, threads);
    this.#kind = kind;
  }

  override accesses(into: Accesses): void {
    const all = new Accesses();
    super.accesses(all);
    for (let i = 0; i < all.count; i++) if (all.kinds[i] !== this.#kind) into.note(all.kinds[i]!, all.locations[i]!);
  }
}
