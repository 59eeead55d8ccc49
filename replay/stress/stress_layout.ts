import { assert, usageError } from '../../events/index.js';
import {
  alignUp,
  checkGeometry,
  type Domain,
  type DomainOptions,
  type Form,
  type Geometry,
  type PfnRange,
} from '../../src/index.js';
import type { LayoutEntry } from '../scenario/scenario.js';
import { bootList, FIRST_MFN, type BootList } from '../scenario/scenario_domain.js';
import type { Mix, Region } from './mix.js';

/** What a pfn that nobody has touched stands for. */
export type Untouched = 'missing' | 'identity' | 'both';

/**
 * How the domain of a round is laid out. What a mix does not use is empty; ranges are whole leaves.
 *
 *     0        sets         balloon       grants        untouched                                    pfnEnd
 *     | frames | frames     | missing     | missing ... | identity ... |
 */
export interface StressLayout extends BootList {
  readonly form: Form;
  readonly geometry: Geometry;
  /** As `p2m explore --layout` has it: the same domain for a scenario. */
  readonly entries: readonly LayoutEntry[];
  readonly sets: PfnRange;
  readonly balloon: PfnRange;
  readonly grants: PfnRange;
  /** First pfn of each region that threads touch, in their order. */
  readonly regions: Int32Array;
  /** Pfns of a region that may be touched, from its first on. */
  readonly regionPfns: number;
  readonly pfnEnd: number;
  /** Frames that the boot gives out are below this. */
  readonly mfnEnd: number;
}

/** What a stress domain is to be. */
export interface StressLayoutOptions {
  readonly form: Form;
  readonly geometry: Geometry;
  readonly mix: Mix;
  /** Pfns but for the untouched ones, rounded up to whole leaves. Default: 1 GiB, or one mid page where that is less. */
  readonly pfns?: number | undefined;
  /** Default: both; before 3.19.8 `missing`, for one thread breaks identity leaves there alone (B0d, B0e, B5). */
  readonly untouched?: Untouched | undefined;
  /** Regions to touch. Default: as many as fit, at most 2048 leaves, or 16 PMDs or top entries. */
  readonly regions?: number | undefined;
}

const DEFAULT_PFNS = 2 ** 18;
const DEFAULT_REGIONS = { leaf: 2048, pmd: 16, top: 16 } as const satisfies Record<Region, number>;
/** Of the leaves, one in so many is for the balloon, or for grants. */
const BALLOON_SHARE = 4;
const GRANTS_SHARE = 8;

/** Lays a domain out so that the mix finds what it needs. @throws P2mError (usage) where it does not fit the geometry */
export function stressLayout(options: StressLayoutOptions): StressLayout {
  const { form, geometry: g, mix } = options;
  checkGeometry(form, g);
  const { sets, balloon, grants } = layOutTouched(options);
  const spans = layOutUntouched(options, grants.pfnEnd);
  const pfnEnd = Math.max(grants.pfnEnd, spans.identity.pfnEnd);
  const nrPages = form.structure === 'tree' ? grants.pfnEnd : pfnEnd;
  const missing = { pfnStart: grants.pfnStart, pfnEnd: Math.max(grants.pfnEnd, spans.missing.pfnEnd) };
  const ranges = [
    { missing: true, ...missing },
    { missing: false, ...spans.identity },
  ].filter(({ pfnStart, pfnEnd: end }) => pfnStart < end);
  const span = regionSpan(g, mix.region);
  return {
    form,
    geometry: g,
    nrPages,
    ranges,
    tree: true,
    entries: [['nr', String(nrPages)], ...ranges.map(layoutEntry)],
    sets,
    balloon,
    grants,
    regions: interleave(
      starts(options, spans.missing, grants.pfnStart),
      starts(options, spans.identity, spans.identity.pfnStart),
    ),
    regionPfns: hasSecondPmd(form, g) ? span : Math.min(span, g.pfnsPerPtePage),
    pfnEnd,
    mfnEnd: FIRST_MFN + nrPages,
  };
}

/** What the domain of a layout is made of. */
export function stressDomainOptions(
  layout: StressLayout,
  threads: number,
  memory: 'paged' | 'flat' = 'paged',
): DomainOptions {
  const { form, geometry, nrPages, pfnEnd } = layout;
  return { form, geometry, memory, nrPages, maxPfn: pfnEnd, cpus: threads };
}

/** Boots a domain of `stressDomainOptions`; all its events have been handed on. */
export function bootStressDomain(domain: Domain, layout: StressLayout): void {
  assert(domain.form.structure === layout.form.structure, 'the domain is of another structure than its layout');
  bootList(domain, layout);
  domain.flush();
}

/** Pfns of a region. */
export function regionSpan(g: Geometry, region: Region): number {
  return { leaf: g.perPage, pmd: g.pfnsPerPtePage, top: g.pfnsPerMidPage }[region];
}

/** What the tree spans and the domain builder can list. */
function pfnsMax(g: Geometry): number {
  return Math.min(g.maxP2mPfn, g.nrPagesMax);
}

function layOutTouched(options: StressLayoutOptions): Pick<StressLayout, 'sets' | 'balloon' | 'grants'> {
  const { geometry: g, mix, pfns = Math.min(DEFAULT_PFNS, g.pfnsPerMidPage) } = options;
  const { weights } = mix;
  const balloons = weights['balloon-down'] + weights['balloon-up'] > 0;
  const leavesMin = 1 + (balloons ? 1 : 0) + (weights.grant > 0 ? 1 : 0);
  const leaves = Math.ceil(pfns / g.perPage);
  if (!Number.isInteger(pfns) || leaves < leavesMin || leaves * g.perPage > pfnsMax(g)) {
    throw usageError('bad size of the domain', {
      got: `${pfns} pfns`,
      expected: `${leavesMin * g.perPage} to ${pfnsMax(g)} on ${g.name}, for this mix`,
    });
  }
  // A mid page of grants alone would be missing as a whole, and its second PMD not there before 3.19 (B2).
  const grantLeaves = Math.min(portion(leaves, GRANTS_SHARE), Math.max(g.midPerPage / GRANTS_SHARE, 1));
  const pfnEnd = leaves * g.perPage;
  const grantStart = pfnEnd - (weights.grant > 0 ? Math.floor(grantLeaves) * g.perPage : 0);
  const balloonStart = grantStart - (balloons ? portion(leaves, BALLOON_SHARE) * g.perPage : 0);
  return {
    sets: { pfnStart: 0, pfnEnd: balloonStart },
    balloon: { pfnStart: balloonStart, pfnEnd: grantStart },
    grants: { pfnStart: grantStart, pfnEnd },
  };
}

function portion(leaves: number, share: number): number {
  return Math.max(Math.floor(leaves / share), 1);
}

function layOutUntouched(
  options: StressLayoutOptions,
  touchedEnd: number,
): { readonly missing: PfnRange; readonly identity: PfnRange } {
  const { form, geometry: g, mix } = options;
  const { region, weights } = mix;
  const nothing = { pfnStart: touchedEnd, pfnEnd: touchedEnd };
  if (weights.touch === 0) return { missing: nothing, identity: nothing };
  const untouched = options.untouched ?? (form.identityBaseMasked ? 'both' : 'missing');
  const span = regionSpan(g, region);
  // Only a mid page that is missing as a whole has its PMDs shared.
  const pfnStart = region === 'leaf' ? touchedEnd : alignUp(touchedEnd, g.pfnsPerMidPage);
  const room = Math.floor((pfnsMax(g) - pfnStart) / span);
  const count = options.regions ?? Math.min(room, DEFAULT_REGIONS[region]);
  if (!Number.isInteger(count) || count < 1 || count > room) {
    throw usageError('bad number of regions to touch', {
      got: `${count} of kind ${region}`,
      expected:
        room < 1
          ? `a domain smaller than ${touchedEnd} pfns: ${g.name} has ${pfnsMax(g)}`
          : `1 to ${room} on ${g.name}`,
    });
  }
  // A half mid page would have PMDs of its own.
  const unit = region === 'leaf' ? span : g.pfnsPerMidPage;
  const pfnEnd = alignUp(pfnStart + count * span, unit);
  const middle = { missing: pfnEnd, identity: pfnStart, both: middleOf(g, pfnStart, pfnEnd, unit) }[untouched];
  return { missing: { pfnStart, pfnEnd: middle }, identity: { pfnStart: middle, pfnEnd } };
}

/** About the middle, between two mid pages where one is left over, and else between two units. */
function middleOf(g: Geometry, pfnStart: number, pfnEnd: number, unit: number): number {
  const half = (pfnStart + pfnEnd) / 2;
  const between = alignUp(half, g.pfnsPerMidPage);
  return between < pfnEnd ? between : alignUp(half, unit);
}

/** Up to 3.19-rc1 a mid page that is missing or identity as a whole has a first PMD alone (B2). */
function hasSecondPmd(form: Form, g: Geometry): boolean {
  return form.structure === 'tree' || form.secondPmdPopulated || g.pmdsPerMidPage === 1;
}

function starts({ form, geometry: g, mix }: StressLayoutOptions, range: PfnRange, uniformFrom: number): number[] {
  const found: number[] = [];
  const firstPmdOnly = !hasSecondPmd(form, g);
  for (let pfn = range.pfnStart; pfn < range.pfnEnd; pfn += regionSpan(g, mix.region)) {
    const within = pfn % g.pfnsPerMidPage;
    if (!firstPmdOnly || within < g.pfnsPerPtePage || pfn - within < uniformFrom) found.push(pfn);
  }
  return found;
}

/** One of each in turn, then what is left over. */
function interleave(a: readonly number[], b: readonly number[]): Int32Array {
  const both: number[] = [];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    both.push(...a.slice(i, i + 1), ...b.slice(i, i + 1));
  }
  return Int32Array.from(both);
}

function layoutEntry(range: BootList['ranges'][number]): LayoutEntry {
  return [range.missing ? 'hole' : 'identity', String(range.pfnStart), String(range.pfnEnd)];
}
