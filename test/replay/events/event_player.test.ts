import { describe, expect, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  Global,
  KINDS,
  mfnWord,
  P2mError,
  payloadColumn,
  Role,
  type EventsHeader,
  type KindName,
} from '../../../events/index.js';
import { EventPlayer, EventReplay, headerOf, type MemoryKind } from '../../../replay/index.js';
import { formByKernel } from '../../../src/index.js';
import { live, type Plan } from '../../src/histories.js';
import { complaintOf, logOf } from './own_logs.js';

const PLAN: Plan = {
  kernel: '7.0',
  geometry: 'tiny',
  nrPages: 22,
  garbage: 'm:57005',
  holes: [[8, 13]],
  early: [[3, 'm:70']],
  identity: [[16, 20]],
  extra: [[30, 35]],
  limit: 0,
  flags: 0,
  tree: true,
  freesList: true,
  rebuilds: true,
  ops: [
    { op: 'set', pfn: 9, value: 'm:1099511627776' },
    { op: 'lookup', pfn: 9 },
    { op: 'set', pfn: 40, value: 'm:8' },
  ],
};
const { domain, log } = live(PLAN, 'paged');
const HEADER = headerOf(domain);

function rowOf(kind: KindName, nth = 0): number {
  const rows = Array.from({ length: log.length }, (_, i) => i).filter((i) => log.kind[i] === KINDS[kind].id);
  return rows.at(nth)!;
}

/** The log with operand columns of one row changed. */
function changed(row: number, operands: Partial<Record<'a' | 'b' | 'c' | 'd' | 'e' | 'cpu', number>>): EventBatch {
  const copy = new EventBatch();
  for (let i = 0; i < log.length; i++) copy.copyRow(log, i, payloadColumn(log.kind[i]!));
  for (const [column, value] of Object.entries(operands)) copy[column as 'a'][row] = value;
  return copy;
}

function complaint(header: EventsHeader, batch: EventBatch, memory: MemoryKind = 'paged'): string {
  return complaintOf('jsonl', logOf('jsonl', header, batch, domain.memory.codec), memory);
}

describe('EventPlayer', () => {
  it('counts what it played, by kind and by operation', () => {
    const player = new EventPlayer(HEADER, domain.memory.codec, 'run.p2mlog');
    player.play(log, 0);
    expect(player.events).toBe(log.length);
    expect(player.operations).toEqual({
      xen_build_dynamic_phys_to_machine: 1,
      set_phys_range_identity: 1,
      xen_pagetable_p2m_setup: 1,
      xen_build_mfn_list_list: 1,
      xen_setup_mfn_list_list: 1,
      __pfn_to_mfn: 1,
      __set_phys_to_machine: 1,
      set_phys_to_machine: 2,
    });
    const { kinds } = player;
    expect(kinds).toMatchObject({ boot: 1, call: 9, return: 9 });
    expect(Object.values(kinds).reduce((sum, count) => sum + count, 0)).toBe(log.length);
    expect(player.form).toBe(formByKernel('7.0'));
  });

  it('keeps the counts of what was played before a fault', () => {
    const row = rowOf('set_entry', -1);
    const player = new EventPlayer(HEADER, domain.memory.codec, 'run.p2mlog');
    expect(() => player.play(changed(row, { c: mfnWord(1) }), 0)).toThrow(P2mError);
    expect(player.events).toBe(row);
    const { kinds } = player;
    expect(Object.values(kinds).reduce((sum, count) => sum + count, 0)).toBe(row);
  });

  it('has another digest after another history', () => {
    const [player, other] = [0, 1].map(() => new EventPlayer(HEADER, domain.memory.codec, 'run'));
    player!.play(log, 0);
    other!.play(changed(rowOf('set_entry', -1), { d: mfnWord(9) }), 0);
    expect(other!.digest().rest).toBe(player!.digest().rest);
    expect(other!.digest().list).not.toBe(player!.digest().list);
    const third = new EventPlayer(HEADER, domain.memory.codec, 'run');
    const generation = rowOf('set_generation', -1);
    third.play(changed(generation, { c: log.c[generation]! + 1 }), 0);
    expect(third.digest()).toMatchObject({ list: player!.digest().list });
    expect(third.digest().rest).not.toBe(player!.digest().rest);
  });

  it('says which event of which line does not fit, got and expected', () => {
    const row = rowOf('set_entry', -1);
    expect(complaint(HEADER, changed(row, { c: mfnWord(1) }))).toMatch(
      new RegExp(
        `^run\\.jsonl:${row + 2}: event ${row} \\(set_entry\\) does not fit what the events before it made: ` +
          `got \\{"seq":${row},.*, want "old":"0x4000000000000028"$`,
      ),
    );
  });

  it('says at which byte the event of a binary log stands', () => {
    const row = rowOf('set_entry', -1);
    const file = logOf('p2mlog', HEADER, changed(row, { c: mfnWord(1) }), domain.memory.codec);
    const facts = JSON.stringify(HEADER).length;
    const byte = 72 + Math.ceil(facts / 4) * 4 + 72 + row * 32;
    expect(complaintOf('p2mlog', file)).toContain(`run.p2mlog:byte ${byte}: event ${row} (set_entry) does not fit`);
  });

  it.each<[string, KindName, number, Parameters<typeof changed>[1], string]>([
    ['a CPU that there is not', 'lock', 0, { cpu: 1 }, 'bad cpu: got 1, want below 1'],
    ['a pfn beyond the list', 'set_entry', -1, { a: 100_000 }, 'bad pfn: got 100000, want below 48'],
    ['page 0', 'set_entry', -1, { b: 0 }, 'bad page: got page 0 (none), want a page below'],
    ['a page that is not in use', 'set_entry', -1, { b: 200 }, 'bad page: got page 200 (none), want a page below'],
    ['a page not in use that holds the old word', 'set_entry', -1, { b: 200, c: 0 }, 'bad page: got page 200 (none), '],
    ['a CPU that is none', 'set_entry', -1, { cpu: 200 }, 'bad cpu: got 200, want below '],
    ['a page beyond the memory', 'set_entry', -1, { b: 2 ** 30 - 1 }, 'bad page: got page 1073741823, want a page bel'],
    ['a store of a fault', 'set_entry', -1, { d: 0x3fff_ffff }, 'bad new: got fault, want an entry'],
    ['a leaf for a PT page', 'set_pte', -1, { b: 1 }, 'bad page: got page 1 (init), want a page below'],
    ['a PTE that leads nowhere', 'set_pte', -1, { d: (5000 << 2) | 3 }, 'bad new: got page 5000, want a page below'],
    ['a PTE of page 0', 'set_pte', -1, { d: 3 }, 'bad new: got page 0 (none), want a page below'],
    ['a PTE beyond the list', 'set_pte', -1, { a: 64 }, 'bad pfn: got 64, want below 48'],
    ['a PMD beyond the list', 'set_pmd', -1, { a: 64 }, 'bad pfn: got 64, want below 48'],
    ['a PMD of a leaf', 'set_pmd', -1, { c: (1 << 2) | 3 }, 'bad new: got page 1 (init), want a page below'],
    ['a page out of its turn', 'alloc_page', -1, { a: 60 }, 'bad page: got 60, want '],
    ['a page for nothing', 'alloc_page', -1, { b: Role.none }, 'bad role: got none, want what the page is for'],
    ['a page freed as another', 'free_page', 0, { b: Role.mid }, 'bad role: got mid, want init, which page '],
    ['a fill of another pattern', 'fill_page', -1, { b: 3 }, 'bad page: got page'],
    ['identity from a negative pfn', 'fill_page', -1, { b: 1, c: -5 }, 'bad value: got -5, want a pfn'],
    ['a copy of what is no leaf', 'fill_page', -1, { b: 4, c: 0 }, 'bad value: got page 0 (none), want a page below'],
    ['no global', 'set_global', -1, { a: 0 }, 'bad global: got none, want the name of one'],
    ['a list of 2^31 - 1', 'set_global', -1, { a: Global.xen_p2m_size, c: 2 ** 31 - 1 }, 'bad new: got 2147483647,'],
    ['an address of no list', 'set_global', -1, { a: Global.xen_p2m_addr, c: 3 }, 'bad new: got 3, want below 3'],
    ['too much extra memory', 'set_global', -1, { a: Global.xen_extra_mem_count, c: 9999 }, 'bad new: got 9999, want'],
    ['a top page that is none', 'set_global', -1, { a: Global.p2m_top, c: 1 }, 'bad new: got page 1 (init), want a'],
    ['a shared page beyond', 'set_global', -1, { a: Global.p2m_missing, c: 5000 }, 'bad new: got 5000, want below '],
    ['a slot beyond the top page', 'set_top_mfn', 0, { a: 4 }, 'bad index: got 4, want below 4'],
    ['a frame that is no page', 'set_top_mfn', 0, { d: 5000 }, 'bad new: got 5000, want below '],
    ['a slot beyond the mid page', 'set_mid_mfn', 0, { b: 4 }, 'bad index: got 4, want below 4'],
    ['a mid page that is none', 'set_mid_mfn', 0, { a: 1 }, 'bad page: got page 1 (init), want a page below'],
    ['a third shared info', 'set_max_pfn', 0, { a: 2 }, 'bad info: got 2, want below 2'],
    ['a region beyond', 'set_extra_mem', 0, { a: 1024 }, 'bad index: got 1024, want below 1024'],
    ['a range backwards', 'identity_range', 0, { a: 18, b: 17 }, 'bad pfnStart: got 18, want at most 17'],
    ['a range beyond the list', 'identity_range', 0, { b: 100 }, 'bad pfnEnd: got 100, want at most 24'],
    ['a range of other length', 'identity_range', 0, { b: 19 }, 'bad old: got 4 entries, want 3, as many as the rang'],
    ['a list shorter than its pages', 'boot', 0, { a: 25 }, 'bad nrPages: got 25, want at most 24'],
    ['a look-up beyond an address', 'call', -1, { c: 2 ** 20 }, 'bad pfn: got 4503599627370536, want below 45035996'],
  ])('refuses %s', (_, kind, nth, operands, expected) => {
    const row = rowOf(kind, nth);
    const found = complaint(HEADER, changed(row, operands));
    const where = `run.jsonl:${row + 2}: event ${row} (${kind}) leads out of the memory: `;
    expect(found.slice(0, where.length + expected.length)).toBe(where + expected);
  });

  it('refuses a log that does not begin with its first event, or lacks one', () => {
    const player = new EventPlayer(HEADER, domain.memory.codec, 'run.p2mlog');
    expect(() => player.play(log, 3)).toThrow('does not begin with its first event: got event 3, want event 0');
    player.play(log, 0);
    expect(() => player.play(log, log.length + 1)).toThrow('an event is missing: got event');
  });

  it.each<[string, Partial<EventsHeader> | undefined, MemoryKind, string]>([
    ['another geometry', { geometry: 'huge' }, 'paged', 'the header of the log: unknown geometry: got "huge"'],
    ['another kernel', { kernel: '2.6' }, 'paged', 'the header of the log: unknown kernel form: got "2.6"'],
    ['no capacity', undefined, 'paged', 'the header of the log: no capacity: got none, want what the memory was'],
    ['entries of 32 bits', { entryBits: 32 }, 'paged', 'the header of the log: entries of another size: got 32 bits'],
    ['32 bits, and a kernel without', { geometry: 'x86_32' }, 'paged', 'the header of the log: this kernel has no 32'],
    ['a tree, played flat', { kernel: '3.16' }, 'flat', 'the header of the log: this kernel has no linear list: got'],
    [
      'a list of 2^50 pfns',
      { capacity: { ...HEADER.capacity!, areaPfns: 2 ** 50 } },
      'paged',
      'the header of the log: the list is too large for this model: got',
    ],
    [
      '999 CPUs',
      { capacity: { ...HEADER.capacity!, cpus: 999 } },
      'paged',
      'the header of the log: bad number of CPUs: got 999, want 1 to 256',
    ],
  ])('refuses a header of %s', (_, facts, memory, expected) => {
    const { capacity, ...rest } = HEADER;
    const header = facts === undefined ? rest : { ...rest, capacity: capacity!, ...facts };
    const empty = logOf('jsonl', header, new EventBatch(), new EntryCodec(header.entryBits));
    expect(complaintOf('jsonl', empty, memory).slice(0, expected.length + 11)).toBe(`run.jsonl: ${expected}`);
  });

  it('says where the flat memory cannot show what happened', () => {
    const row = rowOf('set_pte', -1);
    const leaf = log.d[rowOf('set_pte', 0)]!;
    const found = complaint(HEADER, changed(row, { d: leaf }), 'flat');
    expect(found).toMatch(
      new RegExp(`^run\\.jsonl:${row + 2}: event ${row} \\(set_pte\\) is too much for the flat memory: got leaf`),
    );
    expect(found).toContain('(use the paged memory)');
  });
});

describe('EventReplay', () => {
  it('has no player before the header was read', () => {
    const replay = new EventReplay('jsonl', 'run.jsonl');
    expect([replay.header, replay.player]).toEqual([undefined, undefined]);
    const file = logOf('jsonl', HEADER, log, domain.memory.codec);
    replay.push(file.subarray(0, file.indexOf(0x0a) + 1));
    expect(replay.header).toEqual(HEADER);
    expect(() => replay.end()).toThrow('run.jsonl:2: the log is cut');
  });
});
