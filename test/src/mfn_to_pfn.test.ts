import { describe, expect, it } from 'vitest';
import { Global, mfnWord } from '../../events/index.js';
import { formByKernel, FORMS, mutant } from '../../src/index.js';
import { bootedDomain, FIRST_MFN } from './domains.js';
import { grantDomain, mapGrants, pfnOf } from './grants.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');

describe.each(['paged', 'flat'] as const)('mfn_to_pfn on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('answers the same of frames that no grant maps in $name', (form) => {
    const d = grantDomain(form, memory);
    d.setM2p(30, 5); // another domain's pfn 5, which is ours under another frame
    d.setM2p(31, 2 ** 20); // another domain's, far above our list
    d.setM2p(32, 20); // another domain's, a hole of ours
    expect(pfnOf(d, FIRST_MFN + 3), 'a frame of ours').toBe(3);
    expect(
      [30, 31, 32].map((mfn) => pfnOf(d, mfn)),
      'frames of other domains',
    ).toEqual([-1, -1, -1]);
    expect(pfnOf(d, 7), 'a frame that the m2p does not know').toBe(-1);
    expect(pfnOf(d, 2048), 'the first frame beyond the m2p: identity, as its number is above the list').toBe(2048);
  });

  it('gives an identity frame its own number where the m2p knows nothing', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      identity: [[8, 10]],
      memory,
      m2pFrames: 40,
    });
    expect(
      [7, 8, 9, 10].map((mfn) => pfnOf(d, mfn)),
      'two identity entries in a mixed leaf',
    ).toEqual([-1, 8, 9, -1]);
    expect(pfnOf(d, 39), 'a frame that the m2p does not know, and the list holds').toBe(-1);
    expect(pfnOf(d, 100), 'a frame beyond the m2p and the list').toBe(100);
  });

  it('does not read the m2p from machine_to_phys_nr on', () => {
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, memory, m2pFrames: FIRST_MFN + 64 });
    d.setGlobal(Global.machine_to_phys_nr, FIRST_MFN + 2);
    expect(pfnOf(d, FIRST_MFN + 1)).toBe(1);
    expect(pfnOf(d, FIRST_MFN + 2)).toBe(FIRST_MFN + 2); // beyond the list too, so identity
  });

  it('does not believe an m2p that the list contradicts', () => {
    const d = grantDomain('7.0', memory);
    d.setM2p(50, 3);
    expect(pfnOf(d, 50)).toBe(-1);
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 3, mfnWord(50));
    expect(pfnOf(d, 50)).toBe(3);
  });

  it('finds a foreign frame by its override up to 3.19.8, and nowhere from 4.0 on (B12)', () => {
    const found = (form = formByKernel('3.19.8')): number => {
      const d = grantDomain(form, memory);
      d.setM2p(40, 5);
      mapGrants(d, [{ pfn: 20, mfn: 40 }], true);
      return pfnOf(d, 40);
    };
    expect(found()).toBe(20);
    expect(found(mutant(formByKernel('3.19.8'), 'm2pOverrides'))).toBe(-1);
    expect(found(formByKernel('4.0'))).toBe(-1);
  });
});
