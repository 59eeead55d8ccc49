import { describe, expect, it } from 'vitest';
import { EntryCodec, INVALID, mfnWord, P2mError } from '../../events/index.js';
import { adoptEngine, bootEngine, formByKernel, GEOMETRIES, type ListState } from '../../src/library.js';

describe('bootEngine', () => {
  it('has a list that is up: the newest kernel, x86_64, frames from 1000 on', () => {
    const e = bootEngine({ nrPages: 2049 });
    expect([e.domain.form.name, e.domain.geometry.name]).toEqual(['7.0', 'x86_64']);
    expect([e.entryOf(0), e.entryOf(2048), e.entryOf(2049)]).toEqual(['m:1000', 'm:3048', 'i:2049']);
  });

  it('takes kernel and geometry by name or as they are, and the plan of a boot', () => {
    const plan = { nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 9 }], extra: [{ pfnStart: 32, pfnEnd: 48 }] };
    const byName = bootEngine({ kernel: '6.1', geometry: 'tiny', firstEntry: 'm:5', ...plan });
    const asIs = bootEngine({
      kernel: formByKernel('6.1'),
      geometry: GEOMETRIES.tiny,
      firstEntry: mfnWord(5),
      ...plan,
    });
    for (const e of [byName, asIs]) {
      expect([0, 8, 31, 32, 48].map((pfn) => e.entryOf(pfn))).toEqual(['m:5', '~', 'm:36', '~', 'i:48']);
    }
  });

  it('refuses what cannot boot', () => {
    expect(() => bootEngine({ nrPages: 32, kernel: '2.6' })).toThrow('unknown kernel form');
    expect(() => bootEngine({ nrPages: 32, geometry: 'arm' })).toThrow('unknown geometry');
    expect(() => bootEngine({ nrPages: 32, firstEntry: 5 })).toThrow('bad value of firstEntry: got 5');
    expect(() => bootEngine({ nrPages: 0 })).toThrow(P2mError);
  });

  it('says where a kernel does not come up', () => {
    // The tree of 3.16 ends at MAX_P2M_PFN, which is 64 here.
    const boot = (kernel: string) =>
      bootEngine({ kernel, geometry: 'tiny', nrPages: 40, extra: [{ pfnStart: 64, pfnEnd: 128 }] });
    expect(() => boot('3.16')).toThrow(
      'the domain does not come up: got xen_build_mfn_list_list ends in {"kind":"bug","bug":"pfn-above-max"} on kernel 3.16',
    );
    expect(boot('6.1').entryOf(100)).toBe('~');
  });
});

describe('adoptEngine', () => {
  it('has the list of a dump', async () => {
    const codec = new EntryCodec(64);
    const entries = Int32Array.from({ length: 16 }, (_, pfn) => (pfn === 3 ? INVALID : mfnWord(100 + pfn)));
    const state: ListState = {
      size: 16,
      lastPfn: 16,
      leaves: [{ pfnStart: 0, pfnEnd: 16, leaf: 'own', ptPage: 'own' }],
      entries,
      mfnTree: true,
    };
    const e = adoptEngine({ kernel: '6.1', geometry: 'tiny', codec }, state);
    expect([2, 3, 15].map((pfn) => e.entryOf(pfn))).toEqual(['m:102', '~', 'm:115']);
    await e.execute({ operation: 'set_phys_to_machine', pfn: 3, value: 'm:7' });
    expect(e.entryOf(3)).toBe('m:7');
  });
});
