import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../events/index.js';
import { inherit, ownerOf, Spinlock, SPINLOCK_WORDS } from '../../../src/index.js';

function words(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(SPINLOCK_WORDS * 4));
}

describe('Spinlock', () => {
  test('records its owner', () => {
    const shared = words();
    const lock = new Spinlock(shared, 4);
    expect(ownerOf(shared)).toBe(-1);
    lock.acquire();
    expect(ownerOf(shared)).toBe(4);
    lock.release();
    expect(ownerOf(shared)).toBe(-1);
  });

  test('is given back only by who holds it', () => {
    const shared = words();
    new Spinlock(shared, 0).acquire();
    expect(() => new Spinlock(shared, 1).release()).toThrow(AssertionError);
  });

  test('is not taken twice by one thread', () => {
    const lock = new Spinlock(words(), 0);
    lock.acquire();
    expect(() => lock.acquire()).toThrow('a thread takes a lock that it holds');
  });

  test('is inherited from a thread that died with it, and from no other', () => {
    const shared = words();
    new Spinlock(shared, 2).acquire();
    expect(inherit(shared, 1, 7)).toBe(false);
    expect(ownerOf(shared)).toBe(2);
    expect(inherit(shared, 2, 7)).toBe(true);
    new Spinlock(shared, 7).release();
    expect(ownerOf(shared)).toBe(-1);
  });
});
