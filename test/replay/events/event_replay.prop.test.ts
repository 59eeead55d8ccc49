import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_FORMATS, type EventBatch } from '../../../events/index.js';
import { headerOf } from '../../../replay/index.js';
import { stateDigest } from '../../../replay/events/state_digest.js';
import type { Domain } from '../../../src/index.js';
import { LINEAR_FORMS, live, plans } from '../../src/histories.js';
import { set, treeDomain, TREES } from '../../src/tree_domain.js';
import { logOf, replay, sameBesideCodecs } from './own_logs.js';

const MEMORIES = ['paged', 'flat'] as const;

/** Every log of the run, played into either memory, gives the state of the run, and the same log again. */
function comesBack(domain: Domain, log: EventBatch, memories: readonly ('paged' | 'flat')[], size?: number): void {
  const { memory } = domain;
  const digest = stateDigest(memory);
  const header = headerOf(domain, 'a property');
  for (const format of EVENT_FORMATS) {
    const file = logOf(format, header, log, memory.codec);
    for (const kind of memories) {
      const { replayed, written } = replay(format, file, kind, size);
      const player = replayed.player!;
      expect(player.events).toBe(log.length);
      expect(player.digest()).toEqual(digest);
      if (player.memory.kind === memory.kind) expect(sameBesideCodecs(player.memory, memory)).toBe(true);
      expect(Buffer.compare(written, file)).toBe(0);
    }
  }
}

describe.each(['tiny', 'tiny-pae'] as const)('EventReplay, on %s', (geometry) => {
  it.each(MEMORIES)('gives the state of the run that wrote the log, of any linear form, from a %s memory', (kind) => {
    fc.assert(
      fc.property(plans(geometry), fc.integer({ min: 100, max: 9999 }), (plan, size) => {
        const { domain, log } = live(plan, kind);
        comesBack(domain, log, MEMORIES, size);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the state of a tree', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TREES),
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.nat(70), fc.nat(70)), { maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(63), fc.constantFrom('m:7', 'f:9', 'i:3', '~')), { maxLength: 25 }),
        (kernel, nrPages, identity, sets) => {
          const domain = treeDomain({ kernel, geometry, nrPages, identity });
          for (const [pfn, value] of sets) set(domain, pfn, value);
          comesBack(domain, domain.batch, ['paged']);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('EventReplay, on x86_64', () => {
  it('gives the state of the run that wrote the log', () => {
    fc.assert(
      fc.property(plans('x86_64', LINEAR_FORMS, 3000, 15), fc.constantFrom(...MEMORIES), (plan, kind) => {
        const { domain, log } = live(plan, kind);
        const file = logOf('p2mlog', headerOf(domain), log, domain.memory.codec);
        for (const into of MEMORIES) {
          expect(replay('p2mlog', file, into).replayed.player!.digest()).toEqual(stateDigest(domain.memory));
        }
      }),
      { numRuns: 6 },
    );
  });
});

describe('a log in one format, written again in the other', () => {
  it('and back, has the same bytes', () => {
    fc.assert(
      fc.property(plans('tiny'), (plan) => {
        const { domain, log } = live(plan, 'paged');
        const binary = logOf('p2mlog', headerOf(domain), log, domain.memory.codec);
        const { written: text } = replay('p2mlog', binary, 'paged', 5000, 'jsonl');
        expect(Buffer.compare(text, logOf('jsonl', headerOf(domain), log, domain.memory.codec))).toBe(0);
        const { written: back } = replay('jsonl', text, 'paged', 5000, 'p2mlog');
        expect(Buffer.compare(back, binary)).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});
