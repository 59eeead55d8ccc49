import type { LogStorage, SegmentFile } from '../../../events/index.js';

/** A log in memory: its segments by name, and what was done to them. */
export class MemoryStorage implements LogStorage {
  readonly files = new Map<string, Uint8Array>();
  readonly kept: { name: string; at: number; bytes: Uint8Array }[] = [];
  /** Names of the calls that change something on a disk, in order. */
  readonly calls: string[] = [];
  /** Throws where it likes. */
  fail: (call: string) => void = () => undefined;

  /** A copy of all that is there, as another process finds it. */
  copy(): MemoryStorage {
    const copy = new MemoryStorage();
    for (const [name, bytes] of this.files) copy.files.set(name, bytes.slice());
    return copy;
  }

  pathOf(name: string): string {
    return `log/${name}`;
  }

  list(): string[] {
    return [...this.files.keys()].sort();
  }

  nameOf(segment: number): string {
    return `${segment}.p2mlog`;
  }

  open(name: string): SegmentFile {
    return this.#file(name);
  }

  create(name: string): SegmentFile {
    this.#did('create');
    this.files.set(name, new Uint8Array(0));
    return this.#file(name);
  }

  remove(name: string): void {
    this.#did('remove');
    this.files.delete(name);
  }

  syncFolder(): void {
    this.#did('syncFolder');
  }

  keep(name: string, at: number, bytes: Uint8Array): string {
    this.kept.push({ name, at, bytes: bytes.slice() });
    return `log/${name}.cut-${at}`;
  }

  #did(call: string): void {
    this.fail(call);
    this.calls.push(call);
  }

  #file(name: string): SegmentFile {
    const bytes = (): Uint8Array => this.files.get(name)!;
    return {
      size: () => bytes().length,
      read: (into, at) => {
        const found = bytes().subarray(at, at + into.length);
        into.set(found);
        return found.length;
      },
      write: (written, at) => {
        this.#did('write');
        const larger = new Uint8Array(Math.max(bytes().length, at + written.length));
        larger.set(bytes());
        larger.set(written, at);
        this.files.set(name, larger);
      },
      sync: async () => {
        await Promise.resolve();
        this.#did('sync');
      },
      truncate: (size) => {
        this.#did('truncate');
        this.files.set(name, bytes().slice(0, size));
      },
      close: () => undefined,
    };
  }
}
