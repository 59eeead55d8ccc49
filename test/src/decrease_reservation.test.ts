import { describe, expect, it } from 'vitest';
import { FORMS } from '../../src/index.js';
import { bootedDomain, FIRST_MFN } from './domains.js';
import { entry, pfnOf } from './grants.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');

describe.each(['paged', 'flat'] as const)('decrease_reservation on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('takes the pages out of the list and of the m2p in $name', (form) => {
    const d = bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 64, memory, m2pFrames: FIRST_MFN + 64 });
    expect(d.run('decrease_reservation', d.machines.decreaseReservation, 6, 0, 3)).toEqual({ kind: 'void', value: 0 });
    expect([5, 6, 7, 8, 9].map((pfn) => entry(d, pfn))).toEqual([
      `m:${FIRST_MFN + 5}`,
      '~',
      '~',
      '~',
      `m:${FIRST_MFN + 9}`,
    ]);
    const m2p = [5, 6, 7, 8, 9].map((pfn) => d.cpus[0]!.port.loadM2p(FIRST_MFN + pfn));
    expect(m2p, 'pfn + 1, or 0').toEqual([6, 0, 0, 0, 10]);
  });

  it('goes on behind an entry that it cannot make INVALID, and never allocates', () => {
    // [16, 32) is one shared identity PT page.
    const d = bootedDomain({ kernel: '7.0', geometry: 'tiny', nrPages: 64, identity: [[16, 32]], memory });
    d.armFailure(0, 1);
    const attempts = d.memory.words.slice();
    expect(d.run('decrease_reservation', d.machines.decreaseReservation, 30, 0, 4).kind).toBe('void');
    expect([30, 31, 32, 33].map((pfn) => entry(d, pfn))).toEqual(['i:30', 'i:31', '~', '~']);
    const changed = [...d.memory.words.keys()].filter((i) => d.memory.words[i] !== attempts[i]);
    expect(changed, 'two entries and nothing else').toHaveLength(2);
  });

  it('does nothing to pages that are out already, twice over', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'x86_64',
      nrPages: 2 ** 18,
      holes: [[512, 1024]],
      memory,
      m2pFrames: 2 ** 18 + FIRST_MFN,
    });
    for (let i = 0; i < 2; i++) d.run('decrease_reservation', d.machines.decreaseReservation, 510, 0, 516);
    expect([509, 510, 700, 1025, 1026].map((pfn) => entry(d, pfn))).toEqual([
      `m:${FIRST_MFN + 509}`,
      '~',
      '~',
      '~',
      `m:${FIRST_MFN + 1026}`,
    ]);
    expect([509, 511, 1025, 1026].map((pfn) => pfnOf(d, FIRST_MFN + pfn))).toEqual([509, -1, -1, 1026]);
  });

  it('gives no frame back for a page that has none', () => {
    const d = bootedDomain({
      kernel: '7.0',
      geometry: 'tiny',
      nrPages: 64,
      holes: [[16, 20]],
      memory,
      m2pFrames: 2000,
    });
    for (let mfn = 0; mfn < 4; mfn++) d.setM2p(mfn, 50); // INVALID has no frame number, not 0 and none near it
    d.run('decrease_reservation', d.machines.decreaseReservation, 16, 0, 4);
    expect([0, 1, 2, 3].map((mfn) => d.cpus[0]!.port.loadM2p(mfn))).toEqual([51, 51, 51, 51]);
  });
});
