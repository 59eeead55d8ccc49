import { describe, expect, it } from 'vitest';
import { Global, INVALID, mfnWord } from '../../events/index.js';
import { bootSequence, debugfsDump, Domain, FORMS, formByKernel, GEOMETRIES } from '../../src/index.js';
import { elemType } from '../../src/p2m/elem_type.js';
import { bootedDomain, FIRST_MFN } from './domains.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');
const NAMES = ['identity', 'missing', 'pfn'];

function dump(d: Domain): string[] {
  return [...debugfsDump(d.memory)];
}

/** The kernel's loop, pfn by pfn. */
function pfnByPfn(d: Domain): string[] {
  const size = d.global(Global.xen_p2m_size);
  const types = Array.from({ length: size }, (_, pfn) => NAMES[elemType(d.memory, pfn)]!);
  const starts = types.flatMap((type, pfn) => (type === types[pfn - 1] ? [] : [pfn]));
  return starts.map(
    (start, i) => ` [0x${start.toString(16)}->0x${(starts[i + 1] ?? size).toString(16)}] ${types[start]!}`,
  );
}

describe.each(['paged', 'flat'] as const)('debugfsDump on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('prints the runs of a booted list in $name', (form) => {
    const d = bootedDomain({
      kernel: form,
      geometry: 'tiny',
      nrPages: 64,
      holes: [[20, 27]],
      identity: [
        [30, 31],
        [48, 64],
      ],
      memory,
    });
    d.run('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, 28, d.memory.codec.foreignOf(mfnWord(9)));
    expect(dump(d)).toEqual([
      ' [0x0->0x14] pfn',
      ' [0x14->0x1b] missing',
      ' [0x1b->0x1e] pfn',
      ' [0x1e->0x1f] identity',
      ' [0x1f->0x30] pfn',
      ' [0x30->0x40] missing',
    ]);
    expect(dump(d)).toEqual(pfnByPfn(d));
  });

  it('prints the builder’s list before the rebuild, identity and all', () => {
    const d = new Domain({ form: formByKernel('7.0'), geometry: GEOMETRIES.tiny, nrPages: 30, memory });
    d.boot(30, [[32, mfnWord(FIRST_MFN), 1]]);
    d.run('set_phys_range_identity', d.machines.setPhysRangeIdentity, 8, 0, 16);
    expect(dump(d)).toEqual([' [0x0->0x8] pfn', ' [0x8->0x10] identity', ' [0x10->0x1e] pfn', ' [0x1e->0x20] missing']);
  });

  it('prints nothing before boot', () => {
    const d = new Domain({ form: formByKernel('7.0'), geometry: GEOMETRIES.tiny, nrPages: 30, memory });
    expect(dump(d)).toEqual([]);
  });

  it('tells wide values by their bits, as the loop does', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 16, memory });
    const { codec } = d.memory;
    const wide = ['m:0x100000000', 'i:0x100000000', 'm:0x100000001', '~', 'fi:5', 'i:3', 'i:4', 'i:5'];
    wide.forEach((text, pfn) => {
      d.run('set_phys_to_machine', d.machines.setPhysToMachine, pfn, codec.parse(text));
    });
    expect(dump(d)).toEqual([
      ' [0x0->0x1] pfn',
      ' [0x1->0x2] identity',
      ' [0x2->0x3] pfn',
      ' [0x3->0x4] missing',
      ' [0x4->0x8] identity',
      ' [0x8->0x10] pfn',
    ]);
    expect(dump(d)).toEqual(pfnByPfn(d));
  });

  it('prints a list of 2^27 pfns, leaf by leaf where leaves are shared', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'x86_64',
      nrPages: 2 ** 18,
      extra: [[2 ** 18, 2 ** 18 + 1000]],
      p2mLimitPfns: 2 ** 27,
      memory,
    });
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 2 ** 26 + 5, mfnWord(5));
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 2 ** 27 - 1, INVALID);
    // Shared identity reads missing; the leaves that extra memory and the two calls split read what they hold.
    expect(dump(d)).toEqual([
      ' [0x0->0x40000] pfn',
      ' [0x40000->0x403e8] missing',
      ' [0x403e8->0x40400] identity',
      ' [0x40400->0x4000000] missing',
      ' [0x4000000->0x4000005] identity',
      ' [0x4000005->0x4000006] pfn',
      ' [0x4000006->0x4000200] identity',
      ' [0x4000200->0x7fffe00] missing',
      ' [0x7fffe00->0x7ffffff] identity',
      ' [0x7ffffff->0x8000000] missing',
    ]);
  });

  it('reads fault where nothing is mapped (B2)', () => {
    const d = bootedDomain({
      kernel: '3.19-rc1',
      geometry: 'tiny-pae',
      nrPages: 48,
      holes: [[16, 32]],
      memory,
      tree: false,
    });
    expect(dump(d)).toEqual([' [0x0->0x10] pfn', ' [0x10->0x18] missing', ' [0x18->0x20] fault', ' [0x20->0x30] pfn']);
  });
});

describe('debugfsDump of the paged memory', () => {
  it('shows what somebody stored in the shared leaf, wherever it is mapped', () => {
    const d = bootedDomain({ kernel: '7of8', geometry: 'tiny', nrPages: 32, holes: [[16, 24]] });
    d.cpus[0]!.port.storeLeaf(d.global(Global.p2m_missing), 1, mfnWord(7));
    expect(dump(d)).toEqual([
      ' [0x0->0x10] pfn',
      ' [0x10->0x11] missing',
      ' [0x11->0x12] pfn',
      ' [0x12->0x15] missing',
      ' [0x15->0x16] pfn',
      ' [0x16->0x18] missing',
      ' [0x18->0x20] pfn',
    ]);
    expect(dump(d)).toEqual(pfnByPfn(d));
  });
});

describe('debugfsDump of the old tree', () => {
  it.each(['3.16', '3.18'])(
    '%s tells the shared identity pages from missing ones, unlike the linear list',
    (kernel) => {
      const lines = (which: string): string[] => {
        const form = formByKernel(which);
        const d = new Domain({ form, geometry: GEOMETRIES.tiny, nrPages: 32 });
        bootSequence(d, {
          nrPages: 32,
          firstEntry: mfnWord(1000),
          holes: [{ pfnStart: 4, pfnEnd: 8 }],
          identity: [{ pfnStart: 8, pfnEnd: 24 }],
        });
        return dump(d);
      };
      expect(lines(kernel)).toEqual([
        ' [0x0->0x4] pfn',
        ' [0x4->0x8] missing',
        ' [0x8->0x18] identity',
        ' [0x18->0x20] pfn',
      ]);
      expect(lines('3.19')).toEqual([' [0x0->0x4] pfn', ' [0x4->0x18] missing', ' [0x18->0x20] pfn']);
    },
  );
});
