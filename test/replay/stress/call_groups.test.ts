import { describe, expect, it } from 'vitest';
import { candidateCalls } from '../../../replay/stress/call_groups.js';
import type { RoundCall } from '../../../replay/stress/round_calls.js';
import type { RoundFinding } from '../../../replay/index.js';
import { geometryByName } from '../../../src/index.js';

/** A set of a tiny list, in hand from event `call` to event `end`. */
function set(op: number, cpu: number, call: number, end: number, pfn: number): RoundCall {
  return { op, cpu, call, end, operations: [['set', pfn, `m:${op}`]] };
}

/** Operations of each group, for a finding of operation 1 at an event. */
function groups(calls: readonly RoundCall[], seq: number): number[][] {
  const finding: RoundFinding = { check: 'BUG_ON', says: '', seq, decidedAt: seq, operations: [1] };
  return [...candidateCalls(calls, finding, geometryByName('tiny'))].map((group) => group.map(({ op }) => op));
}

const GUILTY = set(1, 0, 10, 100, 0x12);

describe('candidateCalls', () => {
  it('begins with the guilty call alone, then with another, the nearest first', () => {
    const [far, near] = [set(2, 1, 20, 30, 0x12), set(3, 1, 80, 90, 0x13)];
    expect(groups([GUILTY, far, near], 95)).toEqual([[1], [1, 3], [1, 2], [1, 3, 2]]);
  });

  it('takes one of the calls that do the same in the same place behind the beginning of the guilty one', () => {
    expect(groups([GUILTY, set(2, 1, 20, 30, 0x13), set(3, 1, 80, 90, 0x13)], 95)).toEqual([[1], [1, 3]]);
  });

  // Call 2 met the list without what it linked itself; call 3 does the same on a list that has it.
  it('takes each call that began before the guilty one, for it met another list', () => {
    expect(groups([set(2, 1, 5, 15, 0x13), GUILTY, set(3, 1, 80, 90, 0x13)], 95)).toContainEqual([1, 2]);
  });

  it('leaves out calls that do not overlap, and those of other mid pages', () => {
    expect(groups([set(2, 1, 1, 9, 0x12), GUILTY, set(3, 2, 20, 30, 0x1), set(4, 1, 101, 110, 0x12)], 95)).toEqual([
      [1],
    ]);
  });
});
