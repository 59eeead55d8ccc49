import { describe, expect, test } from 'vitest';
import { EventBatch, Global, KINDS, P2mError, type OperationName } from '../../../events/index.js';
import { Random } from '../../../replay/index.js';
import {
  apply,
  ATTEMPTS,
  Control,
  EventRing,
  recover,
  settle,
  Spinlock,
  SPINLOCK_WORDS,
  ThreadPort,
  ThreadWord,
  threadWords,
  type Memory,
} from '../../../src/index.js';
import { beginSome, drain, expectEqualMemories, joined, runAtRandom, type Joined } from './joined_threads.js';

/** Where a thread may die in the middle of an act. */
type Point = 'before its number' | 'before its intent' | 'before it is done' | 'before it is published' | 'after';

class Death extends Error {}

/** A ring whose thread dies at a point of its n-th act from now. */
class DeadlyRing extends EventRing {
  #left: number;
  readonly #point: Point;

  constructor(control: Int32Array, rows: Int32Array, thread: number, point: Point, left: number) {
    super(control, rows, thread);
    this.#left = left;
    this.#point = point;
  }

  override put(...row: Parameters<EventRing['put']>): void {
    this.#left--;
    this.#die('before its number');
    super.put(...row);
    this.#die('before its intent');
  }

  override intend(attempts: number): void {
    super.intend(attempts);
    this.#die('before it is done');
  }

  override publish(): void {
    this.#die('before it is published');
    super.publish();
    this.#die('after');
  }

  #die(point: Point): void {
    if (point === this.#point && this.#left === 0) throw new Death();
  }
}

/** Thread 0 will die at the point of its n-th act. */
function doom({ threads, shared }: Joined, point: Point, n: number): void {
  const { domain, control } = threads[0]!;
  const lock = new Spinlock(control.subarray(Control.lock, Control.lock + SPINLOCK_WORDS), 0);
  const ring = new DeadlyRing(control, new Int32Array(shared.rings[0]!), 0, point, n);
  domain.usePorts((memory, batch, cpu) => new ThreadPort(memory, batch, cpu, { control, lock, ring }));
}

/** Runs operations on thread 0 until it dies. Whether it did. */
function runToDeath(all: Joined, seed: number, operations: number): boolean {
  const random = new Random(seed);
  const { domain } = all.threads[0]!;
  try {
    for (let value = 9000; value < 9000 + operations; value++) {
      const name: OperationName = beginSome(all, 0, random, value);
      domain.cpus[0]!.run();
      domain.close(name, 0, domain.cpus[0]!);
    }
    return false;
  } catch (error) {
    if (error instanceof Death) return true;
    throw error;
  }
}

const POINTS: readonly Point[] = [
  'before its number',
  'before its intent',
  'before it is done',
  'before it is published',
  'after',
];

describe('recover', () => {
  test.each(POINTS)('settles what a thread was in the middle of when it died %s', (point) => {
    let deaths = 0;
    let lost = 0;
    for (let n = 1; n <= 60; n++) {
      const all = joined({ kernel: '7.0', memory: n % 2 === 0 ? 'flat' : 'paged' });
      doom(all, point, n);
      if (!runToDeath(all, n, 12)) continue;
      deaths++;
      const control = new Int32Array(all.shared.control);
      const rows = new Int32Array(all.shared.rings[0]!);
      recover({ memory: all.memory, control, rows, thread: 0 }, 3);
      lost += control[threadWords(0) + ThreadWord.lost]!;
      drain(all);
      expectEqualMemories(all);
      expect(all.merge.isDrained).toBe(true);
      expect(control[Control.lock]).toBe(0);
      othersGoOn(all);
      expectEqualMemories(all);
    }
    expect(deaths).toBeGreaterThan(15);
    // A number without a row is lost, whatever it was of; an observation also where its row was not published.
    if (point === 'before its intent') expect(lost).toBe(deaths);
    if (point === 'before its number' || point === 'after') expect(lost).toBe(0);
  });

  test('finishes no event twice, and needs no lock that the thread did not hold', () => {
    const all = joined({ kernel: '7.0' });
    doom(all, 'after', 5);
    expect(runToDeath(all, 1, 12)).toBe(true);
    const control = new Int32Array(all.shared.control);
    const remains = { memory: all.memory, control, rows: new Int32Array(all.shared.rings[0]!), thread: 0 };
    expect(recover(remains, 3)).toMatchObject({ thread: 0, finished: undefined });
  });
});

/** The other threads are not held up, but by p2m_update_lock where the dead one has it. */
function othersGoOn(all: Joined): void {
  const { threads, memory } = all;
  const hung = memory.words[Global.p2m_update_lock] === 1;
  if (!hung) {
    runAtRandom({ ...all, threads: threads.slice(1) }, 7, 0);
    const { domain } = threads[1]!;
    domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, 33, 0x4000_0777, 0, 1);
    expect(memory.loadEntry(33)).toBe(0x4000_0777);
  } else {
    const { domain } = threads[1]!;
    const set = (pfn: number): void => {
      domain.run('set_phys_to_machine', domain.machines.setPhysToMachine, pfn, 0x4000_0777, 0, 1);
    };
    // Leaves that are shared until somebody sets.
    expect(() => [8, 12, 20, 24].forEach(set)).toThrow(P2mError);
  }
  drain(all);
}

interface Image {
  readonly words: Int32Array;
  readonly roles: Uint8Array;
  readonly homes: Int32Array;
  readonly fills: Uint8Array;
}

function imageOf(memory: Memory): Image {
  const fills = new Uint8Array(memory.buffers.fills);
  return {
    words: memory.words.slice(),
    roles: memory.roles.slice(),
    homes: memory.homes.slice(),
    fills: fills.slice(),
  };
}

function put(memory: Memory, image: Image): void {
  memory.words.set(image.words);
  memory.roles.set(image.roles);
  memory.homes.set(image.homes);
  new Uint8Array(memory.buffers.fills).set(image.fills);
}

/** A moment in the middle of an event: some of its words are stored, some not. */
function middle(before: Image, after: Image, isLink: boolean, random: Random): Image {
  const now = { ...before, words: before.words.slice() };
  const changed: number[] = [];
  after.words.forEach((word, at) => word !== before.words[at] && changed.push(at));
  const stage = random.below(3);
  const isDone = stage === 2;
  // A leaf is moved as a whole before its PTE is stored; what is filled is marked before.
  for (const at of changed) if (isDone || (!isLink && random.below(2) === 0)) now.words[at] = after.words[at]!;
  if (isLink && stage === 1) for (const at of changed.slice(1)) now.words[at] = after.words[at]!;
  return {
    words: now.words,
    roles: random.below(2) === 0 ? before.roles : after.roles,
    homes: stage === 0 ? before.homes : after.homes,
    fills: after.fills,
  };
}

describe('settle', () => {
  test.each(['paged', 'flat'] as const)('makes an event true from wherever it stopped: %s', (kind) => {
    const kinds = new Set<number>();
    for (let seed = 1; seed <= 6; seed++) {
      const all = joined({ kernel: '4.0', memory: kind });
      const random = new Random(seed);
      const seen = new EventBatch();
      runAtRandom(all, seed, 8, seen);
      const { twin } = joined({ kernel: '4.0', memory: kind });
      for (let i = 0; i < seen.length; i++) {
        const row = new EventBatch(1);
        row.copyRow(seen, i, -1);
        const before = imageOf(twin);
        apply(twin, row, 0);
        const after = imageOf(twin);
        if (before.words.every((word, at) => word === after.words[at])) continue;
        put(twin, middle(before, after, row.kind[0] === KINDS.set_pte.id, random));
        settle(twin, row, before.words[ATTEMPTS]!);
        kinds.add(row.kind[0]!);
        const settled = imageOf(twin);
        expect(Buffer.from(settled.words.buffer).equals(Buffer.from(after.words.buffer))).toBe(true);
        expect(settled.roles).toEqual(after.roles);
        expect(Buffer.from(settled.homes.buffer).equals(Buffer.from(after.homes.buffer))).toBe(true);
      }
    }
    const { alloc_page, set_entry, set_pte, lock, unlock, set_mid_mfn } = KINDS;
    for (const wanted of [alloc_page, set_entry, set_pte, lock, unlock, set_mid_mfn])
      expect(kinds).toContain(wanted.id);
  });
});
