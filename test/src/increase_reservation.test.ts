import { describe, expect, it } from 'vitest';
import { Global, mfnWord } from '../../events/index.js';
import { FORMS } from '../../src/index.js';
import { bootedDomain, FIRST_MFN } from './domains.js';
import { entry, pfnOf } from './grants.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');

describe.each(['paged', 'flat'] as const)('increase_reservation on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('puts frames behind the pages, in the list and in the m2p, in $name', (form) => {
    const holes = [[16, 32]] as const;
    const d = bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 64, holes, memory, m2pFrames: 2000 });
    const outcome = d.run('increase_reservation', d.machines.increaseReservation, 18, mfnWord(1500), 4);
    expect(outcome).toEqual({ kind: 'void', value: 0 });
    expect([17, 18, 19, 20, 21, 22].map((pfn) => entry(d, pfn))).toEqual([
      '~',
      'm:1500',
      'm:1501',
      'm:1502',
      'm:1503',
      '~',
    ]);
    expect([1500, 1501, 1502, 1503].map((mfn) => pfnOf(d, mfn))).toEqual([18, 19, 20, 21]);
  });

  it('goes on behind a page whose leaf cannot be had; its frame is lost', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      holes: [[16, 32]],
      memory,
      m2pFrames: 2000,
    });
    d.armFailure(3, 0); // PT page, mid page, leaf
    d.run('increase_reservation', d.machines.increaseReservation, 19, mfnWord(50), 2);
    expect([19, 20].map((pfn) => entry(d, pfn))).toEqual(['~', 'm:51']);
    expect([50, 51].map((mfn) => pfnOf(d, mfn))).toEqual([-1, 20]);
  });

  it('gives back on x86_64 what decrease_reservation took, and leaves frames above the m2p to the list alone', () => {
    const d = bootedDomain({ kernel: '5.10', geometry: 'x86_64', nrPages: 2 ** 18, memory, m2pFrames: 3000 });
    d.run('decrease_reservation', d.machines.decreaseReservation, 2 ** 17, 0, 600);
    d.run('increase_reservation', d.machines.increaseReservation, 2 ** 17, mfnWord(FIRST_MFN + 2 ** 17), 600);
    expect([0, 1, 599, 600].map((i) => entry(d, 2 ** 17 + i))).toEqual(
      [0, 1, 599, 600].map((i) => `m:${FIRST_MFN + 2 ** 17 + i}`),
    );
  });

  it('writes no m2p from machine_to_phys_nr on', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      holes: [[16, 20]],
      memory,
      m2pFrames: 2000,
    });
    d.setGlobal(Global.machine_to_phys_nr, 1500);
    d.run('increase_reservation', d.machines.increaseReservation, 16, mfnWord(1498), 4);
    expect([1498, 1499, 1500, 1501].map((mfn) => d.cpus[0]!.port.loadM2p(mfn))).toEqual([17, 18, 0, 0]);
    expect([16, 17, 18, 19].map((pfn) => entry(d, pfn))).toEqual(['m:1498', 'm:1499', 'm:1500', 'm:1501']);
  });
});
