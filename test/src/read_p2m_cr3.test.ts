import { describe, expect, it } from 'vitest';
import { Global, mfnWord } from '../../events/index.js';
import { formByKernel, FORMS, mutant, type Domain } from '../../src/index.js';
import { bootedDomain } from './domains.js';
import { leafOf, leavesOf, read, stepTo } from './leaves.js';

const WITH_LIST = FORMS.filter((form) => form.listForTools);

/** Two CPUs; [16, 32) is one shared PT page. CPU 0 sets pfn 17, CPU 1 is the tool. */
function pair(memory: 'paged' | 'flat'): Domain {
  const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 32]], memory, cpus: 2 });
  d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 17, mfnWord(7));
  return d;
}

function beginRead(d: Domain): void {
  d.begin('read_p2m_cr3', d.machines.readP2mCr3, 0, 0, 0, 1);
}

function endRead(d: Domain): number {
  d.cpus[1]!.run();
  const outcome = d.end('read_p2m_cr3', 1);
  if (outcome.kind !== 'count') throw new Error('the reader did not end');
  return outcome.value;
}

function generation(d: Domain): number {
  return d.global(Global['shared_info.p2m_generation']);
}

describe.each(['paged', 'flat'] as const)('read_p2m_cr3 on the %s memory', (memory) => {
  it.each(WITH_LIST)('finds each leaf of the list in $name', (form) => {
    const d = bootedDomain({
      kernel: form,
      geometry: 'tiny',
      nrPages: 64,
      holes: [
        [20, 24],
        [32, 48],
      ],
      memory,
    });
    expect(read(d, 'read_p2m_cr3')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
  });

  it.each([formByKernel('4.0'), mutant(formByKernel('7.0'), 'listForTools')])(
    'reads the tree where p2m_cr3 is 0: $name',
    (kernel) => {
      const d = bootedDomain({ kernel, geometry: 'tiny', nrPages: 64, holes: [[20, 24]], memory, cpus: 2 });
      expect(d.global(Global['shared_info.p2m_cr3'])).toBe(0);
      expect(read(d, 'read_p2m_cr3')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
      // A leaf behind the reader's back: the tree has no generation to tell.
      d.begin('read_p2m_cr3', d.machines.readP2mCr3, 0, 0, 0, 1);
      stepTo(d.cpus[1]!, '8');
      while (d.cpus[1]!.top.leaf < 6) d.cpus[1]!.step();
      d.run('set_phys_to_machine', d.machines.setPhysToMachine, 21, mfnWord(7));
      expect(endRead(d)).toBe(16);
      expect(d.takeEmitted(1)[5]).not.toBe(leafOf(d, 21));
    },
  );

  it.each([
    ['x86_64', '7.0'],
    ['x86_32', '4.20'],
  ] as const)('finds each leaf on %s in %s', (geometry, kernel) => {
    const nrPages = geometry === 'x86_64' ? 3 * 2 ** 18 : 3 * 2 ** 20;
    const third = nrPages / 3;
    const d = bootedDomain({ kernel, geometry, nrPages, holes: [[third + 5000, 2 * third]], memory });
    const { count, leaves } = read(d, 'read_p2m_cr3');
    expect(count).toBe(nrPages / d.geometry.perPage);
    expect(leaves).toEqual(leavesOf(d, count));
  });

  it('reads the list where there is no tree, and beyond what a tree spans', () => {
    const virtual = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 80, memory, flags: 64 });
    expect(read(virtual, 'read_p2m_cr3')).toEqual({ count: 20, leaves: leavesOf(virtual, 20) });
  });

  it('drops PMDs that repeat at the end, and reads those that repeat before', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      holes: [
        [0, 32],
        [36, 64],
      ],
      memory,
    });
    expect(read(d, 'read_p2m_cr3')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
    const end = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[4, 64]], memory });
    expect(read(end, 'read_p2m_cr3')).toEqual({ count: 8, leaves: leavesOf(end, 8) });
  });

  it('gives up when the generation changed under it', () => {
    const d = pair(memory);
    beginRead(d);
    while (d.cpus[1]!.top.leaf < 5) d.cpus[1]!.step();
    d.cpus[0]!.run();
    expect(endRead(d)).toBe(-1);
    expect(generation(d), 'a PMD and a PTE, two steps each').toBe(4);
  });

  it.each([
    ['a PMD', 1],
    ['a PTE', 3],
  ] as const)('gives up when it began while %s was being linked', (what, odd) => {
    const d = pair(memory);
    const writer = d.cpus[0]!;
    while (generation(d) !== odd) writer.step();
    beginRead(d);
    while (d.cpus[1]!.top.leaf < 16) d.cpus[1]!.step();
    writer.run();
    expect(endRead(d), what).toBe(-1);
  });

  it('does not mind an odd generation that stays as it is', () => {
    const d = pair(memory);
    const writer = d.cpus[0]!;
    stepTo(writer, 'A6.6');
    expect(generation(d) % 2).toBe(1);
    const before = read(d, 'read_p2m_cr3');
    expect(before.count).toBe(16);
    expect(before.leaves[4], 'the leaf is not linked yet').toBe(d.global(Global.p2m_missing));
    writer.step();
    const after = read(d, 'read_p2m_cr3');
    expect(after.leaves[4], 'linked, still within the bracket').toBe(leafOf(d, 17));
    expect(after.leaves[4]).not.toBe(before.leaves[4]);
  });

  it('does not mind entries that change', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory, cpus: 2 });
    beginRead(d);
    while (d.cpus[1]!.top.leaf < 5) d.cpus[1]!.step();
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 3, mfnWord(7));
    expect(endRead(d)).toBe(16);
    expect(generation(d)).toBe(0);
  });

  it('cannot walk over a hole in the page tables', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory });
    d.cpus[0]!.port.setPmd(32, 0);
    expect(read(d, 'read_p2m_cr3').count).toBe(-1);
  });
});
