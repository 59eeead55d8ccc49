import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT, mfnWord, printLines, type Word } from '../../events/index.js';
import { lookUp, type Domain, type Outcome } from '../../src/index.js';
import { live, LINEAR_FORMS, plans } from './histories.js';

const GEOMETRIES_HERE = ['tiny', 'tiny-pae'] as const;
const SMALL = { numRuns: 150 };

/** Every pfn of the list and some beyond it. */
function pfnsOf(d: Domain): number[] {
  const { areaPfns, geometry } = d.memory.layout;
  const all = Array.from({ length: areaPfns + 9 }, (_, pfn) => pfn);
  return [...all, geometry.maxP2mPfn, 2 ** 31, geometry.pfnEnd - 1];
}

/** What a look-up by the step machine answers; FAULT where it ends in a fault or a bug, as in `lookUp`. */
function answer(outcome: Outcome): Word {
  return outcome.kind === 'word' ? outcome.value : FAULT;
}

function machineAnswers(d: Domain, pfns: readonly number[]): readonly (readonly [raw: Word, get: Word])[] {
  return pfns.map((pfn) => [
    answer(d.run('__pfn_to_mfn', d.machines.pfnToMfnRaw, pfn)),
    answer(d.run('get_phys_to_machine', d.machines.getPhysToMachine, pfn)),
  ]);
}

/** Answers as values, for each memory has words of its own for those that have no short form. */
function asText(d: Domain, words: readonly Word[]): string[] {
  return words.map((word) => (word === FAULT ? 'fault' : d.memory.codec.format(word)));
}

describe.each(GEOMETRIES_HERE)('a paged and a flat memory, on %s', (geometry) => {
  it('have the same history, event by event', () => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const [paged, flat] = [live(plan, 'paged'), live(plan, 'flat')];
        expect(printLines(flat.log, flat.domain.memory.codec)).toBe(printLines(paged.log, paged.domain.memory.codec));
        expect(flat.outcomes).toEqual(paged.outcomes);
      }),
      SMALL,
    );
  });

  it('answer every look-up alike', () => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const [paged, flat] = [live(plan, 'paged').domain, live(plan, 'flat').domain];
        const pfns = pfnsOf(paged);
        const of = (d: Domain): string[] => [
          ...asText(d, machineAnswers(d, pfns).flat()),
          ...asText(
            d,
            pfns.map((pfn) => lookUp(d.memory, pfn)),
          ),
        ];
        expect(of(flat)).toEqual(of(paged));
      }),
      SMALL,
    );
  });
});

describe('a paged and a flat memory, on x86_64', () => {
  it('have the same history and answer every look-up alike', () => {
    fc.assert(
      fc.property(plans('x86_64', LINEAR_FORMS, 3000, 15), (plan) => {
        const [paged, flat] = [live(plan, 'paged'), live(plan, 'flat')];
        expect(printLines(flat.log, flat.domain.memory.codec)).toBe(printLines(paged.log, paged.domain.memory.codec));
        const words = (d: Domain): Word[] => Array.from({ length: 12_000 }, (_, pfn) => lookUp(d.memory, pfn));
        expect(words(flat.domain)).toEqual(words(paged.domain));
      }),
      { numRuns: 8 },
    );
  });
});

describe.each(GEOMETRIES_HERE)('lookUp, on %s', (geometry) => {
  it.each(['paged', 'flat'] as const)('answers as __pfn_to_mfn and get_phys_to_machine do, %s, for any pfn', (kind) => {
    fc.assert(
      fc.property(plans(geometry), (plan) => {
        const { domain } = live(plan, kind);
        const pfns = pfnsOf(domain);
        const expected = machineAnswers(domain, pfns);
        expect(pfns.map((pfn) => lookUp(domain.memory, pfn))).toEqual(expected.map(([raw]) => raw));
        // Before the rebuild an INVALID entry is asked for a page that there is not yet: both say INVALID.
        expect(expected.map(([, get]) => get)).toEqual(expected.map(([raw]) => raw));
      }),
      SMALL,
    );
  });
});

describe('the comparison of two memories', () => {
  it('sees one word that differs', () => {
    const [plan] = fc.sample(plans('tiny', ['7.0']), { numRuns: 1, seed: 3 });
    const { domain } = live(plan!, 'flat');
    const pfns = pfnsOf(domain);
    const before = machineAnswers(domain, pfns);
    domain.memory.words[domain.memory.layout.linearBase + 2] = mfnWord(0x5e5e);
    const after = machineAnswers(domain, pfns);
    expect(pfns.filter((_, i) => before[i]![0] !== after[i]![0])).toEqual([2]);
    expect(lookUp(domain.memory, 2)).toBe(mfnWord(0x5e5e));
  });
});
