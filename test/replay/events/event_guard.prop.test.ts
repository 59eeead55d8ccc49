import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError, EventBatch, Global, KINDS, P2mError, payloadColumn } from '../../../events/index.js';
import { EventPlayer, headerOf } from '../../../replay/index.js';
import { EventGuard } from '../../../replay/events/event_guard.js';
import { stateDigest } from '../../../replay/events/state_digest.js';
import { apply, GRANT_WORDS, GRANTS, POOL_HEAD, type Domain, type Memory } from '../../../src/index.js';
import { emptyMemory, live, plans, type Plan } from '../../src/histories.js';
import { set, treeDomain } from '../../src/tree_domain.js';
import { logOf } from './own_logs.js';

type Column = 'a' | 'b' | 'c' | 'd' | 'e' | 'cpu';
type Range = readonly [start: number, end: number];

/** A change of one operand: any number that its column can hold, small ones and neighbours often. */
const change = fc.record({
  // A double would nearly always be next to 0, and lead to the first event.
  where: fc.nat(999).map((place) => place / 1000),
  column: fc.constantFrom<Column>('a', 'b', 'c', 'd', 'e', 'cpu'),
  value: fc.oneof(
    fc.nat(300),
    fc.integer({ min: -2, max: 70_000 }),
    fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    fc.nat(300).map((page) => (page << 2) | 3),
  ),
});

const COMMONEST: readonly number[] = [KINDS.set_entry.id, KINDS.call.id, KINDS.return.id];

function bytesOf({ words }: Memory): Buffer {
  return Buffer.from(words.slice().buffer);
}

function changed(log: EventBatch, row: number, column: Column, value: number): EventBatch {
  const copy = new EventBatch();
  for (let i = 0; i < log.length; i++) copy.copyRow(log, i, payloadColumn(log.kind[i]!));
  // A reader hands on payload columns that name records only.
  if ('abcde'.indexOf(column) !== payloadColumn(copy.kind[row]!)) copy[column][row] = value;
  return copy;
}

/** The words that event `i` may write, by what its kind is: told without the guard. */
function reach(m: Memory, batch: EventBatch, i: number): Range[] {
  const { layout, geometry } = m;
  const [a, b] = [batch.a[i]!, batch.b[i]!];
  const page = (p: number): Range => [m.homes[p]!, m.homes[p]! + geometry.pageWords];
  const word = (at: number): Range => [at, at + 1];
  const [pools, attempts]: Range[] = [
    [POOL_HEAD, POOL_HEAD + layout.pools],
    [128, 131],
  ];
  const pmds: Range = [layout.pmdBase, layout.pmdBase + layout.pmdCount];
  const pages: Range = [layout.pagesBase, layout.words];
  switch (batch.kind[i]) {
    case KINDS.set_entry.id:
    case KINDS.set_pte.id:
      return [page(b)];
    case KINDS.fill_page.id:
    case KINDS.set_mid_mfn.id:
    case KINDS.set_mid.id:
    case KINDS.wipe_page.id:
      return [page(a)];
    case KINDS.set_pmd.id:
      return [pmds];
    case KINDS.alloc_page.id:
    case KINDS.alloc_failed.id:
    case KINDS.arm_failure.id:
      return [pools!, attempts!];
    case KINDS.populate_pmd.id:
      return [pools!, pmds];
    case KINDS.set_global.id:
      return [word(a)];
    case KINDS.lock.id:
    case KINDS.unlock.id:
    case KINDS.set_max_pfn.id:
    case KINDS.set_generation.id:
      return [[1, 64]];
    case KINDS.set_top_mfn.id:
      return [page(m.words[Global.p2m_top_mfn]!)];
    case KINDS.set_top_mfn_p.id:
      return [page(m.words[Global.p2m_top_mfn_p]!)];
    case KINDS.set_top.id:
      return [page(m.words[Global.p2m_top]!)];
    case KINDS.set_m2p.id:
    case KINDS.set_override.id:
      return [[layout.m2pBase, layout.overrideBase + layout.m2pFrames]];
    case KINDS.set_grant.id:
      return [word(GRANTS + a * GRANT_WORDS + b)];
    case KINDS.set_extra_mem.id:
      return [[136, GRANTS]];
    case KINDS.boot.id:
      return [[layout.pagesBase, layout.pagesBase + layout.initPages * geometry.pageWords]];
    case KINDS.identity_range.id:
    case KINDS.load_entries.id:
      return [pages];
    default:
      return [];
  }
}

/** Plays what the guard lets pass, with a look after each event from `row` on; whether all of it was. */
function playWatched(memory: Memory, isTree: boolean, log: EventBatch, row: number): boolean {
  const guard = new EventGuard(memory, isTree, (what) => {
    throw new P2mError('bad-input', what);
  });
  for (let i = 0; i < log.length; i++) {
    const before = i === row ? memory.words.slice() : undefined;
    const areas = i === row ? reach(memory, log, i) : [];
    try {
      guard.check(log, i);
      apply(memory, log, i);
    } catch (error) {
      if (error instanceof P2mError || error instanceof AssertionError) return false;
      throw error;
    }
    before?.forEach((word, at) => {
      if (memory.words[at] === word) return;
      expect(areas.some(([start, end]) => at >= start && at < end)).toBe(true);
    });
  }
  return true;
}

/** A life to be lived: a plan of a linear list, or an old tree and the pfns that are set in it. */
type Life = Plan | { readonly tree: '3.16' | '3.18'; readonly pfns: readonly number[] };

const lives: fc.Arbitrary<Life> = fc.oneof<fc.Arbitrary<Life>[]>(
  plans('tiny'),
  fc.record({ tree: fc.constantFrom('3.16', '3.18'), pfns: fc.array(fc.nat(63), { maxLength: 6 }) }),
);

function liveOf(life: Life): { domain: Domain; log: EventBatch } {
  if (!('pfns' in life)) return live(life, 'paged');
  const domain = treeDomain({ kernel: life.tree, nrPages: 9, identity: [[6, 13]] });
  for (const pfn of life.pfns) set(domain, pfn, 'm:7');
  return { domain, log: domain.batch };
}

/** Whether a reader would hand on such events: its own checks are not what is tested here. */
function isReadable(domain: Domain, log: EventBatch): boolean {
  try {
    logOf('p2mlog', headerOf(domain), log, domain.memory.codec);
    return true;
  } catch (error) {
    if (error instanceof AssertionError) return false;
    throw error;
  }
}

describe('EventGuard', () => {
  it('keeps an event with a wild operand from writing elsewhere, and the memory fit to be read', () => {
    let passed = 0;
    let refused = 0;
    fc.assert(
      fc.property(lives, change, (life, { where, column, value }) => {
        const { domain, log } = liveOf(life);
        const row = Math.floor(where * log.length);
        const wild = changed(log, row, column, value);
        fc.pre(isReadable(domain, wild));
        const isTree = domain.form.structure === 'tree';
        const memory = isTree
          ? new EventPlayer(headerOf(domain), domain.memory.codec, 'run').memory
          : emptyMemory(domain.memory, 'paged');
        if (playWatched(memory, isTree, wild, row)) passed++;
        else refused++;
        expect(stateDigest(memory).list).toMatch(/^[0-9a-f]{8}$/);
      }),
      { numRuns: 700 },
    );
    expect(Math.min(passed, refused)).toBeGreaterThan(30);
  });

  it('lets an EventPlayer end in a complaint or in a state, and in nothing else, on either memory', () => {
    fc.assert(
      fc.property(lives, fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), (life, changes, flat) => {
        const { domain, log } = liveOf(life);
        const kind = flat && domain.form.structure === 'linear' ? 'flat' : 'paged';
        const player = new EventPlayer(headerOf(domain), domain.memory.codec, 'run', kind);
        let wild = log;
        for (const { where, column, value } of changes) {
          wild = changed(wild, Math.floor(where * log.length), column, value);
        }
        fc.pre(isReadable(domain, wild));
        try {
          player.play(wild, 0);
          expect(player.events).toBe(log.length);
        } catch (error) {
          if (!(error instanceof P2mError) || error.exitCode !== 3) throw error;
        }
        expect(player.digest().rest).toMatch(/^[0-9a-f]{8}$/);
      }),
      { numRuns: 500 },
    );
  });

  it('lets an EventPlayer, which has a shorter way for the commonest kinds, apply the same events to the same words', () => {
    const outcomes = [0, 0];
    fc.assert(
      fc.property(plans('tiny'), change, (plan, { where, column, value }) => {
        const { domain, log } = live(plan, 'paged');
        const common = [...log.kind.subarray(0, log.length).keys()].filter((i) => COMMONEST.includes(log.kind[i]!));
        const wild = changed(log, common[Math.floor(where * common.length)]!, column, value);
        fc.pre(isReadable(domain, wild));
        const memory = emptyMemory(domain.memory, 'paged');
        const player = new EventPlayer(headerOf(domain), domain.memory.codec, 'run');
        const fits = playWatched(memory, false, wild, -1);
        outcomes[fits ? 1 : 0]!++;
        if (fits) player.play(wild, 0);
        else expect(() => player.play(wild, 0)).toThrow(P2mError);
        expect(Buffer.compare(bytesOf(player.memory), bytesOf(memory))).toBe(0);
      }),
      { numRuns: 400 },
    );
    expect(Math.min(...outcomes)).toBeGreaterThan(20);
  });
});
