import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError, EventBatch, KINDS, kindName, mfnWord, payloadColumn } from '../../events/index.js';
import { kernelOps, undo, type Memory } from '../../src/index.js';
import { applyRows, emptyMemory, LINEAR_FORMS, live, plans, type History, type Plan } from './histories.js';
import { readableDifferences, sameState } from './states.js';

const GEOMETRIES_HERE = ['tiny', 'tiny-pae'] as const;
const MEMORIES = ['paged', 'flat'] as const;
const SMALL = { numRuns: 150 };

function undoDownTo(memory: Memory, log: EventBatch, length: number): void {
  for (let i = log.length - 1; i >= length; i--) undo(memory, log, i);
}

/** A booted list of 8 entries, pfn p with frame 1000 + p, that nothing happened to yet. */
const EMPTY_PLAN: Plan = {
  kernel: '7.0',
  geometry: 'tiny',
  nrPages: 8,
  garbage: '~',
  holes: [],
  early: [],
  identity: [],
  extra: [],
  limit: 0,
  flags: 0,
  tree: false,
  freesList: false,
  rebuilds: false,
  ops: [],
};

/** The log without row `left`. */
function without(log: EventBatch, left: number): EventBatch {
  const rest = new EventBatch();
  for (let i = 0; i < log.length; i++) if (i !== left) rest.copyRow(log, i, payloadColumn(log.kind[i]!));
  return rest;
}

describe.each(GEOMETRIES_HERE)('undo, on %s', (geometry) => {
  it.each(MEMORIES)('takes the whole log back to an empty %s memory', (kind) => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const { domain, log } = live(plan, kind);
        undoDownTo(domain.memory, log, 0);
        expect(readableDifferences(domain.memory, emptyMemory(domain.memory, kind), log, 0)).toEqual([]);
      }),
      SMALL,
    );
  });

  it.each(MEMORIES)(
    'takes the log back to any event, and applying it again gives the %s memory word for word',
    (kind) => {
      fc.assert(
        fc.property(plans(geometry), fc.double({ min: 0, max: 1, noNaN: true }), (plan, where) => {
          const { domain, log } = live(plan, kind);
          const length = Math.floor(where * log.length);
          const final = applyRows(emptyMemory(domain.memory, kind), log);
          undoDownTo(domain.memory, log, length);
          const then = applyRows(emptyMemory(domain.memory, kind), log, 0, length);
          expect(readableDifferences(domain.memory, then, log, length)).toEqual([]);
          applyRows(domain.memory, log, length);
          expect(sameState(domain.memory, final)).toBe(true);
        }),
        SMALL,
      );
    },
  );
});

/** Everything that apply can do without the old tree. */
const MUTATIONS = (Object.keys(KINDS) as (keyof typeof KINDS)[]).filter(
  (kind) => KINDS[kind].mutates && !['set_top', 'set_mid', 'load_entries'].includes(kind),
);

describe('the plans', () => {
  it('lead to every kind of event that changes memory, to every form, and to bugs', () => {
    const seen = new Set<string>();
    const forms = new Set<string>();
    for (const plan of GEOMETRIES_HERE.flatMap((geometry) => fc.sample(plans(geometry), { numRuns: 300, seed: 1 }))) {
      const { log } = live(plan, 'paged');
      forms.add(plan.kernel);
      for (let i = 0; i < log.length; i++) seen.add(kindName(log.kind[i]!)!);
    }
    expect(MUTATIONS.filter((kind) => !seen.has(kind))).toEqual([]);
    expect(['bug', 'return'].filter((kind) => !seen.has(kind))).toEqual([]);
    expect(LINEAR_FORMS.filter((form) => !forms.has(form))).toEqual([]);
  });
});

describe.each(GEOMETRIES_HERE)('apply, on %s', (geometry) => {
  it.each(MEMORIES)('of the log to an empty %s memory gives the final state', (kind) => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const { domain, log } = live(plan, kind);
        expect(sameState(applyRows(emptyMemory(domain.memory, kind), log), domain.memory)).toBe(true);
      }),
      SMALL,
    );
  });

  it.each([
    ['paged', 'flat'],
    ['flat', 'paged'],
  ] as const)('of the log of a %s memory to a %s one gives the final state of the other', (from, to) => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const one = live(plan, from);
        const other = live(plan, to);
        const applied = applyRows(emptyMemory(other.domain.memory, to, one.domain.memory.codec), one.log);
        expect(sameState(applied, other.domain.memory)).toBe(true);
      }),
      SMALL,
    );
  });
});

describe('apply, on x86_64', () => {
  it('of the log to an empty memory gives the final state, and undo takes it back', () => {
    fc.assert(
      fc.property(plans('x86_64', LINEAR_FORMS, 3000, 15), fc.constantFrom(...MEMORIES), (plan, kind) => {
        const { domain, log } = live(plan, kind);
        expect(sameState(applyRows(emptyMemory(domain.memory, kind), log), domain.memory)).toBe(true);
        undoDownTo(domain.memory, log, 0);
        expect(readableDifferences(domain.memory, emptyMemory(domain.memory, kind), log, 0)).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});

describe('the events that carry many entries', () => {
  const { domain } = live(EMPTY_PLAN, 'paged');

  /** The words of the builder's list; pfn 0 to 3 stand in page 1. */
  function listed(memory: Memory): number[] {
    return [...memory.words.subarray(memory.homes[1], memory.homes[1]! + 8)];
  }

  function loggedOnly(kind: 'wipe_page' | 'load_entries' | 'identity_range', ...operands: number[]): EventBatch {
    const log = new EventBatch();
    const payload = payloadColumn(KINDS[kind].id);
    operands[payload] = log.pushPayload([2, mfnWord(1000), 1, 2, mfnWord(1002), 1]);
    log.push(KINDS[kind].id, 0, 0, ...operands);
    return log;
  }

  it.each([
    ['wipe_page', [1], [0, 0, 0, 0]],
    ['identity_range', [0, 4], [0, 1, 2, 3].map((pfn) => domain.memory.codec.identityOf(pfn))],
  ] as const)('%s overwrites what it says was there, and undo brings that back', (kind, operands, now) => {
    const { memory } = domain;
    const before = listed(memory);
    const log = loggedOnly(kind, ...operands);
    applyRows(memory, log);
    expect(listed(memory)).toEqual([...now, ...before.slice(4)]);
    expect(() => applyRows(memory, log)).toThrow(AssertionError);
    undoDownTo(memory, log, 0);
    expect(listed(memory)).toEqual(before);
  });

  it('load_entries stores into entries that are INVALID, and undo makes them so again', () => {
    const { memory } = domain;
    const wiped = loggedOnly('wipe_page', 1);
    const log = loggedOnly('load_entries', 0);
    expect(() => applyRows(memory, log)).toThrow(AssertionError);
    applyRows(memory, wiped);
    applyRows(memory, log);
    expect(listed(memory).slice(0, 4)).toEqual([0, 1, 2, 3].map((pfn) => mfnWord(1000 + pfn)));
    undoDownTo(memory, log, 0);
    expect(listed(memory).slice(0, 4)).toEqual([0, 0, 0, 0]);
    undoDownTo(memory, wiped, 0);
  });
});

describe('a log that lacks an event', () => {
  const history: History = live(
    {
      ...EMPTY_PLAN,
      nrPages: 22,
      garbage: 'm:57005',
      holes: [[8, 13]],
      early: [[3, 'm:70']],
      identity: [[16, 20]],
      extra: [[30, 35]],
      tree: true,
      freesList: true,
      rebuilds: true,
      ops: [
        { op: 'fail', at: 2, from: 0 },
        { op: 'set', pfn: 9, value: 'm:7' },
        { op: 'set', pfn: 9, value: 'm:7' },
        { op: 'set', pfn: 40, value: 'm:8' },
        { op: 'balloon', pfn: 1, count: 2, mfn: 9 },
        { op: 'grant', pfn: 44, mfn: 3, kernelOps: kernelOps() },
      ],
    },
    'paged',
  );

  /** Whether applying `log` fails, or ends in another state than the history did. */
  function isCaught(log: EventBatch): boolean {
    const { memory } = history.domain;
    try {
      return !sameState(applyRows(emptyMemory(memory, 'paged'), log), memory);
    } catch (error) {
      if (error instanceof AssertionError) return true;
      throw error;
    }
  }

  it('is caught, whichever event it lacks, unless that event changed nothing', () => {
    const { domain, log } = history;
    const memory = emptyMemory(domain.memory, 'paged');
    const before = emptyMemory(domain.memory, 'paged');
    let caught = 0;
    for (let i = 0; i < log.length; i++) {
      applyRows(memory, log, i, i + 1);
      if (sameState(memory, before)) continue;
      expect(isCaught(without(log, i)), `event ${i}, ${kindName(log.kind[i]!)}`).toBe(true);
      applyRows(before, log, i, i + 1);
      caught++;
    }
    expect(caught).toBeGreaterThan(100);
  });

  it('is not caught where nothing is missing', () => {
    expect(isCaught(history.log)).toBe(false);
  });
});
