import { describe, expect, it } from 'vitest';
import { BatchLog, EventBatch, Global, pushEvent, type StoredLog } from '../../../events/index.js';
import { INVARIANT_NAMES, INVARIANTS, scanFor, Timeline, type InvariantName } from '../../../replay/index.js';
import type { Invariant, InvariantWatch, ListAtMoment } from '../../../replay/audit/invariants/invariant.js';
import { ptePage, type Memory } from '../../../src/index.js';
import { scenarioOf } from '../../../replay/scenario/read_scenario.js';
import type { Told } from './logs.js';
import { scheduleLog } from './race_logs.js';

/** A list of 48 pfns that has booted: [0, 16) in private leaves, the rest in the pages that all share. */
const BOOT = scheduleLog(
  scenarioOf({
    kernel: '7.0',
    geometry: 'tiny',
    layout: [
      ['nr', '48'],
      ['hole', '16', '48'],
    ],
    threads: [[['set', 18, 'm:77']]],
  }),
  [],
);
const booted = new Timeline(BOOT);
booted.goTo(BOOT.events);
const { memory } = booted;
const page = (name: keyof typeof Global): number => memory.words[Global[name]]!;
const leafOf = (pfn: number, of: Memory = memory): number => ptePage(of.pteOf(pfn));
const [LEAF, OTHER_LEAF] = [leafOf(0), leafOf(4)];
const TABLE = ptePage(memory.words[memory.layout.pmdBase]!);
const MID = memory.loadWord(page('p2m_top_mfn'), 0);
const OP = 1000;

const of = (event: object): Told => ({ cpu: 0, op: OP, ...event }) as Told;
const call = (pfn: number): Told =>
  of({ kind: 'call', operation: 'set_phys_to_machine', pfn, value: '0x4d', origin: 0 });
const ret = (value: number): Told => of({ kind: 'return', operation: 'set_phys_to_machine', result: 'bool', value });
const entry = (pfn: number, leaf: number): Told =>
  of({ kind: 'set_entry', pfn, page: leaf, old: memory.codec.toHex(memory.loadEntryOf(leaf, pfn)), new: '0x4d' });
const free = (freed: number): Told => of({ kind: 'free_page', page: freed, role: 'leaf' });
const setPte = (pfn: number, table: number, old: number, now: number, access = 'rw'): Told =>
  of({ kind: 'set_pte', pfn, page: table, old: `${old}:${access}`, new: `${now}:rw` });
const topMfn = (kind: 'set_top_mfn' | 'set_top_mfn_p', old: number, now: number): Told =>
  of({ kind, index: 0, ...(kind === 'set_top_mfn' ? { expected: old } : {}), old, new: now });
const midMfn = (old: number, now: number): Told => of({ kind: 'set_mid_mfn', page: MID, index: 0, old, new: now });

const maxPfn = (now: number): Told => of({ kind: 'set_max_pfn', info: 1, old: page('shared_info.max_pfn'), new: now });

function logWith(events: readonly Told[]): StoredLog {
  const batch = new EventBatch();
  for (const event of events) pushEvent(batch, { ...event, seq: 0 }, BOOT.codec);
  const batches = Array.from({ length: BOOT.blocks }, (_, block) => BOOT.read(block));
  return new BatchLog('broken.p2mlog', BOOT.header, BOOT.codec, [...batches, batch]);
}

/** Which event of those behind the boot breaks the invariant, and which one shows it; or that none does. */
function broken(name: InvariantName, events: readonly Told[], invariant: Invariant = INVARIANTS[name]): unknown {
  const result = scanFor(logWith(events), invariant);
  if (result.verdict !== 'broken') return result.verdict;
  return [result.seq - BOOT.events, result.decidedAt - BOOT.events];
}

/** A mutant: its watch is not told of one event behind the boot. */
function deafTo(invariant: Invariant, event: number): Invariant {
  const watch = (list: ListAtMoment): InvariantWatch => {
    const whole = invariant.watch(list);
    return {
      begin: () => whole.begin(),
      before: (batch, i) => (batch.op[i] === OP && i === event ? false : (whole.before?.(batch, i) ?? true)),
      look: (told, i) => whole.look?.(told, i),
      after: (happened) => whole.after(happened),
      get undecided() {
        return whole.undecided ?? 0;
      },
    };
  };
  return { ...invariant, watch };
}

const MISSING = page('p2m_missing');
const UNLINKED = page('p2m_mid_missing_mfn');

/** Events behind the boot; which of them breaks the invariant, and which one shows that it does. */
const BREAKS: readonly (readonly [InvariantName, readonly Told[], number, number])[] = [
  ['BUG_ON', [call(1), entry(1, LEAF), of({ kind: 'bug', bug: 'mididx', pfn: 1 })], 2, 2],
  ['shared-leaf-written', [call(18), entry(18, MISSING), ret(1)], 1, 1],
  ['shared-pte-page-written', [call(18), setPte(18, page('p2m_missing_pte'), MISSING, LEAF, 'ro'), ret(1)], 1, 1],
  ['private-page-changed', [call(1), entry(1, LEAF), setPte(1, TABLE, LEAF, MISSING), ret(1)], 2, 2],
  ['private-page-changed', [call(1), setPte(1, TABLE, LEAF, OTHER_LEAF), ret(1)], 1, 1],
  ['bystander-changed', [call(1), entry(1, LEAF), entry(2, LEAF), ret(1)], 2, 2],
  ['freed-page-reachable', [call(1), free(LEAF), ret(1)], 1, 1],
  ['use-after-free', [call(1), free(LEAF), entry(1, LEAF), ret(1)], 2, 2],
  ['top-mismatch', [call(1), topMfn('set_top_mfn', MID, UNLINKED), ret(1)], 1, 2],
  ['mfn-tree-misses-leaf', [call(1), midMfn(LEAF, MISSING), ret(1)], 1, 2],
  ['list-and-tree-differ', [call(1), midMfn(LEAF, MISSING), ret(1)], 1, 2],
  ['leak', [call(1), setPte(1, TABLE, LEAF, OTHER_LEAF), midMfn(LEAF, OTHER_LEAF), ret(1)], 1, 3],
  ['max-pfn-misses-leaf', [call(1), setPte(1, TABLE, LEAF, OTHER_LEAF), maxPfn(2), ret(1)], 2, 3],
  ['false-set', [call(1), entry(1, LEAF), ret(0)], 2, 2],
  ['false-set', [call(1), ret(0)], 1, 1],
];

/** The same, but put right, or not wrong at all. */
const HOLDS: readonly (readonly [InvariantName, readonly Told[]])[] = [
  ['top-mismatch', [call(1), topMfn('set_top_mfn', MID, UNLINKED), topMfn('set_top_mfn_p', MID, UNLINKED), ret(1)]],
  ['mfn-tree-misses-leaf', [call(1), midMfn(LEAF, MISSING), midMfn(MISSING, LEAF), ret(1)]],
  ['list-and-tree-differ', [call(1), midMfn(LEAF, MISSING), midMfn(MISSING, LEAF), ret(1)]],
  ['bystander-changed', [call(1), entry(1, LEAF), ret(1)]],
  ['false-set', [call(1), entry(1, LEAF), ret(1)]],
  ['false-set', [call(1), of({ kind: 'alloc_failed', role: 'leaf' }), ret(0)]],
];

describe('scanFor', () => {
  it.each(BREAKS)('tells the event that breaks %s', (name, events, seq, decidedAt) => {
    expect(broken(name, events)).toEqual([seq, decidedAt]);
  });

  it.each(HOLDS)('finds nothing where %s is put right in time', (name, events) => {
    expect(broken(name, events)).toBe('held');
  });

  it.each(BREAKS)('does not tell it where a mutant of the watch of %s misses that event', (name, events, ...seqs) => {
    expect(broken(name, events, deafTo(INVARIANTS[name], seqs[0]))).not.toEqual(seqs);
  });

  it.each(HOLDS.filter(([, events]) => events.length > 3 || events.some(({ kind }) => kind === 'alloc_failed')))(
    'tells one where a mutant of the watch of %s never learns that it was put right',
    (name, events) => {
      expect(broken(name, events, deafTo(INVARIANTS[name], events.length - 2))).not.toBe('held');
    },
  );

  it('says that every invariant holds of the boot', () => {
    for (const name of INVARIANT_NAMES) expect(broken(name, [call(1), ret(1)]), name).toBe('held');
  });
});
