import { describe, expect, it } from 'vitest';
import { INVALID, mfnWord } from '../../events/index.js';
import { FORMS, mutant, type Form, type Outcome } from '../../src/index.js';
import { bootedDomain } from './domains.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');
/** The first pfn beyond a list of 64, one beyond what a tree spans, one beyond 32 bits. */
const BEYOND = [64, 100, 2 ** 40];

describe.each(['paged', 'flat'] as const)('__set_phys_to_machine beyond the list, on the %s memory', (memory) => {
  const set = (form: Form, pfn: number, value: number): Outcome => {
    const d = bootedDomain({ kernel: form, geometry: 'tiny', nrPages: 64, memory });
    const before = d.memory.words.slice();
    const outcome = d.run('__set_phys_to_machine', d.machines.setPhysToMachineNoAlloc, pfn, value);
    expect(
      d.memory.words.some((word, i) => word !== before[i]),
      'nothing is stored',
    ).toBe(false);
    return outcome;
  };

  it.each(LINEAR_FORMS)('takes INVALID for done in $name', (form) => {
    for (const pfn of BEYOND) expect(set(form, pfn, INVALID)).toEqual({ kind: 'bool', value: 1 });
  });

  it.each(LINEAR_FORMS)('is a bug with a frame up to 5.10, and false since: $name (B16)', (form) => {
    const bug = { kind: 'bug', bug: 'beyond-size' };
    const no = { kind: 'bool', value: 0 };
    for (const pfn of BEYOND) {
      expect(set(form, pfn, mfnWord(41))).toEqual(form.outOfRangeIsFalse ? no : bug);
      expect(set(mutant(form, 'outOfRangeIsFalse'), pfn, mfnWord(41))).toEqual(form.outOfRangeIsFalse ? bug : no);
    }
  });
});
