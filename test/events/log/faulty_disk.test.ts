import { describe, expect, it } from 'vitest';
import { P2mError, readBytes, type LogStorage } from '../../../events/index.js';
import { Down, FaultyDisk, seeded, type Chance, type Operation } from './faulty_disk.js';

/** Keeps all that was not synced, or nothing. */
const ALL: Chance = () => 0;
const NOTHING: Chance = () => 0.999;

function textOf(storage: LogStorage, name = 'a'): string {
  const file = storage.open(name);
  return Buffer.from(readBytes(file, 0, file.size())).toString('latin1');
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A disk with a file `a` that holds `text`, synced. */
async function diskWith(text: string, fault?: Operation, chance?: Chance): Promise<FaultyDisk> {
  let isArmed = false;
  const plan = (operation: Operation): 'EIO' | undefined => (isArmed && operation === fault ? 'EIO' : undefined);
  const disk = new FaultyDisk({ plan, ...(chance && { chance }) });
  const file = disk.create('a');
  file.write(bytes(text), 0);
  await file.sync();
  disk.syncFolder();
  isArmed = true;
  return disk;
}

describe('FaultyDisk', () => {
  it('keeps what was synced, and loses or keeps what was not', async () => {
    const disk = await diskWith('one');
    disk.open('a').write(bytes('two'), 3);
    expect(textOf(disk)).toBe('onetwo');
    expect(textOf(disk.afterKill())).toBe('onetwo');
    expect(textOf(disk.afterPowerCut(ALL))).toBe('onetwo');
    expect(textOf(disk.afterPowerCut(NOTHING))).toBe('one');
  });

  it('loses a name that was not synced, and its file with it', async () => {
    const disk = await diskWith('one');
    const file = disk.create('b');
    file.write(bytes('two'), 0);
    await file.sync();
    disk.remove('a');
    expect(disk.afterKill().list()).toEqual(['b']);
    expect(disk.afterPowerCut(NOTHING).list()).toEqual(['a']);
  });

  it('loses single sectors of a write, and leaves zeros or garbage there', async () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const disk = await diskWith('');
      disk.open('a').write(bytes('x'.repeat(512) + 'y'.repeat(512)), 0);
      const text = textOf(disk.afterPowerCut(seeded(seed)));
      if (text.length === 1024) {
        const kind = (sector: string, letter: string): string =>
          sector[0] === letter ? letter : /^\0*$/.test(sector) ? '0' : '?';
        found.add(kind(text.slice(0, 512), 'x') + kind(text.slice(512), 'y'));
      }
    }
    expect(found).toEqual(new Set(['00', '0?', '0y', '?0', '??', '?y', 'x0', 'x?', 'xy']));
  });

  it('brings back what was cut, unless that was synced', async () => {
    const disk = await diskWith('one');
    disk.open('a').truncate(1);
    expect(textOf(disk)).toBe('o');
    expect(textOf(disk.afterKill().afterPowerCut(NOTHING))).toBe('one');
    const synced = await diskWith('one');
    synced.open('a').truncate(1);
    await synced.open('a').sync();
    expect(textOf(synced.afterPowerCut(NOTHING))).toBe('o');
  });

  it('holds as clean what a failed sync has lost', async () => {
    let isArmed = true;
    const disk = new FaultyDisk({
      plan: (operation) => (isArmed && operation === 'sync' ? 'EIO' : undefined),
      chance: ALL,
    });
    const file = disk.create('a');
    disk.syncFolder();
    file.write(bytes('one'), 0);
    await expect(Promise.resolve(file.sync())).rejects.toThrow('EIO: sync');
    isArmed = false;
    await file.sync();
    expect(textOf(disk)).toBe('one');
    expect(textOf(disk.afterPowerCut(ALL))).toBe('\0\0\0');
  });

  it('leaves part of a write that fails', async () => {
    const disk = await diskWith('', 'write', () => 0.5);
    expect(() => disk.open('a').write(bytes('four'), 0)).toThrow(P2mError);
    expect(textOf(disk)).toBe('fo');
  });

  it('is down once it is', () => {
    const disk = new FaultyDisk({ plan: (_, index) => (index === 1 ? 'power' : undefined) });
    const file = disk.create('a');
    expect(() => file.write(bytes('one'), 0)).toThrow(Down);
    expect(() => file.size()).toThrow(Down);
    expect(() => disk.list()).toThrow(Down);
  });

  it('decides the same for the same seed', () => {
    const first = (seed: number): number[] => Array.from({ length: 3 }, seeded(seed));
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
  });
});
