/**
 * The example in the comment on top of the old p2m.c: a machine with no RAM from 1029 MB to 2001 MB, and
 * dom0_mem=max:3GB,1GB. docs/review-questions.md shows it with commands.
 *
 *     0            1 GB     1029 MB           2001 MB                    4 GB
 *     | RAM, ours  | RAM, later | no RAM      | RAM, later ...        | | above the E820 map
 *     0      0x40000      0x40500        0x7d100               0xfcc00 ^ 0x100000
 *
 * max: lets 2 GB more come: 1280 pages below the gap and 523008 above it, to 0xfcc00. What RAM is left is unusable.
 */
import { describe, expect, it } from 'vitest';
import { formByKernel, mutant, structure, type Form } from '../src/index.js';
import { Booted, PAGES_PER_GIB, PAGES_PER_MIB, type Plan } from './booted.js';

const [RAM, GAP, GAP_END, RAM_END] = [0x40000, 0x40500, 0x7d100, 0xfcc00];
const PLAN: Plan = {
  nrPages: RAM,
  identity: [{ pfnStart: GAP, pfnEnd: GAP_END }],
  extra: [
    { pfnStart: RAM, pfnEnd: GAP },
    { pfnStart: GAP_END, pfnEnd: RAM_END },
  ],
};
const RIGHT = [
  [0, 'mfn', 'm:1000'],
  [RAM, 'missing'],
  [GAP, 'identity'],
  [GAP_END, 'missing'],
  [RAM_END, 'identity'],
];

function dumpOf(form: Form): (readonly (string | number)[])[] {
  return new Booted(form, PLAN).dump(0, 4 * PAGES_PER_GIB);
}

describe("the old comment's E820 example", () => {
  it('E820: identity from 1029 MB to 2001 MB is pfns 263424 to 512256; max: lets 2 GB more come', () => {
    expect([GAP, GAP_END]).toEqual([263424, 512256]);
    expect([RAM, GAP, GAP_END].map((pfn) => pfn / PAGES_PER_MIB)).toEqual([1024, 1029, 2001]);
    expect(GAP - RAM + (RAM_END - GAP_END)).toBe(2 * PAGES_PER_GIB);
  });

  it.each(['3.16', '3.18'])(
    'E820: %s splits p2m[1][2] and p2m[1][488] and shares p2m_identity between them',
    (kernel) => {
      const booted = new Booted(kernel, PLAN);
      expect(booted.dump(0, 4 * PAGES_PER_GIB)).toEqual(RIGHT);
      const leaf = (top: number, mid: number): number => top * 512 + mid;
      expect(structure(booted.domain.memory).leaves.slice(0, 5)).toEqual([
        [leaf(0, 0), 512, 'init#0'],
        [leaf(1, 0), 2, 'missing'],
        [leaf(1, 2), 1, 'leaf#0'],
        [leaf(1, 3), 485, 'identity'],
        [leaf(1, 488), 1, 'leaf#1'],
      ]);
    },
  );

  it.each(['3.16', '3.18', '3.19.8', '7.0'])(
    'E820: pfn 512256 itself is RAM in %s: the range is half-open',
    (kernel) => {
      expect(new Booted(kernel, PLAN).look(GAP - 1, GAP, GAP_END - 1, GAP_END)).toEqual([
        '~',
        'i:263424',
        'i:512255',
        '~',
      ]);
    },
  );

  it('E820: the gap ends in the middle of a leaf, and up to 3.19 the half before it is 256 frames off (B5)', () => {
    const off = [...RIGHT.slice(0, 3), [GAP_END - 256, 'identity_of', `i:${GAP_END}`], ...RIGHT.slice(3)];
    for (const kernel of ['v3', '3.19']) expect(dumpOf(formByKernel(kernel)), kernel).toEqual(off);
    for (const kernel of ['3.19.8', '7.0']) expect(dumpOf(formByKernel(kernel)), kernel).toEqual(RIGHT);
    expect(dumpOf(mutant(formByKernel('7.0'), 'identityBaseMasked'))).toEqual(off);
  });

  it('E820: the linear list shares the gap; RAM that is to come has leaves of its own', () => {
    expect(structure(new Booted('7.0', PLAN).domain.memory).leaves).toEqual([
      [0, 515, 'leaf#0'],
      [515, 485, 'identity'],
      [1000, 1022, 'leaf#515'],
      [2022, 26, 'identity'],
    ]);
  });
});
