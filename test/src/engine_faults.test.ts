import { config, map } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  EventBatch,
  KINDS,
  LogStore,
  mfnWord,
  P2mError,
  payloadColumn,
  SegmentedLog,
  type EntryCodec,
  type EventsHeader,
} from '../../events/index.js';
import { EventPlayer, stateDigest } from '../../replay/index.js';
import { bootEngine, type BootEngineOptions, type Command, type Engine, type EngineLog } from '../../src/library.js';
import { FaultyDisk, type Fault } from '../events/log/faulty_disk.js';

afterEach(() => {
  config.onUnhandledError = null;
});

/** Pfns 8 to 15 are there to be given frames. */
function engine(options: Partial<BootEngineOptions> = {}): Engine {
  return bootEngine({ geometry: 'tiny', nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 16 }], ...options });
}

function set(pfn: number, mfn: number): Command {
  return { operation: 'set_phys_to_machine', pfn, value: mfnWord(mfn) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log that answers when it is let, in memory. */
class SlowLog implements EngineLog {
  readonly all = new EventBatch();
  appends = 0;
  abandoned = 0;
  /** How an append goes. */
  answer: () => Promise<void> = () => Promise.resolve();

  async append(batch: EventBatch, seq: number): Promise<void> {
    this.appends++;
    await this.answer();
    expect(seq).toBe(this.all.length);
    for (let i = 0; i < batch.length; i++) this.all.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }

  abandon(): Promise<void> {
    this.abandoned++;
    return Promise.resolve();
  }

  /** Frames that were stored, in their order. */
  frames(start = 0): number[] {
    const { kind, d, length } = this.all;
    return [...kind.subarray(0, length)].flatMap((id, i) =>
      i >= start && id === KINDS.set_entry.id ? [d[i]! & 0x3fffffff] : [],
    );
  }
}

/** A log on a disk in memory, opened with the first append, and anew where it broke. */
function logOn(disk: FaultyDisk): (header: EventsHeader, codec: EntryCodec) => EngineLog {
  return (header, codec) => {
    let store: LogStore | undefined;
    const open = async (): Promise<LogStore> => {
      if (store?.isBroken !== false) store = await LogStore.open(disk, header, codec);
      return store;
    };
    return {
      append: async (batch, seq) => (await open()).append(batch, seq),
      close: async () => (await open()).close(),
      abandon: () => Promise.resolve(store?.abandon()),
    };
  };
}

/** The log of a disk, replayed into a fresh domain. */
function replayed(disk: FaultyDisk): EventPlayer {
  const log = new SegmentedLog('log', disk);
  const player = new EventPlayer(log.header, log.codec, 'log');
  for (let block = 0; block < log.blocks; block++) player.play(log.read(block), log.seqOf(block));
  return player;
}

async function settled(e: Engine, commands: number): Promise<unknown[]> {
  const results: unknown[] = [];
  for (let i = 0; i < commands; i++) {
    results.push(
      await e.execute(set(8 + (i % 8), i + 1)).then(
        () => 'done',
        (error: unknown) => error,
      ),
    );
  }
  return results;
}

describe('an engine whose disk fails at one operation', () => {
  it.each<Fault>(['ENOSPC', 'EIO'])(
    'loses nothing that it acknowledged to %s, at any of them, and goes on',
    async (fault) => {
      for (let index = 0, isHit = true; isHit; index++) {
        const disk = new FaultyDisk({ plan: (_, i) => (i === index ? fault : undefined) });
        const e = engine({ log: logOn(disk) });
        const results = await settled(e, 6);
        isHit = disk.faults > 0;
        for (const result of results) if (result !== 'done') expect(result).toBeInstanceOf(P2mError);
        if (e.state !== 'open') await e.flush();
        expect(e.state).toBe('open');
        await e.close().catch(() => e.close());
        const player = replayed(disk.afterPowerCut(() => 0));
        expect(player.events).toBe(e.appended);
        expect(player.digest()).toEqual(stateDigest(e.domain.memory));
      }
    },
  );

  it('refuses with a clear error while the disk is full, says so, and keeps what was acknowledged when it is abandoned', async () => {
    let full = false;
    const disk = new FaultyDisk({ plan: (operation) => (full && operation === 'write' ? 'ENOSPC' : undefined) });
    const e = engine({ log: logOn(disk) });
    expect(await settled(e, 3)).toEqual(['done', 'done', 'done']);
    const acknowledged = e.appended;
    const digest = stateDigest(e.domain.memory);
    full = true;
    const [first, second, third] = await settled(e, 3);
    expect(String(first)).toMatch(/cannot write.*ENOSPC/);
    for (const refusal of [second, third]) {
      expect(refusal).toMatchObject({ code: 'capacity' });
      expect(String(refusal)).toMatch(/nothing was run: the log still refuses what was done before: got .*ENOSPC/);
    }
    expect([e.state, e.failure, e.entryOf(9)]).toEqual(['behind', first, 'm:2']);
    await expect(e.close()).rejects.toThrow('ENOSPC');
    expect(await e.abandon()).toBeGreaterThan(0);
    expect(e.state).toBe('closed');
    await e.close();
    await expect(e.execute(set(8, 9))).rejects.toThrow('the engine is closed');
    const player = replayed(disk.afterKill());
    expect(player.events).toBeGreaterThanOrEqual(acknowledged);
    expect(player.digest()).toEqual(digest);
  });
});

describe('an engine whose log is slow', () => {
  it('keeps order and bounds, and acknowledges everything', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log, queueMax: 50 });
    await e.flush();
    const start = log.all.length;
    log.answer = () => new Promise((resolve) => setTimeout(resolve, 5));
    const answers: number[] = [];
    let refused = 0;
    for (let i = 1; i <= 600; i++) {
      e.execute(set(8, i)).then(
        () => answers.push(i),
        () => refused++,
      );
      expect(e.waiting).toBeLessThanOrEqual(50);
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await e.close();
    expect(answers.length + refused).toBe(600);
    expect(answers).toEqual([...answers].sort((a, b) => a - b));
    expect(log.frames(start)).toEqual(answers);
    expect(answers.length).toBeGreaterThan(50);
  });

  it('refuses synchronous calls where too many of their events wait', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log, pendingMax: 500 });
    await e.flush();
    const calls = (): void => {
      for (;;) e.executeNow(set(8, 1));
    };
    expect(calls).toThrow(/too many events wait for the log: got 50\d, want less than 500/);
    await e.flush();
    expect(e.executeNow(set(8, 2))).toEqual({ kind: 'bool', value: 1 });
    await e.close();
  });

  it('waits no longer than its patience, and goes on when the log answers after all', async () => {
    const log = new SlowLog();
    const alarms = new Set<() => void>();
    const e = engine({
      log: () => log,
      patience: (late) => {
        alarms.add(late);
        return () => alarms.delete(late);
      },
    });
    await e.flush();
    const start = log.all.length;
    let answer = (): void => undefined;
    log.answer = () => new Promise((resolve) => (answer = resolve));
    const first = e.execute(set(8, 1)).catch(String);
    await turn();
    const queued = [e.execute(set(8, 2)).catch(String), e.flush().catch(String), e.execute(set(8, 3)).catch(String)];
    expect(alarms.size).toBe(1);
    for (const ring of alarms) ring();
    expect(await first).toMatch(/the log has not answered in time/);
    for (const refusal of await Promise.all(queued))
      expect(refusal).toMatch(/nothing was run.*has not answered in time/);
    expect([e.state, e.entryOf(8)]).toEqual(['stalled', 'm:1']);
    await expect(e.close()).rejects.toThrow('has not answered in time');
    answer();
    await turn();
    expect([e.state, e.appended]).toEqual(['open', log.all.length]);
    log.answer = () => Promise.resolve();
    await e.execute(set(8, 4));
    await e.close();
    expect(log.frames(start)).toEqual([1, 4]);
    expect(alarms.size).toBe(0);
  });

  it('answers everybody when it is abandoned, though the log never does', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    log.answer = () => new Promise(() => undefined);
    let isComplete = false;
    e.events$.subscribe({ complete: () => (isComplete = true) });
    const waiting = [e.execute(set(8, 1)), e.close(), e.execute(set(8, 2)), e.flush()];
    await turn();
    const lost = e.abandon();
    const results = await Promise.allSettled(waiting);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(await lost).toBeGreaterThan(0);
    expect([log.abandoned, isComplete, e.state]).toEqual([1, true, 'closed']);
  });
});

describe('ten thousand callers', () => {
  it('are all answered, in their order, in a few appends, the one too many refused', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const start = log.all.length;
    log.answer = () => new Promise((resolve) => setTimeout(resolve, 20));
    const answers: number[] = [];
    const callers = Array.from({ length: 10_000 }, (_, i) =>
      e.execute(set(8 + (i % 8), i + 1)).then(() => void answers.push(i + 1)),
    );
    expect(e.waiting).toBe(10_000);
    await expect(e.execute(set(8, 1))).rejects.toThrow(/too many callers wait for the engine: got 10000 callers/);
    const appends = log.appends;
    await Promise.all(callers);
    expect(answers).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    expect(log.frames(start)).toEqual(answers);
    expect(log.appends - appends).toBeLessThanOrEqual(Math.ceil((log.all.length - start) / 4096));
    expect(e.waiting).toBe(0);
  });

  it('are each answered when the engine is closed among them, or its log fails', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const before = Array.from({ length: 5000 }, (_, i) => e.execute(set(8, i + 1)));
    const closing = e.close();
    const after = Array.from({ length: 4000 }, (_, i) => e.execute(set(9, i + 1)));
    const results = await Promise.allSettled([...before, closing, ...after]);
    expect(results.slice(0, 5001).every(({ status }) => status === 'fulfilled')).toBe(true);
    for (const result of results.slice(5001)) expect(result).toMatchObject({ reason: { code: 'usage' } });

    const failing = new SlowLog();
    const f = engine({ log: () => failing });
    await f.flush();
    failing.answer = () => Promise.reject(new Error('disk full'));
    const callers = await Promise.allSettled(Array.from({ length: 9000 }, (_, i) => f.execute(set(8, i + 1))));
    const reasons = callers.map((result) => (result.status === 'rejected' ? String(result.reason) : 'done'));
    expect(new Set(reasons).size).toBe(2);
    expect(reasons[0]).toBe('Error: disk full');
    expect(reasons.at(-1)).toMatch(/nothing was run/);
    // The first who were served together, and the one attempt to catch up.
    expect(failing.appends).toBe(3);
  });

  it('may never look at their answers', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const start = log.all.length;
    for (let i = 1; i <= 10_000; i++) void e.execute(set(8, i));
    await e.close();
    expect(log.frames(start)).toHaveLength(10_000);
  });
});

describe('a caller with a bad command', () => {
  it('is refused alone, those beside him are answered', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const start = log.all.length;
    const results = await Promise.allSettled([
      e.execute(set(8, 1)),
      e.execute(set(-1, 2)),
      e.execute([set(9, 3), { operation: 'set_phys_to_machine', pfn: 8, value: 'zz' }]),
      e.execute(set(10, 4)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(log.frames(start)).toEqual([1, 4]);
  });

  it('who breaks an operation off in its middle, leaves nothing of it in the log, and those before him are answered', async () => {
    const disk = new FaultyDisk();
    const e = engine({ log: logOn(disk) });
    await e.flush();
    e.executeNow(set(8, 1));
    const run = e.domain.run.bind(e.domain);
    let digest = '';
    e.domain.run = (...call) => {
      if (call[2] !== 9) return run(...call);
      digest = stateDigest(e.domain.memory).list;
      run(...call);
      throw new Error('a bug');
    };
    const results = await Promise.allSettled([e.execute(set(10, 2)), e.execute([set(9, 3)]), e.execute(set(11, 4))]);
    expect(results.map((result) => (result.status === 'rejected' ? String(result.reason) : 'done'))).toEqual([
      'done',
      'Error: a bug',
      expect.stringMatching(/broken off/),
    ]);
    expect([e.state, String(e.failure)]).toEqual(['broken', 'Error: a bug']);
    await e.close();
    expect(replayed(disk.afterPowerCut(() => 0)).digest().list).toBe(digest);
  });
});

describe('an allocation failure that is armed in the middle', () => {
  it('is an outcome, and in the log', async () => {
    const disk = new FaultyDisk();
    const e = engine({ log: logOn(disk) });
    const touch: Command = { operation: 'xen_alloc_p2m_entry', pfn: 12 };
    await e.execute(set(8, 1));
    const callers = [e.execute(touch), e.execute(touch)];
    e.domain.armFailure(1, 0);
    expect(await Promise.all(callers)).toEqual([
      { kind: 'errno', value: -12 },
      { kind: 'errno', value: 0 },
    ]);
    await e.close();
    const player = replayed(disk);
    expect(player.kinds.alloc_failed).toBe(1);
    expect(player.digest()).toEqual(stateDigest(e.domain.memory));
  });
});

describe('a subscriber of events$', () => {
  it('that throws loses nothing, for nobody, and rxjs reports it', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const log = new SlowLog();
    const e = engine({ log: () => log });
    let before = 0;
    let after = 0;
    const failed: unknown[] = [];
    e.events$.subscribe((batch) => (before += batch.length));
    e.events$.subscribe(() => {
      throw new Error('thrown by next');
    });
    const throws = (): number => {
      throw new Error('thrown by an operator');
    };
    e.events$.pipe(map(throws)).subscribe({ error: (error) => failed.push(error) });
    e.events$.subscribe((batch) => (after += batch.length));
    for (let i = 1; i <= 3; i++) expect(await e.execute(set(8, i))).toEqual({ kind: 'bool', value: 1 });
    await e.close();
    expect([before, after]).toEqual([log.all.length, log.all.length]);
    expect(failed.map(String)).toEqual(['Error: thrown by an operator']);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(unhandled.map(String)).toEqual(Array.from({ length: 3 }, () => 'Error: thrown by next'));
  });

  it('that throws through rxjs loses no event either', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const start = log.all.length;
    Object.assign(config, { useDeprecatedSynchronousErrorHandling: true });
    const subscription = e.events$.subscribe(() => {
      throw new Error('at once');
    });
    await e.execute(set(8, 1)).catch(() => undefined);
    Object.assign(config, { useDeprecatedSynchronousErrorHandling: false });
    subscription.unsubscribe();
    await e.execute(set(8, 2));
    await e.close();
    expect(log.frames(start)).toEqual([1, 2]);
  });

  it('that makes as many events as are appended together does not keep those who wait from their turn', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const work = (): void => {
      for (let i = 0; i < 1400; i++) e.executeNow(set(9, i + 1));
    };
    let told = 0;
    e.events$.subscribe(() => {
      if (++told <= 20) work();
    });
    work();
    const callers = Array.from({ length: 5 }, (_, i) => e.execute(set(8, i + 1)));
    await Promise.all(callers);
    expect(told).toBeLessThan(12);
    await e.close();
  });

  it('may leave while it is told, call at once, and close', async () => {
    const log = new SlowLog();
    const e = engine({ log: () => log });
    await e.flush();
    const start = log.all.length;
    let told = 0;
    let closing: Promise<void> | undefined;
    const once = e.events$.subscribe(() => {
      told++;
      once.unsubscribe();
      e.executeNow(set(9, 2));
      closing = e.close();
    });
    let all = 0;
    e.events$.subscribe((batch) => (all += batch.length));
    await e.execute(set(8, 1));
    await closing;
    expect([told, e.state, log.frames(start)]).toEqual([1, 'closed', [1, 2]]);
    expect(all).toBe(log.all.length - start);
  });
});
