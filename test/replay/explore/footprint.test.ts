import { describe, expect, it } from 'vitest';
import { Accesses, AccessKind } from '../../../replay/index.js';
import { depend, Footprints, Touched, type Footprint } from '../../../replay/explore/footprint.js';

const { read, write, acquire, release } = AccessKind;

function footprintOf(
  footprints: Footprints,
  accesses: readonly (readonly [number, number])[],
  ends = false,
): Footprint {
  const all = new Accesses();
  for (const [kind, location] of accesses) all.note(kind, location);
  return footprints.of(all, ends);
}

describe('Footprints', () => {
  it('gives steps that did the same the same footprint, and others another', () => {
    const footprints = new Footprints();
    const first = footprintOf(footprints, [[read, -7], [write, 9]]); // prettier-ignore
    expect(footprintOf(footprints, [[read, -7], [write, 9]])).toBe(first); // prettier-ignore
    expect(footprintOf(footprints, [[read, -7]])).not.toBe(first);
    expect(footprintOf(footprints, [[read, -7], [write, 9]], true)).not.toBe(first); // prettier-ignore
    expect(footprints.locations).toBe(2);
  });

  it.each<[string, [number, number][], number]>([
    ['a read', [[read, 1]], 0],
    ['a read and a write', [[read, 1], [write, 1]], Touched.stored], // prettier-ignore
    ['a lock taken', [[acquire, 1]], Touched.stored | Touched.took | Touched.kept],
    ['a lock taken and given back', [[acquire, 1], [release, 1]], Touched.stored | Touched.took], // prettier-ignore
    ['a lock given back and taken', [[release, 1], [acquire, 1]], Touched.stored | Touched.kept], // prettier-ignore
  ])('says of a location what was done to it: %s', (_, accesses, touched) => {
    const footprints = new Footprints();
    expect(footprintOf(footprints, accesses).at(footprints.numberOf(1)!)).toBe(touched);
  });

  it('says that steps depend on each other where one stores what the other touches, or ends the path', () => {
    const footprints = new Footprints();
    const none = footprintOf(footprints, []);
    const reads = footprintOf(footprints, [[read, 1]]);
    const writes = footprintOf(footprints, [[read, 2], [write, 1]]); // prettier-ignore
    const elsewhere = footprintOf(footprints, [[write, 3]]);
    const ends = footprintOf(footprints, [], true);
    expect(depend(reads, reads)).toBe(false);
    expect(depend(reads, writes)).toBe(true);
    expect(depend(writes, writes)).toBe(true);
    expect(depend(writes, elsewhere)).toBe(false);
    expect(depend(none, writes)).toBe(false);
    expect(depend(none, ends)).toBe(true);
  });
});
