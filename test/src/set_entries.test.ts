import { describe, expect, it } from 'vitest';
import { INVALID, KINDS, mfnWord } from '../../events/index.js';
import { lookUp, setEntries, undo, type Domain } from '../../src/index.js';

import { bootedDomain, FIRST_MFN } from './domains.js';

const PAGES = 1024;
/** In the list, above all memory: p2m_identity is mapped there. */
const SHARED = 5000;
const ints = (...numbers: number[]): Int32Array => Int32Array.from(numbers);

/** Populated up to PAGES. */
function booted(memory: 'paged' | 'flat'): Domain {
  const domain = bootedDomain({ kernel: '7.0', geometry: 'x86_64', nrPages: PAGES, memory });
  domain.flush();
  return domain;
}

describe.each(['paged', 'flat'] as const)('setEntries, %s memory', (memory) => {
  it('stores what it is told, in order, with an event for each that says what was there', () => {
    const domain = booted(memory);
    const words = ints(mfnWord(77), INVALID, mfnWord(78));
    expect(setEntries(domain, ints(5, 700, 5), words)).toBe(3);
    expect([lookUp(domain.memory, 5), lookUp(domain.memory, 700)]).toEqual([mfnWord(78), INVALID]);
    const { kind, a, c, d, length } = domain.batch;
    expect([...kind.subarray(0, length)]).toEqual([KINDS.set_entry.id, KINDS.set_entry.id, KINDS.set_entry.id]);
    expect([...a.subarray(0, length)]).toEqual([5, 700, 5]);
    expect([...c.subarray(0, length)]).toEqual([mfnWord(FIRST_MFN + 5), mfnWord(FIRST_MFN + 700), mfnWord(77)]);
    expect([...d.subarray(0, length)]).toEqual([...words]);
  });

  it('makes the events that the kernel makes for the same sets', () => {
    const [ours, kernel] = [booted(memory), booted(memory)];
    setEntries(ours, ints(3, 600), ints(mfnWord(1), mfnWord(2)));
    for (const [pfn, mfn] of [
      [3, 1],
      [600, 2],
    ] as const) {
      kernel.run('set_phys_to_machine', kernel.machines.setPhysToMachine, pfn, mfnWord(mfn));
    }
    const stores = ({ batch }: Domain): number[][] =>
      Array.from({ length: batch.length }, (_, i) => i)
        .filter((i) => batch.kind[i] === KINDS.set_entry.id)
        .map((i) => [batch.a[i]!, batch.b[i]!, batch.c[i]!, batch.d[i]!]);
    expect(stores(ours)).toEqual(stores(kernel));
    expect(stores(ours)).toHaveLength(2);
  });

  it('stops at the first pfn whose leaf is shared, and leaves the rest alone', () => {
    const domain = booted(memory);
    expect(setEntries(domain, ints(1, SHARED, 2), ints(mfnWord(7), mfnWord(8), mfnWord(9)))).toBe(1);
    expect(lookUp(domain.memory, 1)).toBe(mfnWord(7));
    expect(lookUp(domain.memory, SHARED)).toBe(domain.memory.codec.identityOf(SHARED));
    expect(lookUp(domain.memory, 2)).toBe(mfnWord(FIRST_MFN + 2));
    expect(domain.batch.length).toBe(1);
  });

  it('can be taken back', () => {
    const domain = booted(memory);
    setEntries(domain, ints(9, 9), ints(mfnWord(1), mfnWord(2)));
    for (let i = domain.batch.length - 1; i >= 0; i--) undo(domain.memory, domain.batch, i);
    expect(lookUp(domain.memory, 9)).toBe(mfnWord(FIRST_MFN + 9));
  });
});
