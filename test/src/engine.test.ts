import { config } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBatch, FAULT, KINDS, mfnWord, P2mError, payloadColumn, viewEvent } from '../../events/index.js';
import {
  bootEngine,
  bootSequence,
  Engine,
  formByKernel,
  GEOMETRIES,
  type BootEngineOptions,
  type Command,
  type EngineLog,
  type EngineLogger,
} from '../../src/library.js';

afterEach(() => {
  config.onUnhandledError = null;
});

/** Pfns 8 to 15 are there to be given frames; the log, where there is one, has the boot already. */
async function engine(options: Partial<BootEngineOptions> = {}): Promise<Engine> {
  const made = bootEngine({ geometry: 'tiny', nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 16 }], ...options });
  await made.flush();
  return made;
}

function set(pfn: number, mfn: number): Command {
  return { operation: 'set_phys_to_machine', pfn, value: mfnWord(mfn) };
}

/** A log that keeps copies, and fails or waits when it is told to. */
class Kept implements EngineLog {
  readonly all = new EventBatch();
  fails = false;
  wait: Promise<unknown> = Promise.resolve();
  appends = 0;
  closed = 0;

  async append(batch: EventBatch, seq: number): Promise<void> {
    this.appends++;
    await this.wait;
    if (this.fails) throw new Error('disk full');
    expect(seq).toBe(this.all.length);
    for (let i = 0; i < batch.length; i++) this.all.copyRow(batch, i, payloadColumn(batch.kind[i]!));
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  /** Pfns of the entries that were set, from event `start` on. */
  stores(start = 0): number[] {
    return [...this.all.kind.subarray(0, this.all.length)].flatMap((kind, i) =>
      i >= start && kind === KINDS.set_entry.id ? [this.all.a[i]!] : [],
    );
  }
}

/** A promise and what settles it. */
function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Engine.execute', () => {
  it('gives one outcome for a command, and a list for a list', async () => {
    const e = await engine();
    expect(await e.execute(set(8, 77))).toEqual({ kind: 'bool', value: 1 });
    expect(await e.execute([set(9, 78), { operation: 'get_phys_to_machine', pfn: 9 }])).toEqual([
      { kind: 'bool', value: 1 },
      { kind: 'word', value: mfnWord(78) },
    ]);
    expect(await e.execute([])).toEqual([]);
  });

  it('runs a batch with nobody else between its commands, whoever waits', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const before = log.all.length;
    log.wait = turn();
    await Promise.all([e.execute([set(8, 1), set(9, 2)], 'A'), e.execute([set(12, 3), set(13, 4)], 'B')]);
    expect(log.stores(before)).toEqual([8, 9, 12, 13]);
    expect([8, 9, 12, 13].map((pfn) => e.lookUp(pfn))).toEqual([1, 2, 3, 4].map(mfnWord));
  });

  it('says who has the lock and how many wait', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const { opened, open } = gate();
    log.wait = opened;
    const running = [e.execute(set(8, 1), 'A')];
    await turn();
    running.push(e.execute(set(8, 2), 'B'), e.execute(set(8, 3), 'C'));
    expect([e.owner, e.waiting]).toEqual(['A', 2]);
    open();
    await Promise.all(running);
    expect([e.owner, e.waiting]).toEqual([undefined, 0]);
  });

  it('refuses a caller when too many wait, and has run nothing for him', async () => {
    const log = new Kept();
    const e = await engine({ queueMax: 1, log: () => log });
    const { opened, open } = gate();
    log.wait = opened;
    const first = e.execute(set(8, 1), 'A');
    await turn();
    const second = e.execute(set(8, 2), 'B');
    await expect(e.execute(set(8, 3), 'C')).rejects.toThrow(
      /too many callers wait for the engine: got 1 callers, A has/,
    );
    open();
    await Promise.all([first, second]);
    expect(e.lookUp(8)).toBe(mfnWord(2));
  });

  it('runs nothing of a batch with a bad command in it', async () => {
    const e = await engine();
    const bad = [set(8, 1), { operation: 'set_phys_to_machine', pfn: -1, value: '~' }] as const;
    await expect(e.execute(bad)).rejects.toThrow('bad pfn of set_phys_to_machine: got -1');
    expect(e.entryOf(8)).toBe('~');
  });

  it('gives a kernel assertion as an outcome', async () => {
    const e = await engine({ kernel: '5.10' });
    expect(await e.execute(set(2 ** 31, 1))).toEqual({ kind: 'bug', bug: 'beyond-size' });
    expect(await e.execute(set(8, 1))).toEqual({ kind: 'bool', value: 1 });
  });
});

describe('Engine.lookUp', () => {
  it('takes no lock while a batch is being appended, and is not logged', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const { opened, open } = gate();
    log.wait = opened;
    const running = e.execute(set(8, 77));
    await turn();
    expect([e.lookUp(8), e.entryOf(8)]).toEqual([mfnWord(77), 'm:77']);
    open();
    await running;
    expect([...log.all.kind.subarray(0, log.all.length)]).not.toContain(KINDS.look_up.id);
  });

  it('says where the kernel would fault', () => {
    const e = new Engine({ form: formByKernel('7.0'), geometry: GEOMETRIES.tiny, nrPages: 32 });
    Object.defineProperty(e, 'lookUp', { value: () => FAULT });
    expect(e.entryOf(0)).toBe('fault');
  });
});

describe('Engine.loggedLookUp', () => {
  it('answers as a look-up does, and is an event of the log in its place', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const before = log.all.length;
    const seen = await Promise.all([
      e.loggedLookUp(8, 'A'),
      e.execute(set(8, 77), 'B'),
      e.loggedLookUp(8, 'A'),
      e.loggedLookUp(2 ** 40, 'A'),
    ]);
    expect([seen[0], seen[2], seen[3]]).toEqual([0, mfnWord(77), e.codec.identityOf(2 ** 40)]);
    const events = Array.from({ length: log.all.length - before }, (_, i) =>
      viewEvent(log.all, before + i, e.codec, before + i),
    );
    expect(events.filter(({ kind }) => kind === 'look_up')).toEqual([
      { seq: before + 1, cpu: 0, op: 0, kind: 'look_up', pfn: 8, value: '0xffffffffffffffff' },
      { seq: log.all.length - 2, cpu: 0, op: 0, kind: 'look_up', pfn: 8, value: '0x4d' },
      { seq: log.all.length - 1, cpu: 0, op: 0, kind: 'look_up', pfn: 2 ** 40, value: '0x4000010000000000' },
    ]);
  });

  it('stands between the commands of a batch where it was asked for', async () => {
    const e = await engine();
    const outcomes = await e.execute([set(8, 1), { operation: 'look_up', pfn: 8 }, set(8, 2)]);
    expect(outcomes[1]).toEqual({ kind: 'word', value: mfnWord(1) });
  });
});

describe('Engine.executeNow', () => {
  it('runs at once while another batch is being appended; its events follow that batch in the log', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const before = log.all.length;
    const { opened, open } = gate();
    log.wait = opened;
    const running = e.execute(set(8, 1));
    await turn();
    expect(e.executeNow([set(9, 2), set(9, 3)])).toHaveLength(2);
    for (let i = 0; i < 2000; i++) e.executeNow(set(10, i + 1));
    expect(e.executeNow({ operation: '__pfn_to_mfn', pfn: 9 })).toEqual({ kind: 'word', value: mfnWord(3) });
    open();
    await running;
    expect(log.stores(before)).toEqual([8]);
    await e.flush();
    expect(log.stores(before)).toEqual([8, 9, 9, ...Array.from({ length: 2000 }, () => 10)]);
    expect(e.appended).toBe(log.all.length);
  });

  it('hands the events of synchronous calls of the domain on in their place', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const before = log.all.length;
    e.domain.run('set_phys_to_machine', e.domain.machines.setPhysToMachine, 8, mfnWord(1));
    await e.execute(set(9, 2));
    expect(log.stores(before)).toEqual([8, 9]);
  });
});

describe('Engine.events$', () => {
  it('tells of events only after they were appended, in the order of the log', async () => {
    const order: string[] = [];
    const append = async (batch: EventBatch): Promise<void> => {
      await Promise.resolve();
      order.push(`append ${batch.length}`);
    };
    const e = await engine({ log: () => ({ append }) });
    order.length = 0;
    e.events$.subscribe((batch) => order.push(`next ${batch.length}`));
    await e.execute(set(8, 1));
    await e.execute(set(8, 2));
    const [a, b, c, d] = order;
    expect([b, d]).toEqual([a!.replace('append', 'next'), c!.replace('append', 'next')]);
    expect(order).toHaveLength(4);
  });

  it('goes on when a subscriber throws, and tells the others', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const e = await engine();
    let told = 0;
    e.events$.subscribe(() => {
      throw new Error('a subscriber of the user');
    });
    e.events$.subscribe(() => told++);
    await e.execute(set(8, 1));
    await e.execute(set(8, 2));
    expect([e.entryOf(8), told]).toEqual(['m:2', 2]);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(unhandled.map(String)).toContain('Error: a subscriber of the user');
  });

  it('keeps its order when a subscriber asks for more', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const seen: number[] = [];
    let more: Promise<unknown> | undefined;
    e.events$.subscribe(() => {
      more ??= e.execute(set(9, 2));
    });
    e.events$.subscribe((batch) => {
      for (let i = 0; i < batch.length; i++) if (batch.kind[i] === KINDS.set_entry.id) seen.push(batch.a[i]!);
    });
    await e.execute(set(8, 1));
    await more;
    expect(seen).toEqual([8, 9]);
  });
});

describe('an engine whose log fails', () => {
  it('loses no event: they are appended before anything else runs', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const before = log.all.length;
    log.fails = true;
    await expect(e.execute(set(8, 1))).rejects.toThrow('disk full');
    expect(e.entryOf(8)).toBe('m:1');
    log.fails = false;
    await e.execute(set(9, 2));
    expect(log.stores(before)).toEqual([8, 9]);
    expect(e.appended).toBe(log.all.length);
  });

  it('runs nothing further while the log refuses what was done', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const told: number[] = [];
    e.events$.subscribe((batch) => told.push(batch.length));
    log.fails = true;
    await expect(e.execute(set(8, 1))).rejects.toThrow('disk full');
    const error: unknown = await e.execute(set(9, 2)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(P2mError);
    expect(String(error)).toMatch(/nothing was run: the log still refuses what was done before: got Error: disk full/);
    await expect(e.close()).rejects.toThrow('disk full');
    expect([e.entryOf(9), told, log.closed]).toEqual(['~', [], 0]);
    log.fails = false;
    await e.close();
    expect([told.length, log.closed, log.stores().at(-1)]).toEqual([1, 1, 8]);
  });
});

describe('Engine.close', () => {
  it('appends what is left, closes the log, and ends the stream', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    let ended = false;
    e.events$.subscribe({ complete: () => (ended = true) });
    const running = e.execute(set(8, 1));
    const { opened, open } = gate();
    log.wait = opened;
    const closing = e.close();
    await turn();
    e.executeNow(set(9, 2));
    open();
    await Promise.all([running, closing]);
    expect([ended, log.closed, ...log.stores().slice(-2)]).toEqual([true, 1, 8, 9]);
  });

  it('lets nothing run afterwards, not even who waited; twice is as once', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    const [, waited] = await Promise.allSettled([e.close(), e.execute(set(8, 1))]);
    expect(waited).toMatchObject({ status: 'rejected', reason: { code: 'usage' } });
    await expect(e.execute(set(8, 1))).rejects.toThrow('the engine is closed');
    expect(() => e.executeNow(set(8, 1))).toThrow('the engine is closed');
    await expect(e.flush()).rejects.toThrow('the engine is closed');
    await e.close();
    expect([e.entryOf(8), log.closed]).toEqual(['~', 1]);
  });
});

describe('an engine that breaks off in the middle of an operation', () => {
  it('takes nothing more, and closes its log as it was before', async () => {
    const log = new Kept();
    const e = await engine({ log: () => log });
    await e.execute(set(8, 1));
    const before = log.all.length;
    const run = e.domain.run.bind(e.domain);
    e.domain.run = (...call) => {
      run(...call);
      throw new Error('a bug');
    };
    await expect(e.execute(set(9, 2))).rejects.toThrow('a bug');
    await expect(e.execute(set(9, 2))).rejects.toThrow(/broken off in the middle of an operation: got Error: a bug/);
    expect(() => e.executeNow({ operation: 'look_up', pfn: 8 })).toThrow('broken off');
    await e.close();
    expect([log.all.length, log.closed]).toEqual([before, 1]);
  });
});

describe('EngineLogger', () => {
  it('is told of batches, never of events, and of what was refused', async () => {
    const lines: string[] = [];
    const line = (level: string) => (facts: object, text: string) => {
      lines.push(`${level} ${text} ${JSON.stringify(facts)}`);
    };
    const logger: EngineLogger = {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
    };
    const log = new Kept();
    const e = await engine({ log: () => log, logger });
    const seq = e.appended;
    lines.length = 0;
    await e.execute(Array.from({ length: 100 }, (_, i) => set(8, i + 1)));
    const events = e.appended - seq;
    log.fails = true;
    await e.execute(set(8, 1), 'A').catch(() => undefined);
    log.fails = false;
    await e.close();
    expect(lines.slice(0, 2)).toEqual([
      `debug batch appended {"owner":"a caller","seq":${seq},"events":${events}}`,
      'warn commands refused or not appended {"owner":"A","error":"Error: disk full"}',
    ]);
    expect(lines.at(-1)).toBe(`info engine closed {"events":${e.appended}}`);
  });
});

describe('a domain that is booted by hand', () => {
  it('has an engine too', async () => {
    const e = new Engine({ form: formByKernel('7.0'), geometry: GEOMETRIES.tiny, nrPages: 32 });
    bootSequence(e.domain, { nrPages: 32, firstEntry: mfnWord(1000) });
    await e.execute(set(8, 1));
    expect(e.entryOf(8)).toBe('m:1');
  });
});
