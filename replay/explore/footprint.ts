import { AccessKind, type Accesses } from './accesses.js';

/** What a step did to one location: bits. */
export const Touched = {
  /** It stored: a write, an acquire or a release. */
  stored: 1,
  /** Its first store was an acquire: the lock was free before the step. */
  took: 2,
  /** Its last store was an acquire: the lock is taken after the step. */
  kept: 4,
} as const;

/** What one step touched. `Footprints` makes them: steps that did the same have the same one. */
export class Footprint {
  /** Each location once, by its number (`Footprints.numberOf`). */
  readonly locations: Int32Array;
  /** By location: bits of `Touched`. */
  readonly touches: Uint8Array;
  /** The step ended the path for all agents. */
  readonly ends: boolean;

  constructor(locations: Int32Array, touches: Uint8Array, ends: boolean) {
    this.locations = locations;
    this.touches = touches;
    this.ends = ends;
  }

  /** Bits of what was done to `location`; 0 where it was read or left alone. */
  at(location: number): number {
    const place = this.locations.indexOf(location);
    return place < 0 ? 0 : this.touches[place]!;
  }
}

/**
 * Whether the order of two steps of different agents can matter: they share a location and one of them stores there, or
 * one of them ends the path, for whoever comes after does not come at all.
 */
export function depend(a: Footprint, b: Footprint): boolean {
  if (a.ends || b.ends) return true;
  for (let i = 0; i < a.locations.length; i++) {
    const location = a.locations[i]!;
    const touched = a.touches[i]!;
    for (let k = 0; k < b.locations.length; k++) {
      if (b.locations[k] === location && ((touched | b.touches[k]!) & Touched.stored) !== 0) return true;
    }
  }
  return false;
}

/** The different footprints of a program, and the numbers of its locations, from 0 on as they come up. */
export class Footprints {
  readonly #numbers = new Map<number, number>();
  readonly #root = new Prefix(new Footprint(new Int32Array(0), new Uint8Array(0), false));

  /** Locations that have come up. */
  get locations(): number {
    return this.#numbers.size;
  }

  /** The footprint of a step: its accesses in their order, and whether it ended the path. */
  of(accesses: Accesses, ends: boolean): Footprint {
    let prefix = this.#root;
    for (let i = 0; i < accesses.count; i++) {
      const kind = accesses.kinds[i]!;
      const location = accesses.locations[i]!;
      const key = 4 * location + kind;
      let next = prefix.next.get(key);
      if (next === undefined) {
        next = new Prefix(extended(prefix.footprint, this.#number(location), kind));
        prefix.next.set(key, next);
      }
      prefix = next;
    }
    return ends ? prefix.ending : prefix.footprint;
  }

  /** Undefined where no step has touched the location. */
  numberOf(location: number): number | undefined {
    return this.#numbers.get(location);
  }

  #number(location: number): number {
    const known = this.#numbers.get(location);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(location, number);
    return number;
  }
}

/** Accesses that some step began with. A step is looked up access by access, so that none makes an object but the first. */
class Prefix {
  /** By access, four times the location and the kind: those that some step went on with. */
  readonly next = new Map<number, Prefix>();
  readonly footprint: Footprint;
  /** Of a step that has these accesses and ended the path. */
  readonly ending: Footprint;

  constructor(footprint: Footprint) {
    this.footprint = footprint;
    this.ending = new Footprint(footprint.locations, footprint.touches, true);
  }
}

/** The footprint of a step that made one access more. */
function extended({ locations, touches }: Footprint, location: number, kind: number): Footprint {
  const place = locations.indexOf(location);
  if (place < 0)
    return new Footprint(Int32Array.of(...locations, location), Uint8Array.of(...touches, after(0, kind)), false);
  const changed = touches.slice();
  changed[place] = after(changed[place]!, kind);
  return new Footprint(locations, changed, false);
}

/** What was done to a location, and then an access of that kind. */
function after(touched: number, kind: number): number {
  if (kind === AccessKind.read) return touched;
  if (kind !== AccessKind.acquire) return (touched | Touched.stored) & ~Touched.kept;
  const isFirst = (touched & Touched.stored) === 0;
  return touched | Touched.stored | Touched.kept | (isFirst ? Touched.took : 0);
}
