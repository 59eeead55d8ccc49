/**
 * Names as small integers, looked up by their bytes, so that a log line makes no string: a name becomes a string once,
 * when it is first seen.
 */

/** A table of names; ids are dense, from 0, in the order of arrival, and never change. */
export class NameTable {
  readonly #names: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #hashes: number[] = [];
  /** Open addressing, id + 1 in each slot; at most half full. */
  #slots = new Int32Array(64);

  /** @param names the names that get the ids 0, 1, 2 ..., all different */
  constructor(names: readonly string[] = []) {
    for (const name of names) {
      const bytes = new TextEncoder().encode(name);
      this.intern(bytes, 0, bytes.length);
    }
  }

  /** How many names there are; ids are below it. */
  get size(): number {
    return this.#names.length;
  }

  /** The name of an id, or `undefined` for an id that was never given out. */
  name(id: number): string | undefined {
    return this.#names[id];
  }

  /** The bytes of the name of an id that was given out; nobody may change them. */
  bytesOf(id: number): Uint8Array {
    return this.#bytes[id]!;
  }

  /** The id of the name in `bytes[start, end)`, or -1 where it is not in the table. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#find(bytes, start, end, hashOf(bytes, start, end));
  }

  /** The id of the name in `bytes[start, end)`, which is added (the bytes are copied) where it is new. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const found = this.#find(bytes, start, end, hash);
    if (found >= 0) return found;
    const id = this.#names.length;
    const copy = bytes.slice(start, end);
    this.#names.push(new TextDecoder().decode(copy));
    this.#bytes.push(copy);
    this.#hashes.push(hash);
    if (2 * (id + 1) > this.#slots.length) this.#grow();
    else this.#place(id);
    return id;
  }

  #find(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]! - 1;
      if (id < 0) return -1;
      if (this.#hashes[id] === hash && same(this.#bytes[id]!, bytes, start, end)) return id;
    }
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[id]! & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let id = 0; id < this.#names.length; id++) this.#place(id);
  }
}

/** Four bytes a multiplication: a multiplication a byte would cost more than the rest of the look-up. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ four, 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x9e37_79b1);
  return hash ^ (hash >>> 13);
}

function same(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
