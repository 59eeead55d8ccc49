import { describe, expect, it } from 'vitest';
import {
  BatchLog,
  EntryCodec,
  EventBatch,
  KINDS,
  payloadColumn,
  pushEvent,
  Result,
  viewEvent,
  type EventsHeader,
  type StoredLog,
  type WordText,
} from '../../../events/index.js';
import { firstDifference } from '../../../replay/index.js';
import type { Told } from './logs.js';

const HEADER: EventsHeader = { geometry: 'tiny', kernel: '7.0', entryBits: 64 };
/** Values that have no short form. */
const [WIDE, OTHER] = ['0xc000000000000123', '0xc000000000000456'] as const;

const call = (op: number, value: WordText): Told => ({
  cpu: 0,
  op,
  kind: 'call',
  operation: 'set_phys_to_machine',
  pfn: 3,
  value,
  origin: 0,
});
const load = (...words: WordText[]): Told => ({
  cpu: 0,
  op: 0,
  kind: 'load_entries',
  pfn: 0,
  entries: words.map((word) => [2, word, 0] as const),
});
const store = (op: number, old: WordText, now: WordText): Told => ({
  cpu: 0,
  op,
  kind: 'set_entry',
  pfn: 3,
  page: 9,
  old,
  new: now,
});
const ret = (op: number, result: 'bool' | 'word', value: number | WordText): Told => ({
  cpu: 0,
  op,
  kind: 'return',
  operation: 'set_phys_to_machine',
  result,
  value,
});

/** A log of the events, `perBlock` in a block, whose codec has met `first` before all others. */
function logOf(events: readonly Told[], first: readonly number[] = [], perBlock = 4096): StoredLog {
  const codec = new EntryCodec(64);
  for (const lo of first) codec.fromRaw(0xc000_0000, lo);
  const batches: EventBatch[] = [];
  events.forEach((event, seq) => {
    if (seq % perBlock === 0) batches.push(new EventBatch());
    pushEvent(batches.at(-1)!, { ...event, seq }, codec);
  });
  return new BatchLog('told.jsonl', HEADER, codec, batches);
}

const EVENTS: readonly Told[] = [
  load(WIDE, OTHER),
  call(1, WIDE),
  store(1, '0x7', OTHER),
  ret(1, 'word', WIDE),
  call(2, '0x7'),
  store(2, WIDE, '0x7'),
  ret(2, 'bool', 1),
];

describe('firstDifference', () => {
  it.each([1, 3, 4096])(
    'compares words by value, in whatever order a log has met them, in blocks of %i',
    (perBlock) => {
      const others = logOf(EVENTS, [0x999, 0x456, 0x123], perBlock);
      expect(firstDifference(logOf(EVENTS), others)).toBeUndefined();
      expect(firstDifference(others, logOf(EVENTS))).toBeUndefined();
    },
  );

  it('finds another wide value where its number is the same', () => {
    for (const [seq, other] of [
      [0, load(OTHER, WIDE)],
      [1, call(1, OTHER)],
      [3, ret(1, 'word', OTHER)],
    ] as const) {
      const others = logOf(EVENTS.with(seq, other));
      expect(firstDifference(logOf(EVENTS), others)).toMatchObject({ seq, a: EVENTS[seq], b: other });
    }
    // Both logs call their one wide value by the same number.
    expect(firstDifference(logOf([call(1, WIDE)]), logOf([call(1, OTHER)]))).toMatchObject({ seq: 0 });
  });

  it('does not take a number for a word', () => {
    const [one, other] = [logOf([ret(1, 'bool', 1)]), logOf([ret(1, 'bool', 2)])];
    for (const log of [one, other]) log.codec.fromRaw(0xc000_0000, 0x123);
    expect(firstDifference(one, other)).toMatchObject({ seq: 0 });
  });

  it('finds a difference of any column, the CPU and the kind', () => {
    for (let seq = 0; seq < EVENTS.length; seq++) {
      for (const column of ['kind', 'cpu', 'a', 'b', 'c', 'd', 'e'] as const) {
        const [one, other] = [logOf(EVENTS), logOf(EVENTS)];
        const batch = other.read(0);
        const isPayload = payloadColumn(batch.kind[seq]!) === 'abcde'.indexOf(column) && column.length === 1;
        if (isPayload) continue;
        // Another kind has the same columns, another word is another value.
        batch[column][seq] = column === 'kind' ? KINDS.lock.id : batch[column][seq]! + 1;
        if (column === 'a' && batch.kind[seq] === KINDS.return.id) batch.a[seq] = 0;
        if (column === 'b' && batch.kind[seq] === KINDS.return.id) batch.b[seq] = Result.count;
        expect(isDifferent(one, other, seq), `${seq} ${column}`).toBe(true);
      }
    }
  });

  it('pairs operations, and none with two', () => {
    const renamed = EVENTS.map((event) => ({ ...event, op: event.op === 0 ? 0 : 30 - event.op }));
    expect(firstDifference(logOf(EVENTS), logOf(renamed))).toBeUndefined();
    const merged = EVENTS.map((event) => ({ ...event, op: Math.min(event.op, 1) }));
    expect(firstDifference(logOf(EVENTS), logOf(merged))).toMatchObject({ seq: 4 });
    expect(firstDifference(logOf(merged), logOf(EVENTS))).toMatchObject({ seq: 4 });
    expect(firstDifference(logOf(EVENTS), logOf(EVENTS.with(0, { ...load(WIDE, OTHER), op: 9 })))).toMatchObject({
      seq: 0,
    });
  });

  it('tells the event that the shorter log has not', () => {
    const shorter = logOf(EVENTS.slice(0, 6), [], 4);
    expect(firstDifference(logOf(EVENTS), shorter)).toMatchObject({ seq: 6, a: EVENTS[6], b: undefined });
    expect(firstDifference(shorter, logOf(EVENTS))).toMatchObject({ seq: 6, a: undefined, b: EVENTS[6] });
  });
});

function isDifferent(one: StoredLog, other: StoredLog, seq: number): boolean {
  try {
    return firstDifference(one, other)?.seq === seq;
  } catch (error) {
    // The column holds what its field cannot: it was found different, and cannot be shown.
    expect(() => viewEvent(other.read(0), seq, other.codec, seq)).toThrow();
    return error instanceof Error;
  }
}
