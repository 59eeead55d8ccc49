import { describe, expect, it } from 'vitest';
import { Global, INVALID } from '../../events/index.js';
import { formByKernel, FORMS, mutant, type Domain, type Form } from '../../src/index.js';
import { FIRST_MFN } from './domains.js';
import { entry, grantDomain, HOLE, mapGrants, pfnOf, seen, unmapGrants, type Kernel, type Slot } from './grants.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');
const OLD = LINEAR_FORMS.filter((form) => form.m2pOverrides);
const MIDDLE = LINEAR_FORMS.filter((form) => !form.m2pOverrides && !form.grantErrorsPerSlot);
const NEW = LINEAR_FORMS.filter((form) => form.grantErrorsPerSlot);
const EINVAL = -22;
const EFAULT = 14;

const SLOTS: readonly Slot[] = [
  { pfn: 17, mfn: 41 },
  { pfn: 20, mfn: 42 },
];

/** Both slots mapped; then somebody has made the first entry plain INVALID again. Gives the errno and what is left. */
function firstNotForeign(
  form: Form,
  memory: 'paged' | 'flat',
  kernel: Kernel,
): { result: number; left: [entry: string, kernelMapped: boolean][] } {
  const d = grantDomain(form, memory);
  mapGrants(d, SLOTS, true);
  d.run('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, 17, INVALID);
  const result = unmapGrants(d, 2, kernel);
  return { result, left: seen(d, 2).map((slot) => [slot.entry, slot.kernelMapped]) };
}

describe.each(['paged', 'flat'] as const)('clear_foreign_p2m_mapping on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('takes back what set_foreign_p2m_mapping did in $name', (form) => {
    const d = grantDomain(form, memory);
    mapGrants(d, SLOTS, true);
    expect(unmapGrants(d, 2, true)).toBe(0);
    expect(seen(d, 2).map((slot) => [slot.entry, slot.kernelMapped])).toEqual([
      ['~', false],
      ['~', false],
    ]);
    expect(pfnOf(d, 41), 'no override is left').toBe(-1);
  });

  it.each(LINEAR_FORMS)('leaves the kernel mappings alone where it is not asked to unmap them in $name', (form) => {
    const d = grantDomain(form, memory);
    mapGrants(d, SLOTS, true);
    expect(unmapGrants(d, 2)).toBe(0);
    expect(seen(d, 2).map((slot) => [slot.entry, slot.kernelMapped])).toEqual([
      ['~', true],
      ['~', true],
    ]);
  });

  it.each(LINEAR_FORMS)(
    'gives a populated page its frame back up to 3.19.8, and INVALID since: $name (B12)',
    (form) => {
      const restored = (tried: Form): string => {
        const d = grantDomain(tried, memory);
        mapGrants(d, [{ pfn: 3, mfn: 41 }]);
        expect(unmapGrants(d, 1)).toBe(0);
        return entry(d, 3);
      };
      const frame = `m:${FIRST_MFN + 3}`;
      expect(restored(form)).toBe(form.m2pOverrides ? frame : '~');
      expect(restored(mutant(form, 'm2pOverrides'))).toBe(form.m2pOverrides ? '~' : frame);
    },
  );

  it.each(['3.19.8', '4.0', '5.10', '7.0'])('does the same on x86_64 in %s', (kernel) => {
    const d = grantDomain(kernel, memory, 'x86_64');
    const pfn = HOLE.x86_64[0] + 513;
    mapGrants(
      d,
      [
        { pfn, mfn: 2 ** 29 },
        { pfn: pfn + 2 ** 18, mfn: 5 },
      ],
      true,
    );
    expect(unmapGrants(d, 1, true)).toBe(0);
    expect(
      [pfn, pfn + 2 ** 18].map((p) => entry(d, p)),
      'the second slot was not handed in',
    ).toEqual(['~', 'f:5']);
  });

  it.each(NEW)('goes on behind a slot that is not foreign, and says -EINVAL, in $name (B13)', (form) => {
    expect(firstNotForeign(form, memory, true)).toEqual({
      result: EINVAL,
      left: [
        ['~', false],
        ['~', false],
      ],
    });
  });

  it.each([...OLD, ...MIDDLE])('stops at a slot that is not foreign in $name (B13)', (form) => {
    expect(firstNotForeign(form, memory, true)).toEqual({
      result: EINVAL,
      left: [
        ['~', true],
        ['f:42', true],
      ],
    });
  });

  it('depends on grantErrorsPerSlot for B13 and on nothing else', () => {
    const left = (kernel: string): unknown =>
      firstNotForeign(mutant(formByKernel(kernel), 'grantErrorsPerSlot'), memory, true).left[1];
    expect(left('7.0')).toEqual(['f:42', true]);
    expect(left('5.10')).toEqual(['~', false]);
  });

  it.each(LINEAR_FORMS)('says what the hypercall for the kernel mappings says from 4.0 on: $name', (form) => {
    const d = grantDomain(form, memory);
    mapGrants(d, SLOTS, true);
    expect(unmapGrants(d, 2, EFAULT)).toBe(form.m2pOverrides ? 0 : -EFAULT);
    expect(seen(d, 2).map((slot) => [slot.entry, slot.kernelMapped])).toEqual([
      ['~', !form.m2pOverrides],
      ['~', !form.m2pOverrides],
    ]);
  });

  it('prefers the error of that hypercall from 5.12 on, and never issues it before', () => {
    expect(firstNotForeign(formByKernel('5.12'), memory, EFAULT).result).toBe(-EFAULT);
    expect(firstNotForeign(formByKernel('5.10'), memory, EFAULT).result).toBe(EINVAL);
  });

  it('returns at once in an auto-translated domain up to 4.4', () => {
    const left = (form: Form): string => {
      const d = grantDomain(form, memory);
      mapGrants(d, SLOTS);
      d.setGlobal(Global.auto_translated, 1);
      expect(unmapGrants(d, 2)).toBe(0);
      d.setGlobal(Global.auto_translated, 0);
      return entry(d, 17);
    };
    expect(left(formByKernel('4.4'))).toBe('f:41');
    expect(left(formByKernel('4.15'))).toBe('~');
    expect(left(mutant(formByKernel('4.4'), 'autoTranslatedChecks'))).toBe('~');
  });
});

describe('m2p_remove_override', () => {
  it.each(OLD)('makes the entry of a frame granted to the domain itself plain again in $name (B12)', (form) => {
    const d: Domain = grantDomain(form);
    mapGrants(d, [{ pfn: 17, mfn: FIRST_MFN + 5 }], true);
    expect(unmapGrants(d, 1, true)).toBe(0);
    expect([5, 17].map((pfn) => entry(d, pfn))).toEqual([`m:${FIRST_MFN + 5}`, '~']);
    expect(pfnOf(d, FIRST_MFN + 5)).toBe(5);
  });

  it('keeps that entry marked while another page maps the frame', () => {
    const d = grantDomain('3.19.8');
    const own = FIRST_MFN + 5;
    mapGrants(
      d,
      [
        { pfn: 17, mfn: own },
        { pfn: 20, mfn: own },
      ],
      true,
    );
    expect(unmapGrants(d, 1, true)).toBe(0);
    expect([5, 17, 20].map((pfn) => entry(d, pfn))).toEqual([`f:${own}`, '~', `f:${own}`]);
    expect(pfnOf(d, own)).toBe(20);
  });

  it('leaves an entry alone that the m2p of a foreign frame happens to name', () => {
    const d = grantDomain('3.19.8');
    d.setM2p(41, 5); // pfn 5 of the other domain
    mapGrants(d, [{ pfn: 17, mfn: 41 }], true);
    expect(unmapGrants(d, 1, true)).toBe(0);
    expect(entry(d, 5)).toBe(`m:${FIRST_MFN + 5}`);
  });
});
