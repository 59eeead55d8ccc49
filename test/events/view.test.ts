import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  EntryCodec,
  EventBatch,
  FAULT,
  fieldsOf,
  KINDS,
  Operation,
  P2mError,
  parseEvent,
  payloadColumn,
  pushEvent,
  Result,
  viewEvent,
  type EventOf,
  type KindName,
  type P2mEvent,
  type RoleName,
} from '../../events/index.js';

const codec = new EntryCodec(64);

function view(kind: KindName, ...operands: number[]): P2mEvent {
  const batch = new EventBatch();
  batch.push(KINDS[kind].id, 2, 9, ...operands);
  return viewEvent(batch, 0, codec);
}

describe('P2mEvent', () => {
  it('is a union that its kind tells apart, with the fields of the table', () => {
    expectTypeOf<P2mEvent['kind']>().toEqualTypeOf<KindName>();
    expectTypeOf<EventOf<'alloc_page'>['role']>().toEqualTypeOf<RoleName>();
    expectTypeOf<EventOf<'set_entry'>['pfn']>().toEqualTypeOf<number>();
    expectTypeOf<Extract<P2mEvent, { kind: 'set_pte' }>['old']>().toEqualTypeOf<
      `${number}:rw` | `${number}:ro` | 'none'
    >();
    expectTypeOf<keyof EventOf<'lock'>>().toEqualTypeOf<'seq' | 'cpu' | 'op' | 'kind'>();
  });
});

describe('viewEvent', () => {
  it('shows the value of a return as a raw entry where the result is a word, else as a number', () => {
    const word = codec.fromRaw(0x4000_0000, 0xfed00);
    expect(view('return', Operation.__pfn_to_mfn, Result.word, word)).toEqual({
      seq: 0,
      cpu: 2,
      op: 9,
      kind: 'return',
      operation: '__pfn_to_mfn',
      result: 'word',
      value: '0x40000000000fed00',
    });
    expect(view('return', Operation.xen_alloc_p2m_entry, Result.errno, -12)).toMatchObject({
      result: 'errno',
      value: -12,
    });
  });

  it('shows a word of a grant operation as a raw entry where it is the saved entry, else as a number', () => {
    const word = codec.fromRaw(0x8000_0000, 77);
    expect(view('set_grant', 0, 5, 0, word)).toMatchObject({ old: '0xffffffffffffffff', new: '0x800000000000004d' });
    expect(view('set_grant', 0, 1, 0, 77)).toMatchObject({ old: 0, new: 77 });
  });

  it('shows a load that faulted, an empty slot and a pfn beyond 32 bits', () => {
    expect(view('look_up', 5, 1, FAULT)).toMatchObject({ pfn: 2 ** 32 + 5, value: 'fault' });
    expect(view('set_pmd', 4, 0, (7 << 2) | 1)).toMatchObject({ old: 'none', new: '7:ro' });
  });

  it.each([
    ['a kind', 'lock', (batch: EventBatch): number => (batch.kind[0] = 99), 'unknown kind of event: got number 99'],
    ['a role', 'alloc_page', (batch: EventBatch): number => (batch.b[0] = 99), 'bad column of role: got 99'],
    ['a page', 'alloc_page', (batch: EventBatch): number => (batch.a[0] = -1), 'bad column of page: got -1'],
    ['a pfn', 'set_pmd', (batch: EventBatch): number => (batch.a[0] = -1), 'bad column of pfn: got -1'],
    ['a PTE', 'set_pmd', (batch: EventBatch): number => (batch.b[0] = 4), 'bad column of old: got 4'],
    [
      'a pfn of 64 bits',
      'bug',
      (batch: EventBatch): number => (batch.c[0] = 2 ** 21),
      'bad column of pfn: got 2097152',
    ],
  ] as const)('refuses %s that there is not', (_, kind, spoil, message) => {
    const batch = new EventBatch();
    batch.push(KINDS[kind].id, 0, 0);
    spoil(batch);
    expect(() => viewEvent(batch, 0, codec)).toThrow(message);
  });
});

describe('pushEvent', () => {
  const envelope = { seq: 0, cpu: 0, op: 0 } as const;

  it.each<[string, P2mEvent, string]>([
    ['a CPU', { ...envelope, cpu: 256, kind: 'lock' }, 'bad cpu: got 256, want a whole number from 0 to 255'],
    ['an operation', { ...envelope, op: -1, kind: 'lock' }, 'bad op: got -1'],
    ['a page', { ...envelope, kind: 'announce_page', page: 2 ** 30 }, 'bad page: got 1073741824'],
    ['a pfn', { ...envelope, kind: 'set_pmd', pfn: 2 ** 31, old: 'none', new: 'none' }, 'bad pfn: got 2147483648'],
    ['a pfn of 64 bits', { ...envelope, kind: 'bug', bug: 'mididx', pfn: 2 ** 53 }, 'bad pfn: got 9007199254740992'],
    ['a fraction', { ...envelope, kind: 'announce_page', page: 1.5 }, 'bad page: got 1.5'],
    [
      'an integer',
      { ...envelope, kind: 'set_global', global: 'p2m_limit', old: 0, new: 2 ** 31 },
      'bad new: got 2147483648, want a signed 32-bit integer',
    ],
    [
      'a PTE',
      { ...envelope, kind: 'set_pmd', pfn: 0, old: `${2 ** 30}:ro`, new: 'none' },
      'bad old: got "1073741824:ro"',
    ],
    [
      'a run',
      { ...envelope, kind: 'boot', nrPages: 1, entries: [[0, '0x1', 1]] },
      'bad entries[0]: got 0, want a count from 1 on',
    ],
  ])('refuses %s out of range and leaves the batch as it was', (_, event, message) => {
    const batch = new EventBatch();
    expect(() => pushEvent(batch, event, codec)).toThrow(message);
    expect([batch.length, batch.payloadLength]).toEqual([0, 0]);
  });

  it('refuses an entry of 64 bits in a list of 32', () => {
    const event: P2mEvent = { ...envelope, kind: 'look_up', pfn: 0, value: '0x100000000' };
    expect(() => pushEvent(new EventBatch(), event, new EntryCodec(32))).toThrow('want a raw entry of 32 bits');
  });
});

describe('payloadColumn', () => {
  it('is the column of the payload of a kind, -1 where it has none', () => {
    expect([KINDS.boot.id, KINDS.identity_range.id, KINDS.lock.id, 99].map(payloadColumn)).toEqual([1, 2, -1, -1]);
  });
});

describe('fieldsOf', () => {
  it('counts columns in the order of the table, a pfn64 for two', () => {
    expect(fieldsOf('call').map(({ name, column }) => [name, column])).toEqual([
      ['operation', 0],
      ['pfn', 1],
      ['value', 3],
      ['origin', 4],
    ]);
  });
});

describe('parseEvent', () => {
  it.each([
    [null, 'no event: got null'],
    ['lock', 'no event: got "lock"'],
    [{}, 'bad kind: got nothing, want alloc_page'],
    [{ kind: 'lock', cpu: 0, op: 0 }, 'bad seq: got nothing, want a whole number'],
    [{ kind: 'alloc_page', seq: 0, cpu: 0, op: 0, page: '3', role: 'leaf' }, 'bad page: got "3", want a whole number'],
    [
      { kind: 'alloc_page', seq: 0, cpu: 0, op: 0, page: 3, role: 'leave' },
      'bad role: got "leave", want none, init, leaf',
    ],
    [{ kind: 'boot', seq: 0, cpu: 0, op: 0, nrPages: 3, entries: [[1, '0x1']] }, 'bad entries[0]'],
    [{ kind: 'lock', seq: 0, cpu: 0, op: 0, lock: 1 }, 'unknown field of lock: got "lock", want seq, cpu, op, kind'],
  ])('refuses %j', (json, message) => {
    expect(() => parseEvent(json)).toThrow(P2mError);
    expect(() => parseEvent(json)).toThrow(message);
  });
});
