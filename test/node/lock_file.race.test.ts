import { describe, expect, it } from 'vitest';
import { ownerText, takeName, type LockNames } from '../../node/lock_file.js';

const LOCK = 'log.lock';
type Take = typeof takeName;

/** Who takes part: a process that takes the lock once, step by step, and may be killed at any. */
interface Taker {
  readonly text: string;
  /** What its acts on names have given so far: with it, its program is run again up to where it stands. */
  readonly results: (string | boolean | undefined)[];
  state: 'taking' | 'owner' | 'refused' | 'released' | 'killed';
}

interface World {
  readonly names: Map<string, string>;
  readonly dead: Set<string>;
  readonly takers: Taker[];
}

const textOf = (pid: number): string =>
  ownerText({ pid, startTicks: pid, bootId: 'b', pidNamespace: 'n', host: 'h' }, new Date(0));

/** Thrown out of a taker's program once it has made one step more. */
class Pause extends Error {}

function copyOf(world: World): World {
  return {
    names: new Map(world.names),
    dead: new Set(world.dead),
    takers: world.takers.map((taker) => ({ ...taker, results: [...taker.results] })),
  };
}

/** Makes the next act of a taker on the names of the world. */
function step(take: Take, world: World, taker: Taker): void {
  let at = 0;
  let hasActed = false;
  const once = <T extends string | boolean | undefined>(act: () => T): T => {
    if (at < taker.results.length) return taker.results[at++] as T;
    if (hasActed) throw new Pause();
    hasActed = true;
    at++;
    const result = act();
    taker.results.push(result);
    return result;
  };
  const { names } = world;
  const stepping: LockNames = {
    put: (path, text) => once(() => !names.has(path) && Boolean(names.set(path, text))),
    get: (path) => once(() => names.get(path)),
    move: (from, to) => {
      once(() => {
        if (!names.has(from)) return false;
        names.set(to, names.get(from)!);
        return names.delete(from);
      });
    },
    remove: (path) => {
      once(() => names.delete(path));
    },
  };
  try {
    const refusedBy = take(LOCK, taker.text, stepping, (owner) => once(() => world.dead.has(owner)));
    taker.state = refusedBy === undefined ? 'owner' : 'refused';
    // How it came to that is the same to all that follows.
    taker.results.length = 0;
  } catch (error) {
    if (!(error instanceof Pause)) throw error;
  }
}

/** Every world that one act of anybody makes of this one. */
function* nextWorlds(take: Take, world: World): Generator<World> {
  for (let i = 0; i < world.takers.length; i++) {
    const { state } = world.takers[i]!;
    if (state === 'taking') {
      const next = copyOf(world);
      step(take, next, next.takers[i]!);
      yield next;
    }
    if (state === 'owner') {
      const next = copyOf(world);
      next.takers[i]!.state = 'released';
      next.names.delete(LOCK);
      yield next;
    }
    if (state === 'taking' || state === 'owner') {
      const next = copyOf(world);
      next.takers[i]!.state = 'killed';
      next.takers[i]!.results.length = 0;
      next.dead.add(next.takers[i]!.text);
      yield next;
    }
  }
}

/** What is wrong with a world; undefined where nothing is. */
function wrong(take: Take, world: World): string | undefined {
  const count = (wanted: Taker['state']): number => world.takers.filter(({ state }) => state === wanted).length;
  if (count('owner') > 1) return 'two owners';
  if (count('taking') > 0 || count('owner') > 0) return undefined;
  if (count('killed') === 0 && count('released') === 0) return 'nobody got it';
  const late: Taker = { text: textOf(99), results: [], state: 'taking' };
  while (late.state === 'taking') step(take, world, late);
  return late.state === 'owner' ? undefined : 'nobody gets it any more';
}

/** Goes through every interleaving of `count` takers, kills at any place included; what is wrong, and how many worlds. */
function explore(take: Take, count: number): { readonly wrongs: ReadonlySet<string>; readonly worlds: number } {
  const takers = Array.from({ length: count }, (_, i): Taker => ({
    text: textOf(i + 1),
    results: [],
    state: 'taking',
  }));
  const dead = textOf(50);
  const start: World = { names: new Map([[LOCK, dead]]), dead: new Set([dead]), takers };
  const seen = new Set<string>();
  const wrongs = new Set<string>();
  for (let open = [start], world = open.pop(); world !== undefined; world = open.pop()) {
    const key = JSON.stringify([[...world.names].sort(), world.takers.map(({ state, results }) => [state, results])]);
    if (seen.has(key)) continue;
    seen.add(key);
    const what = wrong(take, copyOf(world));
    if (what !== undefined) wrongs.add(what);
    else open.push(...nextWorlds(take, world));
  }
  return { wrongs, worlds: seen.size };
}

describe('takeName', () => {
  it.each([2, 3])('has one owner and gets on, in every interleaving of %d takers and their deaths', (count) => {
    const { wrongs, worlds } = explore(takeName, count);
    expect([...wrongs]).toEqual([]);
    expect(worlds).toBeGreaterThan(count === 2 ? 200 : 30_000);
  });

  it('is caught without the second look: who claims late moves a lock that is held', () => {
    const blind: Take = (path, text, names, isDead) =>
      takeName(path, text, { ...names, get: (name) => names.get(name) && textOf(50) }, isDead);
    expect([...explore(blind, 2).wrongs]).toContain('two owners');
  });

  it('is caught where a dead lock is removed and taken', () => {
    const naive: Take = (path, text, names, isDead) => {
      if (names.put(path, text)) return undefined;
      const owner = names.get(path);
      if (owner !== undefined && !isDead(owner)) return owner;
      names.remove(path);
      return names.put(path, text) ? undefined : owner;
    };
    expect([...explore(naive, 2).wrongs]).toContain('two owners');
  });

  it('is caught where a lock is moved aside, looked at, and put back if it was a living one', () => {
    const aside: Take = (path, text, names, isDead) => {
      if (names.put(path, text)) return undefined;
      const owner = names.get(path);
      if (owner !== undefined && !isDead(owner)) return owner;
      const mine = `${path}.${text}`;
      names.move(path, mine);
      const moved = names.get(mine);
      names.remove(mine);
      if (moved !== undefined && moved !== owner) {
        names.put(path, moved);
        return moved;
      }
      return names.put(path, text) ? undefined : 'somebody';
    };
    expect([...explore(aside, 3).wrongs]).toContain('two owners');
  });

  it('is caught where nobody takes over', () => {
    const timid: Take = (path, text, names) => (names.put(path, text) ? undefined : (names.get(path) ?? 'somebody'));
    expect([...explore(timid, 2).wrongs]).toContain('nobody got it');
  });
});
