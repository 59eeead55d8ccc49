import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collisionChance, StateHash } from '../../../replay/index.js';
import { StateTable } from '../../../replay/explore/state_table.js';

function hashOf(pairs: readonly (readonly [number, number])[]): StateHash {
  const hash = new StateHash();
  for (const [key, value] of pairs) hash.add(key, value);
  return hash;
}

const pairs = fc.array(fc.tuple(fc.integer(), fc.integer()));

describe('StateHash', () => {
  it('does not care for the order, and what was taken away was never there', () => {
    fc.assert(
      fc.property(pairs, pairs, (kept, gone) => {
        const hash = hashOf([...gone, ...kept]);
        for (const [key, value] of gone) hash.take(key, value);
        expect(hash.lanes).toEqual(hashOf([...kept].reverse()).lanes);
        hash.join(hashOf(gone));
        expect(hash.lanes).toEqual(hashOf([...kept, ...gone]).lanes);
      }),
    );
  });

  it('differs in each of its four lanes for each pair near another', () => {
    for (let lane = 0; lane < 4; lane++) {
      const seen = new Set<number>();
      for (let key = -16; key < 16; key++) {
        for (let value = -16; value < 16; value++) seen.add(hashOf([[key, value]]).lanes[lane]!);
      }
      // 1024 draws from 2^32.
      expect(seen.size).toBe(1024);
    }
  });

  it('tells any two pairs apart by its first two lanes', () => {
    const pair = fc.tuple(fc.integer(), fc.integer());
    const top = 2 ** 31;
    fc.assert(
      fc.property(pair, pair, ([key, value], [k, v]) => {
        for (const other of [
          [k, v],
          [key + top, value],
          [key, value + top],
          [key + top, value + top],
        ] as const) {
          const isSame = ((other[0] - key) | 0) === 0 && ((other[1] - value) | 0) === 0;
          const lanes = hashOf([other]).lanes.slice(0, 2);
          if (!isSame) expect(lanes).not.toEqual(hashOf([[key, value]]).lanes.slice(0, 2));
        }
      }),
    );
  });

  it('says how likely two states share one', () => {
    expect(collisionChance(1)).toBe(0);
    expect(collisionChance(2 ** 20) / 2 ** -89).toBeCloseTo(1, 5);
  });
});

describe('StateTable', () => {
  it('gives numbers in order and finds each again, also where hashes share a slot', () => {
    const table = new StateTable();
    const states = Array.from({ length: 5000 }, (_, i) => {
      const hash = new StateHash();
      // Few first lanes, so that most collide.
      hash.lanes.set([i % 7, i, 0, 0]);
      return hash;
    });
    for (const [i, hash] of states.entries()) {
      expect(table.find(hash)).toBe(-1);
      expect(table.insert(hash)).toBe(i);
    }
    expect(states.map((hash) => table.find(hash))).toEqual(states.map((_, i) => i));
    expect(table.count).toBe(5000);
  });
});
