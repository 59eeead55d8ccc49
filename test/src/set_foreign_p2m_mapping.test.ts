import { describe, expect, it } from 'vitest';
import { Global, KINDS, Warning, type EventBatch } from '../../events/index.js';
import { Grant, formByKernel, FORMS, mutant, type Domain, type Form } from '../../src/index.js';
import { FIRST_MFN } from './domains.js';
import { entry, grantDomain, HOLE, mapGrants, pfnOf, seen, type Slot } from './grants.js';

const LINEAR_FORMS = FORMS.filter((form) => form.structure === 'linear');
const OLD = LINEAR_FORMS.filter((form) => form.m2pOverrides);
const MIDDLE = LINEAR_FORMS.filter((form) => !form.m2pOverrides && !form.grantErrorsPerSlot);
const NEW = LINEAR_FORMS.filter((form) => form.grantErrorsPerSlot);
const ENOMEM = -12;
const EFAULT = 14;

/** Three pfns of one mid page that nobody has touched, each with a leaf of its own. */
const SLOTS: readonly Slot[] = [
  { pfn: 17, mfn: 41 },
  { pfn: 20, mfn: 42 },
  { pfn: 26, mfn: 43 },
];

/** The leaf of the second slot cannot be had: PT page, mid page and leaf of the first are attempts 1 to 3. */
function withoutSecondLeaf(form: Form, memory: 'paged' | 'flat'): { d: Domain; result: number } {
  const d = grantDomain(form, memory);
  d.armFailure(4, 0);
  return { d, result: mapGrants(d, SLOTS, true) };
}

/** Warnings `name` that the domain printed since the last call. */
function warnings(batch: EventBatch, name: keyof typeof Warning): number[] {
  const pfns: number[] = [];
  for (let i = 0; i < batch.length; i++) {
    if (batch.kind[i] === KINDS.warn.id && batch.a[i] === Warning[name]) pfns.push(batch.b[i]!);
  }
  return pfns;
}

describe.each(['paged', 'flat'] as const)('set_foreign_p2m_mapping on the %s memory', (memory) => {
  it.each(LINEAR_FORMS)('marks each page with its granted frame in $name', (form) => {
    const d = grantDomain(form, memory);
    expect(mapGrants(d, SLOTS)).toBe(0);
    const mapped = { status: 0, kernelMapped: false };
    expect(seen(d, 3)).toEqual([
      { ...mapped, entry: 'f:41', handle: 100 },
      { ...mapped, entry: 'f:42', handle: 101 },
      { ...mapped, entry: 'f:43', handle: 102 },
    ]);
    expect([16, 18, 21, 40, 15].map((pfn) => entry(d, pfn))).toEqual(['~', '~', '~', '~', `m:${FIRST_MFN + 15}`]);
  });

  it.each(LINEAR_FORMS)('maps the pages into the kernel where it is asked to in $name', (form) => {
    const d = grantDomain(form, memory);
    expect(mapGrants(d, SLOTS, true)).toBe(0);
    expect(seen(d, 3).map((slot) => slot.kernelMapped)).toEqual([true, true, true]);
  });

  it.each(LINEAR_FORMS)('leaves a slot alone whose user mapping failed in $name', (form) => {
    const d = grantDomain(form, memory);
    expect(mapGrants(d, [{ pfn: 17, mfn: 41, status: -3 }, SLOTS[1]!])).toBe(0);
    expect(seen(d, 2).map((slot) => [slot.entry, slot.status])).toEqual([
      ['~', -3],
      ['f:42', 0],
    ]);
  });

  it.each(['3.19.8', '4.0', '5.10', '7.0'])('does the same on x86_64 in %s', (kernel) => {
    const d = grantDomain(kernel, memory, 'x86_64');
    const pfn = HOLE.x86_64[0] + 513;
    expect(
      mapGrants(
        d,
        [
          { pfn, mfn: 2 ** 29 },
          { pfn: pfn + 2 ** 18, mfn: 5 },
        ],
        true,
      ),
    ).toBe(0);
    expect([pfn - 1, pfn, pfn + 1, pfn + 2 ** 18].map((p) => entry(d, p))).toEqual(['~', `f:${2 ** 29}`, '~', 'f:5']);
  });

  it.each(LINEAR_FORMS)('warns of a page that is not ballooned from 4.0 on: $name', (form) => {
    const d = grantDomain(form, memory);
    d.flush();
    expect(mapGrants(d, [{ pfn: 3, mfn: 41 }, SLOTS[1]!])).toBe(0);
    expect(warnings(d.batch, 'p2m-not-invalid')).toEqual(form.m2pOverrides ? [] : [3]);
    expect(entry(d, 3), 'it is mapped all the same').toBe('f:41');
  });

  it.each(OLD)('keeps what the entry was in $name', (form) => {
    const d = grantDomain(form, memory);
    mapGrants(d, [{ pfn: 3, mfn: 41 }, SLOTS[1]!]);
    const { codec } = d.memory;
    expect([0, 1].map((i) => codec.format(d.grant(i, Grant.savedEntry)))).toEqual([`m:${FIRST_MFN + 3}`, '~']);
  });

  it.each([...MIDDLE, ...NEW])('does nothing when the hypercall for the kernel mappings fails in $name', (form) => {
    const d = grantDomain(form, memory);
    expect(mapGrants(d, SLOTS, EFAULT)).toBe(-EFAULT);
    expect(seen(d, 3).map((slot) => [slot.entry, slot.kernelMapped])).toEqual([
      ['~', false],
      ['~', false],
      ['~', false],
    ]);
  });

  it.each(LINEAR_FORMS)('needs the kernel mapping too, but only from 5.12 on (B14): $name', (form) => {
    const half = (tried: Form): [string, boolean][] => {
      const d = grantDomain(tried, memory);
      expect(mapGrants(d, [{ pfn: 17, mfn: 41, kernelStatus: -1 }, SLOTS[1]!], true)).toBe(0);
      return seen(d, 2).map((slot) => [slot.entry, slot.kernelMapped]);
    };
    const right: [string, boolean][] = [
      ['~', false],
      ['f:42', true],
    ];
    const wrong: [string, boolean][] = [
      ['f:41', false],
      ['f:42', true],
    ];
    expect(half(form)).toEqual(form.grantErrorsPerSlot ? right : wrong);
    expect(half(mutant(form, 'grantErrorsPerSlot'))).toEqual(form.grantErrorsPerSlot ? wrong : right);
  });

  it('ignores the kernel status of a slot when there are no kernel mappings', () => {
    const d = grantDomain('7.0', memory);
    expect(mapGrants(d, [{ pfn: 17, mfn: 41, kernelStatus: -1 }])).toBe(0);
    expect(entry(d, 17)).toBe('f:41');
  });

  it.each(NEW)('fails and unmaps only the slot that finds no memory in $name (B15)', (form) => {
    const { d, result } = withoutSecondLeaf(form, memory);
    expect(result).toBe(0);
    expect(seen(d, 3)).toEqual([
      { entry: 'f:41', status: 0, handle: 100, kernelMapped: true },
      { entry: '~', status: -1, handle: -1, kernelMapped: false },
      { entry: 'f:43', status: 0, handle: 102, kernelMapped: true },
    ]);
  });

  it.each(MIDDLE)('stops with -ENOMEM and leaves all slots mapped in $name (B15)', (form) => {
    const { d, result } = withoutSecondLeaf(form, memory);
    expect(result).toBe(ENOMEM);
    expect(seen(d, 3)).toEqual([
      { entry: 'f:41', status: 0, handle: 100, kernelMapped: true },
      { entry: '~', status: 0, handle: 101, kernelMapped: true },
      { entry: '~', status: 0, handle: 102, kernelMapped: true },
    ]);
  });

  it.each(OLD)('stops with -ENOMEM before the later slots get a kernel mapping in $name (B15)', (form) => {
    const { d, result } = withoutSecondLeaf(form, memory);
    expect(result).toBe(ENOMEM);
    expect(seen(d, 3).map((slot) => [slot.entry, slot.kernelMapped])).toEqual([
      ['f:41', true],
      ['~', false],
      ['~', false],
    ]);
  });

  it('depends on grantErrorsPerSlot for B15 and on nothing else', () => {
    expect(withoutSecondLeaf(mutant(formByKernel('7.0'), 'grantErrorsPerSlot'), memory).result).toBe(ENOMEM);
    expect(withoutSecondLeaf(mutant(formByKernel('5.10'), 'grantErrorsPerSlot'), memory).result).toBe(0);
  });

  it.each(LINEAR_FORMS)('returns at once in an auto-translated domain up to 4.4: $name', (form) => {
    const mapped = (tried: Form): string => {
      const d = grantDomain(tried, memory);
      d.setGlobal(Global.auto_translated, 1);
      expect(mapGrants(d, SLOTS)).toBe(0);
      d.setGlobal(Global.auto_translated, 0);
      return entry(d, 17);
    };
    expect(mapped(form)).toBe(form.autoTranslatedChecks ? '~' : 'f:41');
    expect(mapped(mutant(form, 'autoTranslatedChecks'))).toBe(form.autoTranslatedChecks ? 'f:41' : '~');
  });

  it('dies from 5.12 on as before when a page lies beyond the list (B16 is of __set_phys_to_machine alone)', () => {
    for (const [kernel, bug] of [
      ['5.10', 'beyond-size'],
      ['5.12', 'unmapped-entry'],
    ] as const) {
      const d = grantDomain(kernel, memory);
      d.setGrant(0, Grant.pfn, 64);
      d.setGrant(0, Grant.mfn, 41);
      const outcome = d.run('set_foreign_p2m_mapping', d.machines.setForeignP2mMapping, 0, 0, 1);
      expect(outcome, kernel).toEqual({ kind: 'bug', bug });
    }
  });
});

describe('m2p_add_override', () => {
  /** Frame FIRST_MFN + 5 is ours, pfn 5; the domain grants it to itself and maps it at pfn 17. */
  const toItself = (form: Form, kernel: boolean): Domain => {
    const d = grantDomain(form);
    mapGrants(d, [{ pfn: 17, mfn: FIRST_MFN + 5 }], kernel);
    return d;
  };

  it.each(OLD)('marks the own entry of a frame that the domain grants to itself in $name (B12)', (form) => {
    const d = toItself(form, true);
    expect([5, 17].map((pfn) => entry(d, pfn))).toEqual([`f:${FIRST_MFN + 5}`, `f:${FIRST_MFN + 5}`]);
    expect(pfnOf(d, FIRST_MFN + 5)).toBe(17);
  });

  it.each(OLD)('is left out where m2p overrides are gone: $name with the switch flipped', (form) => {
    const d = toItself(mutant(form, 'm2pOverrides'), true);
    expect([5, 17].map((pfn) => entry(d, pfn))).toEqual([`m:${FIRST_MFN + 5}`, `f:${FIRST_MFN + 5}`]);
    expect(pfnOf(d, FIRST_MFN + 5)).toBe(5);
  });

  it('is not called without kernel mappings', () => {
    const d = toItself(formByKernel('3.19.8'), false);
    expect(entry(d, 5)).toBe(`m:${FIRST_MFN + 5}`);
  });

  it('maps a frame that the m2p does not reach, without an override to find it by', () => {
    const d = grantDomain('3.19.8');
    expect(mapGrants(d, [{ pfn: 17, mfn: 5000 }], true)).toBe(0);
    expect(seen(d, 1)).toEqual([{ entry: 'f:5000', status: 0, handle: 100, kernelMapped: true }]);
  });
});
