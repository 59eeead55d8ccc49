import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Global, INVALID } from '../../../events/index.js';
import {
  bootStressDomain,
  MIXES,
  regionSpan,
  scenarioOf,
  stressDomainOptions,
  stressLayout,
  type StressLayout,
  type StressLayoutOptions,
} from '../../../replay/index.js';
import { bootScenario } from '../../../replay/scenario/scenario_domain.js';
import { Domain, FORMS, formByKernel, GEOMETRIES, geometryByName, lookUp } from '../../../src/index.js';

function layoutOf(
  kernel: string,
  geometry: string,
  mix: keyof typeof MIXES,
  more: Partial<StressLayoutOptions> = {},
): StressLayout {
  return stressLayout({ form: formByKernel(kernel), geometry: geometryByName(geometry), mix: MIXES[mix], ...more });
}

function boot(layout: StressLayout): Domain {
  const domain = new Domain(stressDomainOptions(layout, 2));
  bootStressDomain(domain, layout);
  return domain;
}

function words(domain: Domain, end: number): number[] {
  return Array.from({ length: end }, (_, pfn) => lookUp(domain.memory, pfn));
}

const anyMix = fc.constantFrom(...(Object.keys(MIXES) as (keyof typeof MIXES)[]));
const anyTiny = fc.record({
  kernel: fc.constantFrom(...FORMS.map((form) => form.name)),
  geometry: fc.constantFrom('tiny', 'tiny-pae'),
  mix: anyMix,
  pfns: fc.integer({ min: 12, max: 40 }),
  untouched: fc.constantFrom(undefined, 'missing', 'identity', 'both'),
});

test('parts are whole leaves side by side, regions lie behind them, and all of it in the tree', () => {
  fc.assert(
    fc.property(anyTiny, ({ kernel, geometry, mix, ...more }) => {
      const layout = layoutOf(kernel, geometry, mix, more);
      const { sets, balloon, grants, regions, pfnEnd, geometry: g } = layout;
      expect([sets.pfnStart, sets.pfnEnd, balloon.pfnEnd]).toEqual([0, balloon.pfnStart, grants.pfnStart]);
      expect([sets, balloon, grants].every((part) => part.pfnEnd % g.perPage === 0)).toBe(true);
      expect(sets.pfnEnd).toBeGreaterThan(0);
      expect(grants.pfnEnd).toBeGreaterThanOrEqual(more.pfns);
      const span = regionSpan(g, MIXES[mix].region);
      expect(new Set(regions).size).toBe(regions.length);
      for (const start of regions) {
        expect(start % span).toBe(0);
        expect(start >= grants.pfnEnd && start + span <= pfnEnd).toBe(true);
      }
      expect(pfnEnd).toBeLessThanOrEqual(g.maxP2mPfn);
      expect(MIXES[mix].weights.touch > 0).toBe(regions.length > 0);
    }),
  );
});

test('a domain boots to what its layout says', () => {
  fc.assert(
    fc.property(anyTiny, ({ kernel, geometry, mix, ...more }) => {
      const layout = layoutOf(kernel, geometry, mix, more);
      const domain = boot(layout);
      const { codec } = domain.memory;
      const seen = words(domain, layout.grants.pfnEnd);
      const frames = seen.slice(0, layout.balloon.pfnEnd);
      expect(frames.every((word, pfn) => pfn === 0 || word === frames[pfn - 1]! + 1)).toBe(true);
      expect(codec.frameOf(frames.at(-1)!)).toBeLessThan(layout.mfnEnd);
      expect(seen.slice(layout.grants.pfnStart).every((word) => word === INVALID)).toBe(true);
      for (const start of layout.regions) {
        for (let pfn = start; pfn < start + layout.regionPfns; pfn++) {
          const word = lookUp(domain.memory, pfn);
          const isMissing = layout.ranges.some((range) => range.missing && range.pfnStart <= pfn && pfn < range.pfnEnd);
          const isUntold =
            pfn >= layout.nrPages && layout.ranges.every((range) => pfn < range.pfnStart || pfn >= range.pfnEnd);
          expect(word).toBe(isMissing || isUntold ? INVALID : codec.identityOf(pfn));
        }
      }
    }),
  );
});

test('a scenario with its entries boots the same domain', () => {
  fc.assert(
    fc.property(anyTiny, ({ kernel, geometry, mix, ...more }) => {
      const layout = layoutOf(kernel, geometry, mix, more);
      const scenario = scenarioOf({
        kernel,
        geometry,
        layout: layout.entries.map((entry) => [...entry] as never),
        threads: [[['lookup', 0]], [['lookup', 0]]],
      });
      const [ours, theirs] = [boot(layout), bootScenario(scenario)];
      const end = Math.min(layout.pfnEnd, ours.global(Global.xen_max_p2m_pfn), theirs.global(Global.xen_max_p2m_pfn));
      expect(words(ours, end)).toEqual(words(theirs, end));
      expect([...layout.ranges]).toEqual(scenario.ranges.map((range) => ({ ...range })));
      expect(layout.nrPages).toBe(scenario.nrPages);
    }),
  );
});

describe('stressLayout', () => {
  it('gives regions that nobody has touched: their PMDs are shared', () => {
    for (const [kernel, geometry] of [
      ['3.19-rc1', 'tiny-pae'],
      ['4.0', 'tiny-pae'],
      ['7.0', 'x86_64'],
    ] as const) {
      for (const mix of ['pmds', 'tops'] as const) {
        const layout = layoutOf(kernel, geometry, mix, { pfns: 20, regions: 2 });
        const domain = boot(layout);
        const shared = [domain.global(Global.p2m_missing_pte), domain.global(Global.p2m_identity_pte)];
        for (const start of layout.regions) expect(shared).toContain(domain.memory.ptPageOf(start));
      }
    }
  });

  it('takes missing and identity regions in turn', () => {
    const { regions, ranges } = layoutOf('7.0', 'tiny', 'leaves');
    const isMissing = [...regions].map((pfn) =>
      ranges.some((range) => range.missing && range.pfnStart <= pfn && pfn < range.pfnEnd),
    );
    expect(isMissing.slice(0, 6)).toEqual([true, false, true, false, true, false]);
  });

  it.each([
    ['tiny', 'leaves', { pfns: 64 }, 'bad number of regions to touch: got 0 of kind leaf'],
    ['tiny', 'pmds', { pfns: 50 }, 'want a domain smaller than 52 pfns: tiny has 64'],
    ['tiny', 'default', { pfns: 4 }, 'bad size of the domain: got 4 pfns, want 12 to 64 on tiny, for this mix'],
    ['tiny', 'sets', { pfns: 65 }, 'want 4 to 64 on tiny'],
    ['tiny', 'sets', { pfns: 0 }, 'want 4 to 64 on tiny'],
    ['tiny', 'leaves', { regions: 13 }, 'got 13 of kind leaf, want 1 to 12 on tiny'],
    ['tiny', 'leaves', { regions: 1.5 }, 'bad number of regions'],
    ['x86_32', 'sets', {}, 'this kernel has no 32-bit PV'],
  ] as const)('refuses on %s the mix %s with %o', (geometry, mix, more, message) => {
    expect(() => layoutOf('7.0', geometry, mix, more)).toThrow(message);
  });

  it.each(Object.keys(GEOMETRIES))('has a default for each mix and form on %s', (geometry) => {
    for (const form of FORMS) {
      if (geometry === 'x86_32' && !form.has32bit) continue;
      for (const mix of Object.keys(MIXES) as (keyof typeof MIXES)[]) {
        expect(layoutOf(form.name, geometry, mix).sets.pfnEnd).toBeGreaterThan(0);
      }
    }
  });
});
