import { config } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBatch, KINDS, kindName, mfnWord, P2mError, payloadColumn } from '../../events/index.js';
import { bootSequence, Engine, formByKernel, GEOMETRIES, OwnedMutex, type Command } from '../../src/index.js';

afterEach(() => {
  config.onUnhandledError = null;
});

function engine(options: Partial<ConstructorParameters<typeof Engine>[0]> = {}): Engine {
  const made = new Engine({ form: formByKernel('7.0'), geometry: GEOMETRIES.tiny, nrPages: 32, ...options });
  bootSequence(made.domain, { nrPages: 32, firstEntry: mfnWord(1000), holes: [{ pfnStart: 8, pfnEnd: 16 }] });
  return made;
}

function set(e: Engine, pfn: number, mfn: number): Command {
  return {
    operation: 'set_phys_to_machine',
    machine: e.domain.machines.setPhysToMachine,
    pfn,
    value: mfnWord(mfn),
  };
}

function copyOf(batch: EventBatch): EventBatch {
  const copy = new EventBatch();
  for (let i = 0; i < batch.length; i++) copy.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  return copy;
}

describe('Engine', () => {
  it('runs a batch of commands with nobody else between them, whoever waits', async () => {
    const e = engine({ append: () => new Promise((resolve) => setImmediate(resolve)) });
    const calls: number[] = [];
    e.events$.subscribe((batch) => {
      for (let i = 0; i < batch.length; i++)
        if (batch.kind[i] === KINDS.call.id && batch.b[i]! >= 8) calls.push(batch.b[i]!);
    });
    const outcomes = await Promise.all([
      e.execute([set(e, 8, 1), set(e, 9, 2)], 'A'),
      e.execute([set(e, 12, 3), set(e, 13, 4)], 'B'),
    ]);
    expect(outcomes.flat()).toEqual(Array.from({ length: 4 }, () => ({ kind: 'bool', value: 1 })));
    expect(calls.slice(-4)).toEqual([8, 9, 12, 13]);
    expect([8, 9, 12, 13].map((pfn) => e.lookUp(pfn))).toEqual([1, 2, 3, 4].map(mfnWord));
  });

  it('looks up without the lock while a batch is being appended', async () => {
    let letGo = (): void => undefined;
    const e = engine({ append: () => new Promise((resolve) => (letGo = resolve)) });
    const running = e.execute([set(e, 8, 77)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(e.lookUp(8)).toBe(mfnWord(77));
    letGo();
    await running;
  });

  it('tells of events only after they were appended, in the order of the log', async () => {
    const order: string[] = [];
    const e = engine({
      append: async (batch) => {
        await Promise.resolve();
        order.push(`append ${batch.length}`);
      },
    });
    e.events$.subscribe((batch) => order.push(`next ${batch.length}`));
    await e.execute([set(e, 8, 1)]);
    await e.execute([set(e, 8, 2)]);
    const [a, b, c, d] = order;
    expect([b, d]).toEqual([a!.replace('append', 'next'), c!.replace('append', 'next')]);
    expect(order).toHaveLength(4);
  });

  it('loses no event when an append fails: they go with the next batch', async () => {
    let fails = true;
    const appended: EventBatch[] = [];
    const e = engine({
      append: async (batch) => {
        await Promise.resolve();
        if (fails) throw new Error('disk full');
        appended.push(copyOf(batch));
      },
    });
    await expect(e.execute([set(e, 8, 1)])).rejects.toThrow('disk full');
    fails = false;
    await e.execute([set(e, 9, 2)]);
    const entries = appended.flatMap((batch) =>
      [...batch.kind.subarray(0, batch.length)].flatMap((kind, i) =>
        kindName(kind) === 'set_entry' ? [batch.a[i]!] : [],
      ),
    );
    expect(entries.slice(-2)).toEqual([8, 9]);
  });

  it('goes on when a subscriber throws', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const e = engine();
    e.events$.subscribe(() => {
      throw new Error('a subscriber of the user');
    });
    await e.execute([set(e, 8, 1)]);
    await e.execute([set(e, 8, 2)]);
    expect(e.lookUp(8)).toBe(mfnWord(2));
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(unhandled.map(String)).toContain('Error: a subscriber of the user');
  });

  it('ends its stream when it is closed, after what was asked before', async () => {
    const e = engine();
    let ended = false;
    let events = 0;
    e.events$.subscribe({ next: (batch) => (events += batch.length), complete: () => (ended = true) });
    const running = e.execute([set(e, 8, 1)]);
    await e.close();
    await running;
    expect([ended, events > 0]).toEqual([true, true]);
  });

  it('refuses a caller when too many wait, and has run nothing for him', async () => {
    const e = engine({ queueMax: 1, append: () => new Promise((resolve) => setImmediate(resolve)) });
    const first = e.execute([set(e, 8, 1)], 'A');
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    const second = e.execute([set(e, 8, 2)], 'B');
    await expect(e.execute([set(e, 8, 3)], 'C')).rejects.toThrow(
      /too many callers wait for the engine: got 1 callers, A has/,
    );
    await Promise.all([first, second]);
    expect(e.lookUp(8)).toBe(mfnWord(2));
  });
});

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
