import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EventBatch, KINDS, LogReader, type EventHandler } from '../../../events/index.js';
import { HEADER, read, reseal, smallLog, write } from './logs.js';

const { batch, codec } = smallLog();
const FILE = write(HEADER, batch, codec);
const FACTS_AT = 72;
const BLOCK_AT = FACTS_AT + 52;
const RECORDS_AT = BLOCK_AT + 72;
const WIDE_AT = RECORDS_AT + 5 * 32;
const PAYLOAD_AT = WIDE_AT + 2 * 8;
const END_AT = PAYLOAD_AT + 7 * 4;
const EVENTS = read(FILE).events;

/** The file with some bytes changed, its checksums right. */
function forged(...changes: readonly (readonly [byte: number, value: number])[]): Uint8Array {
  const file = FILE.slice();
  const view = new DataView(file.buffer);
  for (const [byte, value] of changes) view.setInt32(byte, value, true);
  return reseal(file);
}

describe('LogReader', () => {
  it('reads the file that is damaged below', () => {
    expect(read(FILE)).toMatchObject({ error: '', header: HEADER });
    expect(EVENTS.map(({ kind }) => kind)).toEqual(['boot', 'set_entry', 'set_pte', 'look_up', 'set_entry']);
    expect(FILE.length).toBe(END_AT + 72);
    expect(reseal(FILE)).toEqual(FILE);
  });

  it('refuses the file with any bit of any byte flipped, and hands on nothing that is not true', () => {
    for (let at = 0; at < FILE.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bad = FILE.slice();
        bad[at]! ^= 1 << bit;
        const { error, byte, events } = read(bad);
        expect(error, `bit ${bit} of byte ${at}`).toMatch(/^run\.p2mlog:byte \d+: .*: got .*, want /);
        expect(byte).toBeLessThanOrEqual(at);
        expect(events).toEqual(at < END_AT ? [] : EVENTS);
      }
    }
  });

  it('refuses the file cut at any byte, and names it', () => {
    const whole = [BLOCK_AT, END_AT];
    for (let length = 0; length < FILE.length; length++) {
      if (whole.includes(length)) continue;
      const { error, events } = read(FILE.subarray(0, length), 50);
      const what = length === 0 ? 'no events: got an empty file' : 'the log is cut: got the end of the file';
      expect(error).toContain(`run.p2mlog:byte ${length}: ${what}, want `);
      expect(events).toEqual(length < END_AT ? [] : EVENTS);
    }
  });

  it('says that the log was not closed where the cut is between two blocks', () => {
    expect(read(FILE)).toMatchObject({ error: '', closed: true });
    expect(read(FILE.subarray(0, END_AT))).toMatchObject({ error: '', closed: false, events: EVENTS });
    expect(read(FILE.subarray(0, BLOCK_AT))).toMatchObject({ error: '', closed: false, events: [] });
  });

  it.each([0, 1, 0x89, 0x70])('refuses a byte %d behind the end', (byte) => {
    const { error, events } = read(Buffer.concat([FILE, Uint8Array.of(byte)]));
    expect(error).toContain(`run.p2mlog:byte ${FILE.length + 1}: the log is cut: got the end of the file`);
    expect(events).toEqual(EVENTS);
  });

  it('sees a block whose chain is not its own, where it is asked to', () => {
    const bad = FILE.slice();
    bad[BLOCK_AT + 40]! ^= 1;
    const view = new DataView(bad.buffer);
    view.setUint32(BLOCK_AT + 68, crc32(bad.subarray(BLOCK_AT, BLOCK_AT + 68)), true);
    expect(read(bad).error).toContain(`byte ${BLOCK_AT + 36}: the chain is broken`);
    const trusting = new LogReader({ onHeader: () => undefined, onEvents: () => undefined }, 'run.p2mlog');
    trusting.push(bad);
    expect(trusting.end()).toBe(true);
  });

  it('takes a forged file only where it is the one file of what it says', () => {
    let taken = 0;
    for (let at = 0; at < FILE.length; at++) {
      for (const flip of [1, 0x10, 0x80, 0xff]) {
        const bad = FILE.slice();
        bad[at]! ^= flip;
        const sealed = reseal(bad);
        if (Buffer.compare(sealed, FILE) === 0) continue; // a checksum was changed, and mended
        const { error, again } = read(sealed);
        if (error !== '') continue;
        expect(Buffer.compare(again, undurable(sealed)), `byte ${at} ^ ${flip}`).toBe(0);
        taken++;
      }
    }
    expect(taken).toBeGreaterThan(50);
  });

  it.each([
    ['another file', Buffer.from('{"format":"p2m-events","version":1}\n'), 'byte 0: no log of events: got 7b 22 66'],
    ['a short other file', Buffer.from('hello'), 'byte 0: no log of events: got 68 65 6c 6c 6f, want 89 70 32'],
    ['another version', forged([8, 2]), 'byte 8: another version of the format: got 2, want 1'],
    ['facts of no length', forged([12, 0]), 'byte 12: bad length of the facts: got 0, want a multiple of 4'],
    ['facts of 4 GB', forged([12, -4]), 'byte 12: bad length of the facts: got 4294967292'],
    ['reserved bytes in the header', forged([28, 1]), 'byte 28: reserved bytes are used: got 1, want 0'],
    ['a first segment that begins later', forged([16, 1]), 'byte 16: events are missing: got 1, want 0'],
    ['a first segment that is none', forged([24, 1]), 'byte 24: a segment is missing: got 1, want 0'],
    ['a first segment behind a chain', forged([32, 1]), 'byte 32: a segment of another log: got 01 00'],
    ['facts that are no JSON', forged([FACTS_AT, 0x20202020]), 'byte 72: the facts of the header are not JSON'],
    ['facts with a space', spaced(), 'byte 72: the facts of the header are written in another way'],
    ['another block', forged([BLOCK_AT, 7]), `byte ${BLOCK_AT}: no block: got 7, want`],
    ['a block too early', forged([BLOCK_AT + 8, 1]), `byte ${BLOCK_AT + 8}: events are missing: got 1, want event 0`],
    ['a block too late', forged([BLOCK_AT + 12, 1]), `byte ${BLOCK_AT + 8}: events are missing: got 4294967296`],
    ['a block of 4097', forged([BLOCK_AT + 4, 4097]), `byte ${BLOCK_AT + 4}: bad number of events: got 4097, want 1`],
    ['a block of none', forged([BLOCK_AT + 4, 0]), `byte ${BLOCK_AT + 4}: bad number of events: got 0, want 1`],
    ['a payload of 16 GB', forged([BLOCK_AT + 20, -1]), `byte ${BLOCK_AT + 20}: payload too long: got 4294967295`],
    ['too many wide values', forged([BLOCK_AT + 16, 99]), `byte ${BLOCK_AT + 16}: too many wide values: got 99, want`],
    ['an end of more events', forged([END_AT + 8, 6]), `byte ${END_AT + 8}: events are missing: got 6, want event 5`],
    ['an end with a body', forged([END_AT + 4, 1]), `byte ${END_AT + 4}: an end has no events: got 1, want 0`],
    [
      'an unknown kind',
      forged([RECORDS_AT + 64, 99]),
      `byte ${RECORDS_AT + 64}: unknown kind of event: got number 99,`,
    ],
    ['reserved bytes', forged([RECORDS_AT + 64, 0x10009]), `byte ${RECORDS_AT + 66}: reserved bytes are used: got 1`],
    ['a tail', forged([RECORDS_AT + 64 + 28, 1]), `byte ${RECORDS_AT + 92}: a column that set_pte does not use: got 1`],
    [
      'a negative op',
      forged([RECORDS_AT + 64 + 4, -1]),
      `byte ${RECORDS_AT + 68}: bad op: got -1, want a whole number`,
    ],
    ['a negative pfn', forged([RECORDS_AT + 64 + 8, -1]), `byte ${RECORDS_AT + 72}: bad pfn of set_pte: got -1, want`],
    ['a bad PTE', forged([RECORDS_AT + 64 + 16, 8]), `byte ${RECORDS_AT + 80}: bad old of set_pte: got 8, want 12:rw,`],
    [
      'a large pfn',
      forged([RECORDS_AT + 96 + 12, 2 ** 21]),
      `byte ${RECORDS_AT + 108}: bad pfn of look_up: got 2097152`,
    ],
    ['a wide value twice', forged([WIDE_AT + 8, 1]), `byte ${WIDE_AT + 8}: bad wide value: got 0x12300000001, want`],
    ['a short value', forged([WIDE_AT + 4, 0]), `byte ${WIDE_AT}: bad wide value: got 0x000000001, want a raw entry`],
    ['a handle too early', forged([PAYLOAD_AT + 20, 2]), `byte ${PAYLOAD_AT + 20}: bad handle of a wide value: got 2,`],
    ['a handle of nothing', forged([RECORDS_AT + 32 + 20, 3]), `byte ${RECORDS_AT + 52}: bad handle of a wide value`],
    [
      'a value unused',
      forged([RECORDS_AT + 52, 0], [RECORDS_AT + 128 + 16, 1]),
      `byte ${WIDE_AT}: wide values that no`,
    ],
    [
      'a payload elsewhere',
      forged([RECORDS_AT + 12, 1]),
      `byte ${RECORDS_AT + 12}: bad place of a payload record: got`,
    ],
    ['a payload too long', forged([PAYLOAD_AT, 9]), `byte ${PAYLOAD_AT}: bad length of a payload record: got 9, want`],
    ['a payload of one', forged([PAYLOAD_AT, 1]), `byte ${PAYLOAD_AT}: bad length of a payload record: got 1, want`],
    ['a payload too short', forged([PAYLOAD_AT, 3], [RECORDS_AT + 52, 1]), `byte ${PAYLOAD_AT + 16}: payload that no`],
    ['a run of none', forged([PAYLOAD_AT + 4, 0]), `byte ${PAYLOAD_AT + 4}: bad count of a run: got 0, want a count`],
    ['a run of faults', forged([PAYLOAD_AT + 8, 0x3fffffff]), `byte ${PAYLOAD_AT + 8}: bad word of a run: got`],
  ])('refuses %s', (_, file, expected) => {
    const { error } = read(file);
    expect(error.slice(0, expected.length + 11)).toBe(`run.p2mlog:${expected}`);
  });

  it('hands on the records before a bad one, in a block whose checksum holds', () => {
    const { events, error } = read(forged([RECORDS_AT + 64, 99]));
    expect(events).toEqual(EVENTS.slice(0, 2));
    expect(error).toContain('unknown kind');
  });

  it('sees a block that is left out', () => {
    const many = new EventBatch();
    for (let i = 0; i < 4096 * 3; i++) many.push(KINDS.lock.id, 0, i);
    const file = write(HEADER, many, codec);
    const block = 72 + 4096 * 32;
    const without = Buffer.concat([file.subarray(0, BLOCK_AT + block), file.subarray(BLOCK_AT + 2 * block)]);
    const { error, events } = read(reseal(without));
    expect(error).toContain(`byte ${BLOCK_AT + block + 8}: events are missing: got 8192, want event 4096`);
    expect(events).toHaveLength(4096);
  });

  it('lets what the handler throws come out', () => {
    const onEvents = (): never => {
      throw new RangeError('enough');
    };
    const handler: EventHandler = { onHeader: () => undefined, onEvents };
    expect(() => new LogReader(handler, 'f').push(FILE)).toThrow(/enough/);
  });
});

/** The file of a writer that knows of nothing that is on disk, as the one is that writes again what was read. */
function undurable(file: Uint8Array): Uint8Array {
  const copy = file.slice();
  for (const at of [BLOCK_AT, END_AT]) copy.fill(0, at + 24, at + 32);
  return reseal(copy);
}

/** The file with white space in its facts instead of padding. */
function spaced(): Uint8Array {
  const file = FILE.slice();
  file[FACTS_AT + 49] = 0x20;
  return reseal(file);
}
