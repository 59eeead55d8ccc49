import { describe, expect, it } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { logOfEvents, type Told } from '../audit/logs.js';
import { exported, exploredLog, IDENTITY_RACE } from './exported.js';
import { traceFaults, type TraceEvent } from './trace_check.js';

interface Trace {
  readonly displayTimeUnit: string;
  readonly traceEvents: readonly TraceEvent[];
  readonly otherData: Readonly<Record<string, unknown>>;
}

function traceOf(log: StoredLog): Trace {
  const { bytes, rows } = exported(log, 'chrome');
  const trace = JSON.parse(bytes.toString()) as Trace;
  expect(trace.traceEvents).toHaveLength(rows);
  expect(traceFaults(trace.traceEvents)).toEqual([]);
  return trace;
}

const slices = ({ traceEvents }: Trace): TraceEvent[] => traceEvents.filter(({ ph }) => ph === 'X');
const trackOf = ({ traceEvents }: Trace, { tid }: TraceEvent): unknown =>
  traceEvents.find((event) => event.name === 'thread_name' && event.tid === tid)!.args!.name;

const call = (cpu: number, op: number, operation: 'set_phys_to_machine' | 'get_phys_to_machine'): Told => ({
  cpu,
  op,
  kind: 'call',
  operation,
  pfn: 5,
  value: '0x4d',
  origin: 0,
});
const back = (cpu: number, op: number, value = '0x4d'): Told =>
  ({ cpu, op, kind: 'return', operation: 'get_phys_to_machine', result: 'word', value }) as Told;
const store: Told = { cpu: 1, op: 2, kind: 'set_entry', pfn: 5, page: 9, old: '0x4d', new: '0x4e' };
const origin = (cpu: number, op: number, time: number): Told => ({
  cpu,
  op,
  kind: 'origin',
  clock: 'ns',
  time,
  around: 'decrease_reservation',
  line: 3,
});

describe('exportChrome', () => {
  it.each(['3.19', '7.0'])('draws an explored race on %s', (kernel) => {
    const trace = traceOf(exploredLog({ kernel, ...IDENTITY_RACE }).log);
    expect(trace.displayTimeUnit).toBe('ns');
    expect(
      slices(trace)
        .filter(({ cat }) => cat === 'lock')
        .map(({ name }) => name),
    ).toContain('hold');
    expect(trace.otherData.times).toMatch(/no times/);
  });

  it('gives a look-up that saw an old value a category, and an arrow from the store', () => {
    const stale = traceOf(
      logOfEvents([call(0, 1, 'get_phys_to_machine'), call(1, 2, 'set_phys_to_machine'), store, back(0, 1)]),
    );
    expect(slices(stale).map(({ cat }) => cat)).toEqual(['stale-look-up', 'operation']);
    expect(stale.traceEvents.filter(({ ph }) => ph === 's' || ph === 'f')).toHaveLength(2);
    const fresh = traceOf(
      logOfEvents([call(0, 1, 'get_phys_to_machine'), call(1, 2, 'set_phys_to_machine'), store, back(0, 1, '0x4e')]),
    );
    expect(slices(fresh).map(({ cat }) => cat)).toEqual(['operation', 'operation']);
  });

  it('puts operations that overlap on one CPU on tracks of their own', () => {
    const trace = traceOf(
      logOfEvents([call(0, 1, 'get_phys_to_machine'), call(0, 2, 'get_phys_to_machine'), back(0, 1), back(0, 2)]),
    );
    expect(slices(trace).map((slice) => trackOf(trace, slice))).toEqual(['CPU 0', 'CPU 0 (2)']);
  });

  it('draws who waits for the lock, and who holds it', () => {
    const lock = (cpu: number, op: number, kind: 'lock' | 'unlock'): Told => ({ cpu, op, kind });
    const trace = traceOf(
      logOfEvents([
        call(0, 1, 'set_phys_to_machine'),
        call(1, 2, 'set_phys_to_machine'),
        lock(0, 1, 'lock'),
        lock(0, 1, 'unlock'),
        lock(1, 2, 'lock'),
      ]),
    );
    const locks = slices(trace).filter(({ cat }) => cat === 'lock');
    expect(locks.map((slice) => [slice.name, trackOf(trace, slice), slice.ts, slice.dur])).toEqual([
      ['hold', 'CPU 0 lock', 2, 1],
      ['wait', 'CPU 1 lock', 1, 3],
      ['hold', 'CPU 1 lock', 4, 1],
    ]);
  });

  it('takes times from the log, exact to the nanosecond, and draws the function around', () => {
    const trace = traceOf(
      logOfEvents([
        origin(0, 1, 1_000_000_000_123),
        call(0, 1, 'get_phys_to_machine'),
        back(0, 1),
        origin(0, 2, 1_000_000_012_468),
        call(0, 2, 'get_phys_to_machine'),
        back(0, 2),
      ]),
    );
    expect(slices(trace).map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 0.002],
      [12.345, 0.002],
    ]);
    expect(trace.traceEvents.filter(({ ph }) => ph === 'B').map(({ name }) => name)).toEqual(['decrease_reservation']);
    expect(trace.otherData.start_ns).toBe(1_000_000_000_123);
  });

  it('draws assertions and warnings as moments', () => {
    const trace = traceOf(logOfEvents([{ cpu: 2, op: 0, kind: 'bug', bug: 'beyond-size', pfn: 7 }]));
    expect(trace.traceEvents.filter(({ ph }) => ph === 'i').map(({ name }) => name)).toEqual(['bug: beyond-size']);
  });
});

describe('traceFaults', () => {
  const track: TraceEvent = { ph: 'M', name: 'thread_name', pid: 1, tid: 1, args: { name: 'CPU 0' } };
  const slice = (name: string, ts: number, dur: number): TraceEvent => ({
    ph: 'X',
    name,
    cat: 'c',
    pid: 1,
    tid: 1,
    ts,
    dur,
    args: {},
  });

  it('finds slices that overlap, and lets pass those that nest or follow each other', () => {
    expect(traceFaults([track, slice('a', 0, 2), slice('b', 1, 2)])).toEqual(['b overlaps a']);
    expect(traceFaults([track, slice('a', 0, 3), slice('b', 1, 2), slice('c', 3, 1)])).toEqual([]);
  });

  it('finds what the format has not got', () => {
    const { args: _, ...bare } = slice('a', 0, 1);
    expect(traceFaults([track, bare, { ...track, ph: 'Z' }, { ...slice('a', 5, 1), tid: 9 }])).toEqual([
      'X without args',
      'no phase Z',
      'track 9 has no name',
    ]);
    expect(traceFaults([track, { ph: 'E', pid: 1, tid: 1, ts: 0 }])).toEqual(['E without B']);
  });
});
