import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainText, INVALID, LogReader, mfnWord, type CheckedBytes } from '../../events/index.js';
import { keepLog, readAhead } from '../../node/index.js';
import { segmentPieces } from '../../node/log_storage.js';
import { bootEngine } from '../../src/library.js';

/** The thread's module, which has to be JavaScript: `npm test` builds it. */
const MODULE = new URL('../../dist/node/read_ahead_worker.js', import.meta.url);
const NR_PAGES = 4096;
const SETS = 40_000;

const folder = mkdtempSync(join(tmpdir(), 'p2m-test-'));
const whole = join(folder, 'whole.p2mlog');
const segments = join(folder, 'segments');
const damaged = join(folder, 'damaged.p2mlog');

/** A log of several of the pieces that the thread reads. */
async function write(path: string, segmentBytes?: number): Promise<void> {
  const log = keepLog(path, { sync: 'never', ...(segmentBytes === undefined ? {} : { segmentBytes }) });
  const engine = bootEngine({ nrPages: NR_PAGES, memory: 'flat', log });
  const { domain } = engine;
  const cpu = domain.cpus[0]!;
  for (let n = 0; n < SETS; n++) {
    const word = n % 2 === 0 ? INVALID : mfnWord(n);
    domain.begin('set_phys_to_machine', domain.machines.setPhysToMachine, n % NR_PAGES, word);
    cpu.run();
    domain.close('set_phys_to_machine', 0, cpu);
    if (n % 1000 === 999) await engine.flush();
  }
  await engine.close();
}

interface Read {
  readonly events: number;
  readonly end: string;
  readonly sum: number;
}

/** What a reader of the pieces makes of them. */
async function readBy(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  chain: boolean,
  checked: CheckedBytes,
): Promise<Read> {
  let sum = 0;
  const onEvents = (batch: { length: number; a: Int32Array; b: Int32Array }): void => {
    for (let i = 0; i < batch.length; i++) sum = (31 * sum + batch.a[i]! + batch.b[i]!) | 0;
  };
  const reader = new LogReader({ onHeader: () => undefined, onEvents }, 'log', { chain, checked });
  let end: string;
  try {
    for await (const piece of pieces) reader.push(piece);
    end = `${reader.end() ? 'closed' : 'open'} ${chainText(reader.chain)}`;
  } catch (error) {
    end = (error as Error).message;
  }
  return { events: reader.events, end, sum };
}

const alone = (bytes: Uint8Array, chain: boolean): Promise<Read> => readBy([bytes], chain, { to: 0 });

async function ahead(path: string, chain: boolean): Promise<Read & CheckedBytes> {
  const checked = { to: 0 };
  return { ...(await readBy(readAhead(path, chain, checked, MODULE), chain, checked)), ...checked };
}

beforeAll(async () => {
  await write(whole);
  await write(segments, 700_000);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('readAhead', () => {
  it.each([false, true])('gives a log as it is, all of it checked; chain: %s', async (chain) => {
    const bytes = readFileSync(whole);
    expect(bytes.length).toBeGreaterThan(3_000_000);
    expect(await ahead(whole, chain)).toEqual({ ...(await alone(bytes, chain)), to: bytes.length });
    const parts = Buffer.concat([...segmentPieces(segments)]);
    expect(await ahead(segments, chain)).toEqual({ ...(await alone(parts, chain)), to: parts.length });
  });

  it('leaves each fault to its reader, who tells it as of the log alone', async () => {
    const bytes = readFileSync(whole);
    const ends = new Set<string>();
    for (let n = 0; n < 24; n++) {
      const at = Math.floor((bytes.length * (n + 0.5)) / 24);
      const other = n % 3 === 2 ? bytes.subarray(0, at) : Uint8Array.from(bytes);
      if (n % 3 !== 2) other[at]! ^= 1 << (n % 8);
      writeFileSync(damaged, other);
      const chain = n % 2 === 0;
      const { to, ...read } = await ahead(damaged, chain);
      expect(read).toEqual(await alone(other, chain));
      expect(to).toBeLessThanOrEqual(at);
      ends.add(/is damaged|is cut/.exec(read.end)?.[0] ?? read.end);
    }
    expect([...ends].sort()).toEqual(['is cut', 'is damaged']);
  });

  it('leaves a chain that was changed, checksums and all, to its reader', async () => {
    const bytes = Uint8Array.from(readFileSync(whole));
    const view = new DataView(bytes.buffer);
    const block = 72 + view.getUint32(12, true);
    bytes[block + 40]! ^= 1;
    view.setUint32(block + 68, crc32(bytes.subarray(block, block + 68)), true);
    writeFileSync(damaged, bytes);
    expect((await ahead(damaged, true)).end).toContain('the chain is broken');
    expect((await ahead(damaged, false)).end).toContain('closed');
  });

  it('spares its reader the checksums: what is said to be checked is not looked at again', async () => {
    const bytes = Uint8Array.from(readFileSync(whole));
    // The mfn of a set_entry, which is as good as another.
    const at = bytes.findLastIndex((byte, i) => i < bytes.length - 4096 && i % 32 === 12 && byte > 0 && byte < 0x40);
    bytes[at]! ^= 1;
    expect((await alone(bytes, false)).end).toContain('is damaged: got CRC-32');
    expect((await readBy([bytes], true, { to: Infinity })).end).toContain('closed');
  });

  it('says that the log cannot be read', async () => {
    const { end, events } = await ahead(join(folder, 'none'), false);
    expect(events).toBe(0);
    expect(end).toContain('no events');
    const read = readAhead(whole, false, { to: 0 }, new URL('./none.js', MODULE));
    expect((await readBy(read, false, { to: 0 })).end).toMatch(/cannot read: .*none\.js/);
  });

  it('ends its thread where nobody reads on', async () => {
    for await (const piece of readAhead(whole, false, { to: 0 }, MODULE)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Worker')).toEqual([]);
  });
});
