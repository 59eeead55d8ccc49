import { describe, expect, it } from 'vitest';
import type { StoredLog } from '../../../events/index.js';
import { nextBoundary, previousBoundary } from '../../../replay/travel/boundaries.js';
import { LogRows } from '../../../replay/travel/log_rows.js';
import { OpenCalls } from '../../../replay/travel/open_calls.js';
import { allPieces } from '../../../replay/travel/pieces.js';
import { logOfEvents, type Told } from '../audit/logs.js';

const call = (op: number, cpu = 0): Told => ({
  cpu,
  op,
  kind: 'call',
  operation: 'set_phys_to_machine',
  pfn: op,
  value: '0x4d',
  origin: 0,
});
const ended = (op: number, cpu = 0): Told => ({
  cpu,
  op,
  kind: 'return',
  operation: 'set_phys_to_machine',
  result: 'bool',
  value: 1,
});
const lock = (op: number, cpu = 0): Told => ({ cpu, op, kind: 'lock' });
const task = (pid: number, cpu = 0): Told => ({ cpu, op: 0, kind: 'task', pid, comm: 'xl' });
const origin = (op: number): Told => ({ cpu: 0, op, kind: 'origin', clock: 'ns', time: 5, around: 'none', line: 0 });

const next = (log: StoredLog, at: number) => allPieces(nextBoundary(new LogRows(log), new OpenCalls(log), at));
const previous = (log: StoredLog, at: number) => allPieces(previousBoundary(new LogRows(log), new OpenCalls(log), at));

/** Moments that `next` stops at from the start on. */
function forwards(log: StoredLog): number[] {
  const moments = [0];
  while (moments.at(-1)! < log.events) moments.push(next(log, moments.at(-1)!));
  return moments;
}

function backwards(log: StoredLog): number[] {
  const moments = [log.events];
  while (moments.at(-1)! > 0) moments.push(previous(log, moments.at(-1)!));
  return moments.reverse();
}

const ALONE = [
  lock(0),
  lock(0),
  task(7),
  origin(1),
  call(1),
  lock(1),
  ended(1),
  call(2),
  ended(2),
  lock(0),
  task(8),
  task(9),
  call(3),
  ended(3),
];

describe.each([1, 2, 3, 4096])('boundaries of operations, %i events in a block', (perBlock) => {
  it('are the same both ways where operations follow each other', () => {
    const log = logOfEvents(ALONE, perBlock);
    expect(forwards(log)).toEqual([0, 2, 7, 9, 10, 14]);
    expect(backwards(log)).toEqual(forwards(log));
  });

  it('are those of the operation of the next or the last event where operations overlap', () => {
    const log = logOfEvents([call(1), call(2, 1), lock(1), ended(2, 1), ended(1)], perBlock);
    expect(next(log, 0)).toBe(5);
    expect(next(log, 1)).toBe(4);
    expect(next(log, 4)).toBe(5);
    expect(previous(log, 5)).toBe(0);
    expect(previous(log, 4)).toBe(1);
    expect(previous(log, 3)).toBe(0);
  });

  it('are the end of the log for what does not return, and runs of events for what has no call', () => {
    const log = logOfEvents([lock(5), lock(5), lock(6), call(7), lock(7)], perBlock);
    expect(forwards(log)).toEqual([0, 2, 3, 5]);
    expect(backwards(log)).toEqual([0, 2, 3, 5]);
  });
});

describe('OpenCalls', () => {
  it('knows at any moment, in any order of asking, what is in the middle and whose it is', () => {
    const log = logOfEvents([task(7), origin(1), call(1), task(8, 1), call(2, 1), ended(1), task(9), ended(2, 1)], 2);
    const first = { op: 1, cpu: 0, call: 2, origin: 1, task: 0 };
    const second = { op: 2, cpu: 1, call: 4, origin: undefined, task: 3 };
    const calls = new OpenCalls(log);
    expect(calls.at(8)).toEqual([]);
    expect(calls.at(7)).toEqual([second]);
    expect(calls.at(5)).toEqual([first, second]);
    expect(calls.at(2)).toEqual([{ ...first, call: undefined }]);
    expect(calls.at(0)).toEqual([]);
    expect(calls.of(5)).toEqual(first);
    expect(calls.of(7)).toEqual(second);
    expect(calls.of(6)).toBeUndefined();
  });
});
