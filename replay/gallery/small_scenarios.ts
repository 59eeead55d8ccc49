import { geometryByName, type Geometry } from '../../src/index.js';
import type { ScenarioJson } from '../scenario/read_scenario.js';

/**
 * What the list shows of a pfn before the run. `*-pmd`: its PMD names a PT page that all share; `*-leaf`: it has a PT page
 * of its own, whose leaf is shared; `private`: a leaf of its own; `beyond`: above the pfns that the tools are told of.
 */
export const PLACES = ['missing-pmd', 'identity-pmd', 'missing-leaf', 'identity-leaf', 'private', 'beyond'] as const;

/** One of them. */
export type PlaceKind = (typeof PLACES)[number];

/** How far apart two pfns are. */
export const DISTANCES = ['same-pfn', 'same-leaf', 'same-pmd', 'other-top'] as const;

/** One of them. */
export type Distance = (typeof DISTANCES)[number];

/** A scenario of a family, by what it is made of. */
export interface SmallScenario {
  /** `set/set missing-pmd/private same-leaf tree fail2`. */
  readonly name: string;
  readonly json: ScenarioJson;
}

type Kind = 'set' | 'lookup';

/** The tiny machine has the shape of x86_64 (a PMD a mid page) in pages of 4 words, so a search takes a fraction of the time. */
const GEOMETRY = 'tiny';
const KERNEL = '7.0';
/** Attempts to allocate that a single set can make: PT page, mid page, leaf. */
const ATTEMPTS = 3;

/**
 * All pairs of set and look-up on the newest form: every place of two pfns, every distance, with the tools' tree and
 * without, and with the n-th allocation failing for every n that a pair can reach.
 */
export function* pairs(): Generator<SmallScenario> {
  for (const kinds of [
    ['set', 'set'],
    ['set', 'lookup'],
  ] as const)
    yield* scenariosOf(kinds, 2 * ATTEMPTS);
}

/** All triples of which at least one is a set; allocations do not fail. */
export function* triples(): Generator<SmallScenario> {
  const all: readonly (readonly Kind[])[] = [
    ['set', 'set', 'set'],
    ['set', 'set', 'lookup'],
    ['set', 'lookup', 'lookup'],
  ];
  for (const kinds of all) yield* scenariosOf(kinds, 0);
}

function* scenariosOf(kinds: readonly Kind[], failures: number): Generator<SmallScenario> {
  for (const { places, distance } of arrangements(kinds)) {
    for (const tree of [true, false]) {
      for (let failAt = 0; failAt <= failures; failAt++) {
        // Without a place where a set allocates, no allocation can fail.
        if (failAt > 0 && !places.some((place, i) => kinds[i] === 'set' && place !== 'private')) break;
        yield small(kinds, places, distance, tree, failAt);
      }
    }
  }
}

interface Arrangement {
  readonly places: readonly PlaceKind[];
  readonly distance: Distance;
}

/** Places of the agents at each distance; those that differ only in the order of agents of one kind are given once. */
function* arrangements(kinds: readonly Kind[]): Generator<Arrangement> {
  for (const distance of DISTANCES) {
    const seen = new Set<string>();
    for (const places of product(kinds.length)) {
      if (!fits(places, distance)) continue;
      const key = kinds
        .map((kind, i) => `${kind} ${places[i]}`)
        .sort()
        .join();
      if (seen.has(key)) continue;
      seen.add(key);
      yield { places, distance };
    }
  }
}

function* product(count: number): Generator<PlaceKind[]> {
  if (count === 0) yield [];
  else for (const rest of product(count - 1)) for (const place of PLACES) yield [...rest, place];
}

/** Pfns of one leaf are in one place, and those under one PMD share it or have it to themselves. */
function fits(places: readonly PlaceKind[], distance: Distance): boolean {
  const [first] = places;
  if (distance === 'same-pfn' || distance === 'same-leaf') return places.every((place) => place === first);
  if (distance === 'other-top') return true;
  const shared = (place: PlaceKind): boolean => place.endsWith('-pmd') || place === 'beyond';
  return places.every((place) => (shared(first!) ? place === first : !shared(place)));
}

function small(
  kinds: readonly Kind[],
  places: readonly PlaceKind[],
  distance: Distance,
  tree: boolean,
  failAt: number,
): SmallScenario {
  const g = geometryByName(GEOMETRY);
  const pfns = places.map((place, i) => pfnOf(g, place, distance, i));
  // The areas of `beyond` lie above the list that the domain builder leaves.
  const nrPages = MIDS * g.pfnsPerMidPage;
  const layout: ScenarioJson['layout'] = [
    ['nr', String(nrPages)],
    ['limit', String(2 * MIDS)],
    ...(tree ? [] : ([['notree']] as const).map(([entry]) => [entry] as ['notree'])),
  ];
  places.forEach((place, i) => {
    const unit = place.endsWith('-pmd') ? g.pfnsPerPtePage : g.perPage;
    const start = pfns[i]! - (pfns[i]! % unit);
    if (place === 'private' || place === 'beyond') return;
    layout.push([place.startsWith('missing') ? 'hole' : 'identity', String(start), String(start + unit)]);
  });
  const threads = kinds.map((kind, i): ScenarioJson['threads'][number] =>
    kind === 'set' ? [['set', pfns[i]!, `m:${70_000 + i}`]] : [['lookup', pfns[i]!]],
  );
  const name = [
    kinds.join('/'),
    places.join('/'),
    distance,
    tree ? 'tree' : 'notree',
    ...(failAt > 0 ? [`fail${failAt}`] : []),
  ];
  return {
    name: name.join(' '),
    json: {
      kernel: KERNEL,
      geometry: GEOMETRY,
      layout,
      threads,
      ...(failAt > 0 ? { fail: { at: failAt } } : {}),
    },
  };
}

/** Mid pages of the builder's list, one for each of three agents. The tiny tree spans one more: `beyond` is in it and above. */
const MIDS = 3;

function pfnOf(g: Geometry, place: PlaceKind, distance: Distance, agent: number): number {
  const area = (place === 'beyond' ? MIDS : 0) + (distance === 'other-top' ? agent : 0);
  const leaf = distance === 'same-pmd' ? agent : 1;
  const entry = distance === 'same-leaf' ? agent : 1;
  return area * g.pfnsPerMidPage + leaf * g.perPage + entry;
}
