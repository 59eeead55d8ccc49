/** Where the files of an index live: beside the log, or in memory. It is handed in: nothing here knows of files. */
export interface IndexStore {
  /** What messages call it. */
  readonly name: string;
  list(): string[];
  /** Bytes of the file; -1 where there is none. */
  size(name: string): number;
  /** Reads at most as much as `into` holds from byte `at` on; returns how much there was. */
  read(name: string, into: Uint8Array, at: number): number;
  /** Makes or replaces a file: whoever reads it sees all of the old or all of the new. @throws where it cannot be written */
  write(name: string, parts: readonly Uint8Array[]): void;
  remove(name: string): void;
}

/** Keeps an index in memory, for logs that have no place beside them. */
export class MemoryIndexStore implements IndexStore {
  readonly name = 'memory';
  readonly #files = new Map<string, Uint8Array>();

  list(): string[] {
    return [...this.#files.keys()];
  }

  size(name: string): number {
    return this.#files.get(name)?.length ?? -1;
  }

  read(name: string, into: Uint8Array, at: number): number {
    const bytes = this.#files.get(name)?.subarray(at, at + into.length);
    if (bytes === undefined) return 0;
    into.set(bytes);
    return bytes.length;
  }

  write(name: string, parts: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#files.set(name, bytes);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }
}
