import { describe, expect, test } from 'vitest';
import { EntryCodec, EventBatch, KINDS } from '../../../events/index.js';
import { Control, joinDomain, memoryOf, shareDomain } from '../../../src/index.js';
import { bootedDomain } from '../domains.js';
import { drain, expectEqualMemories, joined, runAtRandom } from './joined_threads.js';

describe('a domain that threads share', () => {
  test.each([
    ['3.16', 'paged'],
    ['3.18', 'paged'],
    ['3.19-rc1', 'paged'],
    ['3.19', 'flat'],
    ['4.0', 'paged'],
    ['7.0', 'paged'],
    ['7.0', 'flat'],
  ] as const)('has its log in the order of memory: %s, %s', (kernel, memory) => {
    for (let seed = 1; seed <= 30; seed++) {
      const all = joined({ kernel, memory });
      runAtRandom(all, seed, 20);
      expectEqualMemories(all);
      expect(all.merge.isDrained).toBe(true);
    }
  });

  test('gives every operation a number of its own, and every event the CPU of its thread', () => {
    const all = joined({ kernel: '7.0' });
    const seen = new EventBatch();
    runAtRandom(all, 1, 50, seen);
    const calls = [...seen.kind.subarray(0, seen.length).keys()].filter((i) => seen.kind[i] === KINDS.call.id);
    expect(calls).toHaveLength(150);
    expect(new Set(calls.map((i) => seen.op[i])).size).toBe(150);
    const cpuOf = new Map(calls.map((i) => [seen.op[i], seen.cpu[i]]));
    for (let i = 0; i < seen.length; i++) expect(cpuOf.get(seen.op[i])).toBe(seen.cpu[i]);
  });

  test('counts sequence numbers on through the end of 32 bits', () => {
    const all = joined({ kernel: '7.0' });
    const control = new Int32Array(all.shared.control);
    expect(control[Control.next]).toBe(0);
    const late = { ...all, merge: all.merge };
    runAtRandom(late, 3, 5);
    expect(drain(late)).toBe(0);
  });

  test('is refused while an entry is in a side table', () => {
    const codec = new EntryCodec(64);
    codec.fromRaw(0x1234, 0x5678);
    const domain = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 32 });
    domain.flush();
    domain.memory.codec.fromRaw(0x1234, 0x5678);
    expect(() => shareDomain(domain)).toThrow('threads cannot share entries of more than 30 bits');
  });

  test('is the same memory for each who joins it', () => {
    const domain = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 32, memory: 'flat' });
    domain.flush();
    const shared = shareDomain(domain);
    const { domain: mine } = joinDomain(structuredClone(shared), 0);
    mine.run('set_phys_to_machine', mine.machines.setPhysToMachine, 3, 0x4000_0777);
    expect(domain.memory.loadEntry(3)).toBe(0x4000_0777);
    expect(memoryOf(shared).loadEntry(3)).toBe(0x4000_0777);
  });
});
