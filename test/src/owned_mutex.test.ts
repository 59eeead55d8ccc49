import { describe, expect, it } from 'vitest';
import { P2mError } from '../../events/index.js';
import { OwnedMutex } from '../../src/owned_mutex.js';

describe('OwnedMutex', () => {
  it('knows its owner, serves in order, and lets go when the work throws', async () => {
    const mutex = new OwnedMutex();
    const seen: (string | undefined)[] = [];
    const work = (name: string) =>
      mutex.run(name, async () => {
        await Promise.resolve();
        seen.push(mutex.owner);
        if (name === 'B') throw new Error('B');
      });
    const results = await Promise.allSettled(['A', 'B', 'C'].map(work));
    expect(seen).toEqual(['A', 'B', 'C']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([mutex.owner, mutex.waiting]).toEqual([undefined, 0]);
  });

  it('refuses with a P2mError that says who has the lock', async () => {
    const mutex = new OwnedMutex(0);
    await expect(mutex.run('A', () => Promise.resolve())).rejects.toThrow(P2mError);
  });
});
