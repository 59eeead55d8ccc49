import { describe, expect, it } from 'vitest';
import { mfnWord } from '../../events/index.js';
import { bootSequence, boundLookUp, Domain, formByKernel, GEOMETRIES, lookUp, lookUpRange } from '../../src/index.js';

const NR_PAGES = 3000;
/** Beyond the list, and beyond what the domain was laid out for. */
const PFN_END = 12_000;

const DOMAINS = [
  ['7.0', 'flat'],
  ['7.0', 'paged'],
  ['3.18', 'paged'],
] as const;

/** Entries, missing and identity leaves, and leaves with something of each. */
function domain(kernel: string, memory: 'flat' | 'paged'): Domain {
  const d = new Domain({ form: formByKernel(kernel), geometry: GEOMETRIES.x86_64, memory, nrPages: NR_PAGES });
  const steps = bootSequence(d, {
    nrPages: NR_PAGES,
    firstEntry: mfnWord(1000),
    holes: [
      { pfnStart: 100, pfnEnd: 110 },
      { pfnStart: 512, pfnEnd: 1100 },
    ],
    identity: [{ pfnStart: 2000, pfnEnd: 2700 }],
  });
  expect(steps.map(({ outcome }) => outcome.kind)).not.toContain('bug');
  expect(d.run('set_phys_to_machine', d.machines.setPhysToMachine, 600, mfnWord(77))).toEqual({
    kind: 'bool',
    value: 1,
  });
  return d;
}

function oneByOne(d: Domain, pfns: Iterable<number>): number[] {
  return Array.from(pfns, (pfn) => lookUp(d.memory, pfn));
}

describe.each(DOMAINS)('boundLookUp, on %s, %s', (kernel, memory) => {
  it('answers as lookUp does, before and after a store', () => {
    const d = domain(kernel, memory);
    const look = boundLookUp(d.memory);
    const answers = (): number[] => Array.from(Array(PFN_END).keys(), look);
    expect(answers()).toEqual(oneByOne(d, Array(PFN_END).keys()));
    d.run('set_phys_to_machine', d.machines.setPhysToMachine, 2100, mfnWord(5));
    expect(answers()).toEqual(oneByOne(d, Array(PFN_END).keys()));
    expect([look(2100), look(2 ** 40)]).toEqual([mfnWord(5), lookUp(d.memory, 2 ** 40)]);
  });
});

describe.each(DOMAINS)('lookUpRange, on %s, %s', (kernel, memory) => {
  it('answers as lookUp does, on entries, missing, identity, and beyond the list', () => {
    const d = domain(kernel, memory);
    const out = new Int32Array(PFN_END).fill(-1);
    lookUpRange(d.memory, 0, out);
    const expected = oneByOne(d, Array(PFN_END).keys());
    expect([...out]).toEqual(expected);
    expect(new Set(expected.map((word) => word >>> 30))).toEqual(new Set([0, 1, 2]));
  });

  it.each([0, 1, 511, 600, NR_PAGES - 1, NR_PAGES, 2 ** 31 - 1, 2 ** 40])('begins at pfn %i', (pfnStart) => {
    const d = domain(kernel, memory);
    const out = new Int32Array(8).fill(-1);
    lookUpRange(d.memory, pfnStart, out);
    expect([...out]).toEqual(
      oneByOne(
        d,
        Array.from(Array(8).keys(), (i) => pfnStart + i),
      ),
    );
  });
});
