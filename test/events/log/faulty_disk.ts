/**
 * A disk with a page cache before it, that fails on demand.
 *
 * - What is written is in the cache; it is on disk once a sync has succeeded. When the machine goes down, each sector of 512
 *   bytes that was not synced holds any of what it held since the last sync; the size of the file is any that it had. So a
 *   write may be lost, torn or overtaken by later ones. Bytes that a file was made longer by, and never got, are zeros or
 *   what stood on the disk before.
 * - A name is on disk once the folder was synced; before that each may be lost, or not.
 * - After a sync that failed the cache holds as clean what may never have got to the disk, and the next sync says that all is
 *   well: that is how Linux does it (LWN 752063).
 * - Who is killed leaves the cache as it is.
 */
import { inputError, type LogStorage, type SegmentFile } from '../../../events/index.js';

const SECTOR = 512;

/** Gives numbers from 0 up to 1, the same ones for the same seed: what a fault does is decided by them. */
export type Chance = () => number;

/** A choice of our own making (mulberry32). */
export function seeded(seed: number): Chance {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What can be asked of the disk and fail. */
export type Operation = 'create' | 'remove' | 'write' | 'sync' | 'truncate' | 'syncFolder' | 'keep' | 'read';

/**
 * How an operation fails: with an error, part of the bytes written; or in its middle, as the power goes or the process is
 * killed.
 */
export type Fault = 'ENOSPC' | 'EIO' | 'EINTR' | 'power' | 'kill';

/** The machine is down, or the process is dead: nothing that a program does about it, does anything. */
export class Down extends Error {}

/** The content of a file. */
interface Inode {
  cache: Uint8Array;
  disk: Uint8Array;
  /** What each sector held since it was last synced, the newest last. */
  readonly versions: Map<number, Uint8Array[]>;
  sizes: number[];
}

/** How a disk fails. */
export interface DiskOptions {
  /** Asked before each operation; `index` counts those of the disk. */
  readonly plan?: (operation: Operation, index: number) => Fault | undefined;
  /** Decides what a fault leaves. Default: the first choice each time. */
  readonly chance?: Chance;
  /** A sync says that all is well, and does nothing. */
  readonly lies?: boolean;
  /** It has room for one segment: a log of one file. A disk that comes after it is the same. */
  readonly oneFile?: boolean;
}

/** A folder of segments on such a disk. */
export class FaultyDisk implements LogStorage {
  readonly #plan: NonNullable<DiskOptions['plan']>;
  readonly #chance: Chance;
  readonly #lies: boolean;
  readonly #oneFile: boolean;
  /** The names that the system knows, and those that are on disk. */
  #names = new Map<string, Inode>();
  #namesOnDisk = new Map<string, Inode>();
  #down = false;
  /** Operations so far. */
  operations = 0;
  /** Faults so far. */
  faults = 0;
  /** What was cut from segments. */
  readonly kept: { readonly name: string; readonly at: number; readonly bytes: Uint8Array }[] = [];

  constructor({ plan = () => undefined, chance = () => 0, lies = false, oneFile = false }: DiskOptions = {}) {
    this.#plan = plan;
    this.#chance = chance;
    this.#lies = lies;
    this.#oneFile = oneFile;
  }

  /** The disk as the next process finds it, this one having been killed. */
  afterKill(options: DiskOptions = {}): FaultyDisk {
    this.#down = true;
    return this.#copy(options, (inode) => ({
      cache: inode.cache.slice(),
      disk: inode.disk.slice(),
      versions: new Map([...inode.versions].map(([sector, all]) => [sector, [...all]])),
      sizes: [...inode.sizes],
    }));
  }

  /** The disk as the machine finds it once it is up again, this one having gone down. `chance` decides what was lost. */
  afterPowerCut(chance: Chance, options: DiskOptions = {}): FaultyDisk {
    this.#down = true;
    for (const name of new Set([...this.#names.keys(), ...this.#namesOnDisk.keys()])) {
      if (this.#names.get(name) !== this.#namesOnDisk.get(name) && chance() < 0.5) this.#syncName(name);
    }
    this.#names = new Map(this.#namesOnDisk);
    return this.#copy(options, (inode) => {
      const disk = left(inode, chance);
      return { cache: disk.slice(), disk, versions: new Map(), sizes: [] };
    });
  }

  pathOf(name: string): string {
    return `log/${name}`;
  }

  list(): string[] {
    this.#isUp();
    return [...this.#names.keys()].sort();
  }

  nameOf(segment: number): string | undefined {
    if (this.#oneFile && segment > 0) return undefined;
    return `${String(segment).padStart(4, '0')}.p2mlog`;
  }

  open(name: string): SegmentFile {
    this.#isUp();
    const inode = this.#names.get(name);
    if (inode === undefined) throw inputError('cannot read', { file: this.pathOf(name), got: 'no such file' });
    return this.#file(name, inode);
  }

  create(name: string): SegmentFile {
    this.#act('create', name);
    const inode = this.#names.get(name) ?? newInode();
    this.#names.set(name, inode);
    if (inode.cache.length > 0) resize(inode, 0);
    return this.#file(name, inode);
  }

  remove(name: string): void {
    this.#act('remove', name);
    this.#names.delete(name);
  }

  syncFolder(): void {
    this.#act('syncFolder', '');
    if (!this.#lies) this.#namesOnDisk = new Map(this.#names);
  }

  keep(name: string, at: number, bytes: Uint8Array): string {
    this.#act('keep', name);
    this.kept.push({ name, at, bytes: bytes.slice() });
    return `${this.pathOf(name)}.cut-${at}`;
  }

  #file(name: string, inode: Inode): SegmentFile {
    return {
      size: () => {
        this.#isUp();
        return inode.cache.length;
      },
      read: (into, at) => {
        this.#act('read', name);
        const found = inode.cache.subarray(at, at + into.length);
        into.set(found);
        return found.length;
      },
      write: (bytes, at) => {
        this.#act('write', name, () => put(inode, bytes.subarray(0, Math.floor(this.#chance() * bytes.length)), at));
        put(inode, bytes, at);
      },
      sync: async () => {
        await Promise.resolve();
        this.#act('sync', name, () => this.#failSync(inode));
        if (!this.#lies) settle(inode, (versions) => versions.at(-1)!);
      },
      truncate: (size) => {
        this.#act('truncate', name);
        resize(inode, size);
      },
      close: () => undefined,
    };
  }

  /** Each sector got to the disk or did not, and counts as clean. */
  #failSync(inode: Inode): void {
    settle(inode, (versions) => (this.#chance() < 0.5 ? undefined : versions.at(-1)!));
  }

  /** Counts an operation, and lets it fail if it is its turn: `part` is what it does all the same. */
  #act(operation: Operation, name: string, part: () => void = () => undefined): void {
    this.#isUp();
    const fault = this.#plan(operation, this.operations++);
    if (fault === undefined) return;
    this.faults++;
    const isCrash = fault === 'power' || fault === 'kill';
    // A sync that the power interrupts has not failed: what it has not written counts as not written.
    if (!(isCrash && operation === 'sync')) part();
    this.#down = isCrash;
    if (isCrash) throw new Down(`${fault} at ${operation}`);
    const what = operation === 'read' ? 'cannot read' : 'cannot write';
    throw inputError(what, { file: this.pathOf(name), got: `${fault}: ${operation}` });
  }

  #isUp(): void {
    if (this.#down) throw new Down('down');
  }

  #syncName(name: string): void {
    const inode = this.#names.get(name);
    if (inode === undefined) this.#namesOnDisk.delete(name);
    else this.#namesOnDisk.set(name, inode);
  }

  #copy(options: DiskOptions, copyInode: (inode: Inode) => Inode): FaultyDisk {
    const copy = new FaultyDisk({ oneFile: this.#oneFile, ...options });
    const inodes = new Map<Inode, Inode>();
    const copied = (inode: Inode): Inode => {
      const known = inodes.get(inode) ?? copyInode(inode);
      inodes.set(inode, known);
      return known;
    };
    for (const [name, inode] of this.#names) copy.#names.set(name, copied(inode));
    for (const [name, inode] of this.#namesOnDisk) copy.#namesOnDisk.set(name, copied(inode));
    copy.kept.push(...this.kept);
    return copy;
  }
}

function newInode(): Inode {
  return { cache: new Uint8Array(0), disk: new Uint8Array(0), versions: new Map(), sizes: [] };
}

function put(inode: Inode, bytes: Uint8Array, at: number): void {
  if (bytes.length === 0) return;
  const end = at + bytes.length;
  if (end > inode.cache.length) resize(inode, end);
  inode.cache.set(bytes, at);
  noteSectors(inode, at, end);
}

function resize(inode: Inode, size: number): void {
  const before = inode.cache.length;
  const resized = new Uint8Array(size);
  resized.set(inode.cache.subarray(0, size));
  inode.cache = resized;
  inode.sizes.push(size);
  if (size < before) noteSectors(inode, size, before);
}

/** Notes what the sectors of [start, end) hold now. */
function noteSectors({ cache, versions }: Inode, start: number, end: number): void {
  for (let sector = Math.floor(start / SECTOR); sector * SECTOR < end; sector++) {
    const held = new Uint8Array(SECTOR);
    held.set(cache.subarray(sector * SECTOR, (sector + 1) * SECTOR));
    const all = versions.get(sector);
    if (all === undefined) versions.set(sector, [held]);
    else all.push(held);
  }
}

/** Brings to disk what `pick` gives of each sector; then nothing is unsynced any more. */
function settle(inode: Inode, pick: (versions: readonly Uint8Array[]) => Uint8Array | undefined): void {
  const size = inode.sizes.at(-1) ?? inode.disk.length;
  inode.disk = resized(inode.disk, size);
  for (const [sector, versions] of inode.versions) putSector(inode.disk, sector, pick(versions));
  inode.versions.clear();
  inode.sizes = [];
}

/** What a machine that went down leaves of a file. */
function left({ disk, versions, sizes }: Inode, chance: Chance): Uint8Array {
  const size = [...sizes].reverse()[Math.floor(chance() * (sizes.length + 1))] ?? disk.length;
  const found = resized(disk, size);
  for (const [sector, all] of versions) {
    const choice = [...all].reverse()[Math.floor(chance() * (all.length + 1))];
    const isNew = sector * SECTOR >= disk.length;
    putSector(found, sector, choice ?? (isNew && chance() < 0.75 ? garbage(chance) : undefined));
  }
  return found;
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

function putSector(bytes: Uint8Array, sector: number, held: Uint8Array | undefined): void {
  const at = sector * SECTOR;
  if (held !== undefined && at < bytes.length) bytes.set(held.subarray(0, bytes.length - at), at);
}

function garbage(chance: Chance): Uint8Array {
  return Uint8Array.from({ length: SECTOR }, () => Math.floor(chance() * 256));
}
