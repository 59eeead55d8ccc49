import { describe, expect, it } from 'vitest';
import { Clock, type ClockName, type StoredLog } from '../../../events/index.js';
import { parseMoment, resolveMoment, resolveSince, timeText } from '../../../replay/audit/moment.js';
import { logOfEvents, type Told } from './logs.js';

const origin = (cpu: number, op: number, time: number, clock: ClockName = 'ns'): Told => ({
  cpu,
  op,
  kind: 'origin',
  clock,
  time,
  around: 'none',
  line: 0,
});
const call = (cpu: number, op: number): Told => ({
  cpu,
  op,
  kind: 'call',
  operation: 'set_phys_to_machine',
  pfn: 1,
  value: '0x7',
  origin: 0,
});
const ret = (cpu: number, op: number): Told => ({
  cpu,
  op,
  kind: 'return',
  operation: 'set_phys_to_machine',
  result: 'bool',
  value: 1,
});
const lock = (cpu: number, op: number): Told => ({ cpu, op, kind: 'lock' });
const operation = (op: number, time: number, clock: ClockName = 'ns'): Told[] => [
  origin(0, op, time, clock),
  call(0, op),
  ret(0, op),
];

/** Events 0-1 have no time; 2-4 began at 87.52 s, 5-7 at 87.520001 s, 8-10 at 90 s, 11 has none. */
const timed = (perBlock: number): StoredLog =>
  logOfEvents(
    [
      lock(0, 0),
      lock(0, 0),
      ...operation(1, 87_520_000_000),
      ...operation(2, 87_520_001_000),
      ...operation(3, 90_000_000_000),
      lock(0, 0),
    ],
    perBlock,
  );
const counted = logOfEvents([...operation(1, 1077, 'counter'), ...operation(2, 1079, 'counter')]);

const at = (text: string, log = timed(4)): number => resolveMoment(log, parseMoment(text));
const since = (text: string, log = timed(4)): number => resolveSince(log, parseMoment(text));

describe('parseMoment', () => {
  it.each(['', '-1', '0x10', '1.5', '1.', '.5s', '@', '@1s', '@1.', '12 s', '1.0123456789s', 'End', '@-1', '1e3'])(
    'refuses %j and says what a moment is',
    (text) => {
      expect(() => parseMoment(text)).toThrow(`bad moment: got ${JSON.stringify(text)}, want start, end, an event`);
    },
  );

  it('refuses a number that no event can have', () => {
    expect(() => parseMoment('9007199254740992')).toThrow('moment out of range');
  });
});

describe('resolveMoment', () => {
  it.each([1, 4, 4096])('finds events, times and ends in blocks of %i events', (perBlock) => {
    const log = timed(perBlock);
    const moments = [
      'start',
      '0',
      '7',
      '11',
      '0s',
      '@87.52',
      '0.000000999s',
      '0.000001s',
      '@87.520001',
      '@89.9',
      '@90',
      'end',
    ];
    expect(moments.map((text) => at(text, log))).toEqual([0, 1, 8, 12, 5, 5, 5, 8, 8, 8, 12, 12]);
  });

  it('puts what has no time before the first that has one', () => {
    expect(at('@1')).toBe(2);
  });

  it('counts the events of an operation that went on beside a later one', () => {
    const log = logOfEvents([
      origin(0, 1, 10),
      call(0, 1),
      origin(1, 2, 20),
      call(1, 2),
      lock(0, 1),
      ret(1, 2),
      ret(0, 1),
    ]);
    expect(at('@0.00000001', log)).toBe(7);
    expect(at('@0.000000009', log)).toBe(0);
  });

  it('is exact where a double is not', () => {
    const log = logOfEvents([...operation(1, 4_503_599_627_370_497), ...operation(2, 4_503_599_627_370_498)]);
    expect(at('@4503599.627370497', log)).toBe(3);
    expect(at('@4503599.627370498', log)).toBe(6);
  });

  it('reads a counter as a whole number', () => {
    expect(['@1076', '@1077', '@1078', '@1079'].map((text) => at(text, counted))).toEqual([0, 3, 3, 6]);
    for (const text of ['@1077.5', '2s']) {
      expect(() => at(text, counted)).toThrow(
        `no such time: got ${text}, want @NUMBER such as @1077: the clock of the log is a counter`,
      );
    }
  });

  it('says what the log has where it has no such event, or no times', () => {
    expect(() => at('12')).toThrow('no such event in told.jsonl: got 12, want at most 11');
    expect(() => at('0', logOfEvents([]))).toThrow('an event, but there are none');
    const untimed = logOfEvents([origin(0, 1, 0, 'none'), call(0, 1)]);
    expect(() => at('0s', untimed)).toThrow(
      'told.jsonl has no times: got 0s, want start, end or the number of an event',
    );
    expect(() => at('@9007200')).toThrow('time out of range');
  });
});

describe('resolveSince', () => {
  it('begins with the event itself, or with the first that is not before the time', () => {
    expect(['start', '7', '0s', '0.000000001s', '@87.520001', '@90', '@91', 'end'].map((t) => since(t))).toEqual([
      0, 7, 2, 5, 5, 8, 12, 12,
    ]);
  });
});

describe('timeText', () => {
  it('has six digits, or nine where it needs them, and is read back', () => {
    expect(timeText(Clock.ns, 87_520_279_000)).toBe('87.520279');
    expect(timeText(Clock.ns, 87_000_000_001)).toBe('87.000000001');
    expect(timeText(Clock.counter, 1077)).toBe('1077');
  });
});
