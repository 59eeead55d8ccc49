import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Accesses,
  AccessKind,
  countOutcomes,
  isOver,
  lastzero,
  lockedIncrement,
  mayStep,
  racyIncrement,
  Random,
  readers,
  smallAlgorithm,
  StateHash,
  storeBuffering,
  type AlgorithmProgram,
} from '../../../replay/index.js';
import { enumerate } from '../explore/enumerate.js';

const PROGRAMS: Readonly<Record<string, () => AlgorithmProgram>> = {
  'the small algorithm': () => smallAlgorithm('fixed', ['S1', 'S2', 'R']),
  'its broken form': () => smallAlgorithm('broken', ['S1', 'S2', 'S3', 'R']),
  'store buffering': storeBuffering,
  'a locked increment by 3': () => lockedIncrement(3),
  'lastzero(3)': () => lastzero(3),
};

/** The words of the state by their keys, as one text. */
function stateOf(program: AlgorithmProgram): string {
  const words: string[] = [];
  program.state({ add: (key, value) => words.push(`${key}=${value}`) });
  return words.join(' ');
}

function hashOf(program: AlgorithmProgram): string {
  const hash = new StateHash();
  program.hash(hash);
  return hash.lanes.join();
}

/** The hash of what `state` gives. */
function hashAfresh(program: AlgorithmProgram): string {
  const hash = new StateHash();
  program.state(hash);
  return hash.lanes.join();
}

/** All that can be seen of where a program stands. */
function imageOf(program: AlgorithmProgram): string {
  const agents = program.agents.map(({ at, enabled, waitsFor }) => [at, enabled, waitsFor]);
  return JSON.stringify([stateOf(program), agents, program.ended, program.broken(), program.outcome()]);
}

/** Takes a random step, and says whether there was one. */
function walk(program: AlgorithmProgram, random: Random): boolean {
  const able = program.agents.flatMap((_, agent) => (mayStep(program, agent) ? [agent] : []));
  const agent = able[random.below(able.length)];
  if (agent !== undefined) program.step(agent);
  return agent !== undefined;
}

describe.each(Object.entries(PROGRAMS))('%s', (_, make) => {
  it('is put back by undo, whatever was asked on the way', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.boolean(), { minLength: 1 }), (seed, asks) => {
        const program = make();
        const random = new Random(seed);
        const images = [imageOf(program)];
        const hashes = [hashAfresh(program)];
        for (let i = 0; walk(program, random); i++) {
          if (asks[i % asks.length]!) expect(hashOf(program)).toBe(hashAfresh(program));
          images.push(imageOf(program));
          hashes.push(hashAfresh(program));
        }
        for (let i = images.length - 1; i >= 0; i--) {
          expect(imageOf(program)).toBe(images[i]);
          if (asks[i % asks.length]!) expect(hashOf(program)).toBe(hashes[i]);
          if (i > 0) program.undo();
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has equal hashes where it has equal states, and else not', () => {
    const program = make();
    const random = new Random(7);
    const hashByState = new Map<string, string>();
    for (let path = 0; path < 60; path++) {
      let steps = 0;
      do hashByState.set(stateOf(program), hashOf(program));
      while (walk(program, random) && ++steps > 0);
      for (; steps > 0; steps--) program.undo();
      expect(hashByState.get(stateOf(program))).toBe(hashOf(program));
    }
    expect(new Set(hashByState.values()).size).toBe(hashByState.size);
  });

  it('says what a step has stored: where nothing was, nothing has changed but what is the own of agents', () => {
    const program = make();
    const random = new Random(3);
    const shared = (): string => program.outcome().split(' | ')[0]!;
    for (let before = shared(); walk(program, random); before = shared()) {
      const accesses = new Accesses();
      program.accesses(accesses);
      // The second is what the invariants of every state come to, where they read what was stored.
      expect(accesses.count).toBeLessThanOrEqual(2);
      if (accesses.count === 2) expect(accesses.locations[1]).toBeLessThan(0);
      if (accesses.count === 0 || accesses.kinds[0] !== AccessKind.write) expect(shared()).toBe(before);
    }
    expect(isOver(program)).toBe(true);
  });

  it('is not enabled only where it waits for a lock, which it then names', () => {
    const program = make();
    const random = new Random(5);
    do {
      for (const { at, enabled, waitsFor } of program.agents) {
        if (at === undefined) expect([enabled, waitsFor]).toEqual([false, undefined]);
        else if (!enabled) expect(waitsFor).toBeDefined();
      }
    } while (walk(program, random));
  });
});

describe('every interleaving, one by one', () => {
  it.each<[string, () => AlgorithmProgram]>([
    ['store buffering', storeBuffering],
    ['racy increment by 3', () => racyIncrement(3)],
    ['locked increment by 3', () => lockedIncrement(3)],
    ['readers(4)', () => readers(4)],
    ['lastzero(3)', () => lastzero(3)],
    ['a setter and a reader', () => smallAlgorithm('broken', ['S1', 'R'])],
  ])('leads where the stateful search says: %s', (_, make) => {
    const counts = countOutcomes(make());
    const counted = counts.complete
      ? counts.outcomes.map(({ deadlock, outcome, count }) => [`${deadlock} ${outcome}`, count] as const)
      : [];
    const enumerated = [...enumerate(make())].map(([key, { count }]) => [key, count] as const);
    expect(new Map(counted)).toEqual(new Map(enumerated));
    expect(counted.length).toBeGreaterThan(0);
  });

  it('says which of the classics keep what they promise', () => {
    const broken = (program: AlgorithmProgram): boolean => {
      const counts = countOutcomes(program);
      return counts.complete && counts.outcomes.some((outcome) => outcome.broken !== 0);
    };
    expect([storeBuffering(), racyIncrement(2), lockedIncrement(3)].map(broken)).toEqual([false, true, false]);
  });
});
