import { describe, expect, it } from 'vitest';
import { Global, mfnWord } from '../../events/index.js';
import { formByKernel, FORMS, mutant, type Form } from '../../src/index.js';
import { bootedDomain } from './domains.js';
import { leafOf, leavesOf, read, stepTo } from './leaves.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');

describe.each(['paged', 'flat'] as const)('read_mfn_tree on the %s memory', (memory) => {
  it.each(LINEAR_FORMS.filter((form) => form.mfnTreeFromPte))('finds each leaf of the list in $name', (form) => {
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
    const { count, leaves } = read(d, 'read_mfn_tree');
    expect(count).toBe(16);
    expect(leaves).toEqual(leavesOf(d, 16));
  });

  it('finds nobody’s frames in the tree of the v3 mail, and the leaves without that defect (B1)', () => {
    const found = (form: Form): number[] => {
      const d = bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 8, memory });
      return read(d, 'read_mfn_tree').leaves.map((leaf, i) => (leaf === leafOf(d, 4 * i) ? 1 : leaf));
    };
    expect(found(formByKernel('v3'))).toEqual([-1, -1, -1, -1]);
    expect(found(mutant(formByKernel('v3'), 'mfnTreeFromPte'))).toEqual([1, 1, 1, 1]);
  });

  it.each([
    ['x86_64', '7.0'],
    ['x86_64', '3.19.8'],
    ['x86_32', '4.20'],
  ] as const)('finds each leaf on %s in %s', (geometry, kernel) => {
    const nrPages = geometry === 'x86_64' ? 3 * 2 ** 18 : 3 * 2 ** 20;
    const third = nrPages / 3;
    const d = bootedDomain({ kernel, geometry, nrPages, holes: [[third + 5000, 2 * third]], memory });
    const { count, leaves } = read(d, 'read_mfn_tree');
    expect(count).toBe(nrPages / d.geometry.perPage);
    expect(leaves).toEqual(leavesOf(d, count));
  });

  it('reads from a mid page of the middle that repeats, and drops those that repeat at the end', () => {
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
    // top: missing, missing, private, missing
    expect(read(d, 'read_mfn_tree')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
    const all = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[4, 64]], memory });
    // top: private, missing, missing, missing; the first of the three is followed
    expect(read(all, 'read_mfn_tree')).toEqual({ count: 8, leaves: leavesOf(all, 8) });
  });

  it('ends with max_pfn inside a mid page', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 25, memory });
    expect(read(d, 'read_mfn_tree')).toEqual({ count: 7, leaves: leavesOf(d, 7) });
  });

  it('follows a leaf that was allocated since boot', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 64]], memory });
    expect(read(d, 'read_mfn_tree').count).toBe(8);
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 42, mfnWord(7));
    const { count, leaves } = read(d, 'read_mfn_tree');
    expect(count).toBe(16);
    expect(leaves[10]).toBe(leafOf(d, 42));
    expect(leaves).toEqual(leavesOf(d, 16));
  });

  it('misses a leaf between its PTE and its word in the mid page', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, holes: [[16, 20]], memory, cpus: 2 });
    d.begin('set_phys_to_machine', d.machines.setPhysToMachine, 17, mfnWord(7));
    stepTo(d.cpus[0]!, 'A6.8');
    expect(read(d, 'read_mfn_tree').leaves[4]).toBe(d.global(Global.p2m_missing));
    d.cpus[0]!.step();
    expect(read(d, 'read_mfn_tree').leaves[4]).toBe(leafOf(d, 17));
  });

  it('is told that there is no tree before boot has made one, and with SIF_VIRT_P2M_4TOOLS', () => {
    const early = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory, tree: false });
    expect(read(early, 'read_mfn_tree')).toEqual({ count: -1, leaves: [] });
    const virtual = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory, flags: 64 });
    expect(read(virtual, 'read_mfn_tree')).toEqual({ count: -1, leaves: [] });
  });

  it('ends with the tree where the list is longer', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 80, memory });
    expect(read(d, 'read_mfn_tree')).toEqual({ count: 16, leaves: leavesOf(d, 16) });
  });
});

describe('last pfn (B10)', () => {
  /** The list has room up to 64, the domain has 32 pages; `pfn` is added later. What do the tools find behind the 32? */
  const found = (form: Form, pfn: number, reader: 'read_mfn_tree' | 'read_p2m_cr3'): [number, boolean] => {
    const d = bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 32, p2mLimitPfns: 64 });
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn, mfnWord(7));
    return [d.global(Global['shared_info.max_pfn']), read(d, reader).leaves.includes(leafOf(d, pfn))];
  };

  it.each(['read_mfn_tree', 'read_p2m_cr3'] as const)(
    'covers the whole leaf of a new pfn from 5.17 on: %s',
    (reader) => {
      for (const [pfn, count] of [
        [32, 36],
        [36, 40],
        [37, 40],
      ] as const) {
        expect(found(formByKernel('5.17'), pfn, reader)).toEqual([count, true]);
        expect(found(mutant(formByKernel('5.12'), 'lastPfnAligned'), pfn, reader)).toEqual([count, true]);
      }
    },
  );

  it.each(['read_mfn_tree', 'read_p2m_cr3'] as const)('ends before a new pfn up to 5.12: %s', (reader) => {
    for (const form of [formByKernel('5.12'), mutant(formByKernel('7.0'), 'lastPfnAligned')]) {
      expect(found(form, 32, reader), 'pfn == last is no expansion').toEqual([32, false]);
      expect(found(form, 36, reader), 'the first pfn of a leaf').toEqual([36, false]);
      expect(found(form, 37, reader), 'the leaf is there, its pfn 37 is beyond max_pfn').toEqual([37, true]);
    }
  });
});
