import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, describe, expect, it } from 'vitest';
import { KINDS, mfnWord, printLines, verifyLog } from '../../events/index.js';
import {
  FolderStorage,
  keepLog,
  lockOf,
  LockFile,
  logStorage,
  openSegmentedLog,
  resumeEngine,
} from '../../node/index.js';
import { EventPlayer, stateDigest } from '../../replay/index.js';
import { bootEngine, type BootEngineOptions, type Command, type Engine } from '../../src/library.js';

const root = mkdtempSync(join(tmpdir(), 'p2m-test-'));
afterAll(() => rmSync(root, { recursive: true }));

const PLAN = { geometry: 'tiny', nrPages: 32, holes: [{ pfnStart: 8, pfnEnd: 16 }], cpus: 2 } as const;

function begun(path: string, options: Partial<BootEngineOptions> = {}): Engine {
  return bootEngine({ ...PLAN, extra: [{ pfnStart: 32, pfnEnd: 64 }], log: keepLog(path), ...options });
}

function set(pfn: number, mfn: number, cpu = 0): Command {
  return { operation: 'set_phys_to_machine', pfn, value: mfnWord(mfn), cpu };
}

/** The log at `path`: its lines, and the memory that they lead to. */
function replayed(path: string): { lines: string[]; player: EventPlayer } {
  const log = openSegmentedLog(path);
  const player = new EventPlayer(log.header, log.codec, path);
  const lines: string[] = [];
  for (let block = 0; block < log.blocks; block++) {
    player.play(log.read(block), log.seqOf(block));
    lines.push(...printLines(log.read(block), log.codec, log.seqOf(block)).trimEnd().split('\n'));
  }
  log.close();
  return { lines, player };
}

describe('resumeEngine', () => {
  it.each([
    ['5.17', 'folder', 'paged'],
    ['7.0', 'file.p2mlog', 'flat'],
    ['3.16', 'tree', 'paged'],
  ] as const)('goes on with a log of kernel %s as if it had never been closed', async (kernel, name, memory) => {
    const [stopped, whole] = [join(root, `stopped-${name}`), join(root, `whole-${name}`)];
    const commands = [set(8, 1), set(40, 2, 1), set(9, 3), set(41, 4, 1), set(8, 5)];
    const other = begun(whole, { kernel });
    for (const command of commands) await other.execute(command);
    await other.close();

    const first = begun(stopped, { kernel });
    await first.execute(commands.slice(0, 2));
    await first.close();
    const { engine, events, lost, cut } = await resumeEngine(stopped, { memory });
    expect([events, lost, cut]).toEqual([first.appended, [], undefined]);
    expect(engine.appended).toBe(events);
    expect([engine.entryOf(8), engine.entryOf(40)]).toEqual(['m:1', 'm:2']);
    for (const command of commands.slice(2)) await engine.execute(command);
    await engine.close();
    expect([...verifyLog(logStorage(stopped))]).toEqual([]);
    const [a, b] = [replayed(stopped), replayed(whole)];
    expect(a.lines).toEqual(b.lines);
    expect(a.player.digest()).toEqual(stateDigest(other.domain.memory));
  });

  it('names no task of before for what follows, and goes on with the numbers of operations', async () => {
    const path = join(root, 'tasks');
    const first = begun(path);
    await first.execute(set(8, 1), 'balloon');
    await first.close();
    const { engine, events } = await resumeEngine(path);
    await engine.execute(set(8, 2));
    await engine.execute(set(8, 3), 'balloon');
    await engine.close();
    const { lines } = replayed(path);
    const told = lines.slice(events).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ kind }) => kind)).toEqual([
      'task',
      ...['call', 'set_entry', 'return'],
      ...['task', 'call', 'set_entry', 'return'],
    ]);
    expect(told[0]).toMatchObject({ pid: 0, comm: '' });
    const ops = lines.map((line) => JSON.parse(line) as { kind: string; op: number });
    const calls = ops.filter(({ kind }) => kind === 'call').map(({ op }) => op);
    expect(calls).toEqual(calls.map((_, i) => i + 1));
  });

  it('refuses where there is none, where somebody writes it, and where it is damaged; and changes nothing', async () => {
    await expect(resumeEngine(join(root, 'nowhere'))).rejects.toThrow('no log of events');
    const path = join(root, 'written');
    const first = begun(path, { log: keepLog(path, { segmentBytes: 2000 }) });
    await first.flush();
    await expect(resumeEngine(path)).rejects.toThrow('the log is being written');
    for (let i = 1; i < 20; i++) await first.execute(Array.from({ length: 10 }, (_, k) => set(8, i * 10 + k)));
    await first.close();
    const name = join(path, readdirSync(path).sort()[1]!);
    const bytes = readFileSync(name);
    bytes[bytes.length >> 1]! ^= 4;
    writeFileSync(name, bytes);
    await expect(resumeEngine(path)).rejects.toThrow(/written\/00000001\.p2mlog/);
    expect(readFileSync(name).equals(bytes)).toBe(true);
    LockFile.take(lockOf(path)).release();
  });

  it('says which operation was lost, and refuses where it holds p2m_update_lock, but where it is told to give it back', async () => {
    const path = join(root, 'lost');
    const first = begun(path);
    await first.flush();
    const { domain } = first;
    const cpu = domain.cpus[1]!;
    domain.begin('set_phys_to_machine', domain.machines.setPhysToMachine, 12, mfnWord(7), 0, 1);
    while (!domain.batch.kind.subarray(0, domain.batch.length).includes(KINDS.lock.id)) cpu.step();
    const op = domain.ops;
    await first.close();
    const refused = resumeEngine(path);
    await expect(refused).rejects.toThrow(
      /p2m_update_lock is held by an operation that was lost: got CPU 1, in set_phys_to_machine of pfn 12, which event \d+/,
    );
    const { engine, lost } = await resumeEngine(path, { heldLock: 'release' });
    expect(lost).toMatchObject([{ cpu: 1, op, operation: 'set_phys_to_machine', pfn: 12, holdsLock: true }]);
    expect(await engine.execute(set(12, 8))).toEqual({ kind: 'bool', value: 1 });
    expect(engine.entryOf(12)).toBe('m:8');
    await engine.close();
    const { player } = replayed(path);
    expect(player.digest()).toEqual(stateDigest(engine.domain.memory));
  });

  it('goes on after a crash in the middle of an append, and says what was cut', async () => {
    const path = join(root, 'torn');
    const first = begun(path);
    await first.execute(set(8, 1));
    const acknowledged = first.appended;
    const name = join(path, '00000000.p2mlog');
    const before = readFileSync(name).length;
    await first.execute(set(8, 2));
    await first.abandon();
    const copy = join(root, 'torn-copy');
    cpSync(path, copy, { recursive: true });
    const bytes = readFileSync(name);
    writeFileSync(join(copy, '00000000.p2mlog'), bytes.subarray(0, (before + bytes.length) >> 1));
    const { engine, events, cut } = await resumeEngine(copy);
    expect([events, engine.entryOf(8), cut?.byte]).toEqual([acknowledged, 'm:1', before]);
    await engine.execute(set(8, 3));
    await engine.close();
    expect([...verifyLog(new FolderStorage(copy))]).toEqual([]);
  });

  it('goes on behind a writer that is killed, again and again, and has all that it acknowledged', async () => {
    const program = await bundled();
    const path = join(root, 'killed');
    let acknowledged = 0;
    for (let run = 0; run < 3; run++) {
      const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = '';
      child.stdout.setEncoding('latin1').on('data', (text: string) => {
        told += text;
        if (told.split('\n').length > 20) child.kill('SIGKILL');
      });
      await once(child, 'close');
      acknowledged = Number(told.trimEnd().split('\n').at(-1)!.split(' ')[0]);
      const frame = told.trimEnd().split('\n').at(-1)!.split(' ')[1]!;
      expect(run === 0 || Number(frame) > 20 * run).toBe(true);
    }
    const { engine, events } = await resumeEngine(path);
    expect(events).toBeGreaterThanOrEqual(acknowledged);
    await engine.execute(set(9, 1));
    await engine.close();
    expect([...verifyLog(new FolderStorage(path))]).toEqual([]);
    expect(replayed(path).player.digest()).toEqual(stateDigest(engine.domain.memory));
  });
});

/** The writer as one file of JavaScript. */
async function bundled(): Promise<string> {
  const input = fileURLToPath(new URL('resuming_writer.ts', import.meta.url));
  const bundle = await rolldown({ input, platform: 'node', external: ['pino'], logLevel: 'silent' });
  await bundle.write({
    dir: join(root, 'writer'),
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
  });
  return join(root, 'writer', 'resuming_writer.mjs');
}
