import { describe, expect, it } from 'vitest';
import type { Contestant } from '../../bench/contest.js';
import { whyNot, type Machine } from '../../bench/machine.js';

const MB = 2 ** 20;
const small: Machine = { cpus: 1, memoryBytes: 100 * MB, diskBytes: 100 * MB, cProgram: { why: 'no gcc, no cc' } };
const large: Machine = {
  cpus: 8,
  memoryBytes: 1e5 * MB,
  diskBytes: 1e5 * MB,
  cProgram: { path: '/tmp/look_up', compiler: 'gcc 12' },
};
const work = { run: () => ({ count: 1, check: 1 }) };
const ours = (needs: Contestant['needs'] = {}): Contestant => ({ name: 'ours', node: () => work, needs });

describe('whyNot', () => {
  it.each<[Contestant, string]>([
    [{ name: 'C', c: () => [] }, 'no gcc, no cc'],
    [ours({ cpus: 2 }), '1 CPU, needs 2'],
    [ours({ memoryBytes: 90 * MB }), 'needs 90 MB of memory, 100 MB can be had'],
  ])('says what is missing: %o', (contestant, why) => {
    expect(whyNot(contestant, small)).toBe(why);
    expect(whyNot(contestant, large)).toBeUndefined();
  });

  it('names the folder whose disk is too small', () => {
    expect(whyNot(ours({ diskBytes: 90 * MB }), small)).toMatch(/^needs 90 MB of disk in .+, 100 MB are free$/);
  });

  it('lets who needs little run anywhere', () => {
    expect(whyNot(ours(), small)).toBeUndefined();
  });
});
