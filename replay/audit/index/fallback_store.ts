import { MemoryIndexStore, type IndexStore } from './index_store.js';

/** Keeps in memory what another store does not take: from the first file on that it cannot write. */
export class FallbackStore implements IndexStore {
  readonly name: string;
  readonly #store: IndexStore;
  readonly #memory = new MemoryIndexStore();
  readonly #note: (file: string, why: string) => void;
  #refuses = false;

  constructor(store: IndexStore, note: (file: string, why: string) => void) {
    this.name = store.name;
    this.#store = store;
    this.#note = note;
  }

  list(): string[] {
    return [...new Set([...this.#store.list(), ...this.#memory.list()])];
  }

  size(name: string): number {
    return this.#holder(name).size(name);
  }

  read(name: string, into: Uint8Array, at: number): number {
    return this.#holder(name).read(name, into, at);
  }

  write(name: string, parts: readonly Uint8Array[]): void {
    if (!this.#refuses) {
      try {
        return this.#store.write(name, parts);
      } catch (error) {
        this.#refuses = true;
        this.#note(name, `it cannot be written: ${(error as Error).message}`);
      }
    }
    this.#memory.write(name, parts);
  }

  remove(name: string): void {
    this.#memory.remove(name);
    try {
      this.#store.remove(name);
    } catch (error) {
      this.#note(name, `it cannot be removed: ${(error as Error).message}`);
    }
  }

  #holder(name: string): IndexStore {
    return this.#memory.size(name) >= 0 ? this.#memory : this.#store;
  }
}
