import type { EntryCodec, Word } from '../../events/index.js';
import { AccessKind, AccessStore, type AccessGroup } from './access_store.js';
import { NEVER } from './register_operations.js';

/**
 * The accesses of one register, in the order in which they began. One object serves register after register; its columns
 * only grow.
 */
export class RegisterAccesses {
  /** Accesses. */
  count = 0;
  /** The same with those that `load` left out because nothing depends on them. */
  told = 0;
  /** By access: an AccessKind, not `none`. */
  kind = new Uint8Array(0);
  /** What was read, or is written. */
  value = new Int32Array(0);
  /** The events where it began and ended; `NEVER` where a write may or may not have taken effect. */
  call = new Int32Array(0);
  end = new Int32Array(0);
  readonly #codec: EntryCodec;

  /** @param codec the one that the values belong to */
  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  /** Takes the accesses of a pfn of the group; without writes, where `keepsWrites` is false. */
  load(store: AccessStore, { pfnStart, starts, order }: AccessGroup, pfn: number, keepsWrites: boolean): void {
    const start = starts[pfn - pfnStart]!;
    const end = starts[pfn - pfnStart + 1]!;
    this.#reserve(end - start);
    let hasPending = false;
    let isSorted = true;
    let count = 0;
    for (let i = start; i < end; i++) {
      const access = order[i]!;
      const chunk = store.chunkOf(access);
      const at = store.placeOf(access);
      const kind = AccessStore.kindOf(chunk[at]!);
      if (kind === AccessKind.write && !keepsWrites) continue;
      this.kind[count] = kind;
      this.call[count] = chunk[at + 1]!;
      this.end[count] = chunk[at + 2]!;
      this.value[count] = chunk[at + 3]!;
      if (this.end[count] === NEVER) hasPending = true;
      if (count > 0 && this.call[count]! < this.call[count - 1]!) isSorted = false;
      count++;
    }
    this.count = count;
    this.told = count;
    if (!isSorted) this.#sort();
    if (hasPending) this.#dropUnread();
  }

  /** Whether access `i`, a read, may have found `word`. */
  fits(i: number, word: Word): boolean {
    const wanted = this.value[i]!;
    return this.kind[i] === AccessKind.bareRead ? this.#codec.clearBits(word) === wanted : word === wanted;
  }

  /** By their beginnings. All but a few are in order: writes of operations on ranges, told when they were stored. */
  #sort(): void {
    const { kind, value, call, end } = this;
    for (let i = 1; i < this.count; i++) {
      let to = i;
      while (to > 0 && call[to - 1]! > call[i]!) to--;
      if (to === i) continue;
      for (const column of [kind, value, call, end]) {
        const moved = column[i]!;
        column.copyWithin(to + 1, to, i);
        column[to] = moved;
      }
    }
  }

  /** Leaves out writes that never ended and whose value nobody read: an order with them is as good without. */
  #dropUnread(): void {
    const { kind, value, call, end } = this;
    const found = new Set<Word>();
    const bare = new Set<Word>();
    for (let i = 0; i < this.count; i++) {
      if (kind[i] === AccessKind.read) found.add(value[i]!);
      else if (kind[i] === AccessKind.bareRead) bare.add(value[i]!);
    }
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const isRead = found.has(value[i]!) || (bare.size > 0 && bare.has(this.#codec.clearBits(value[i]!)));
      if (end[i] === NEVER && !isRead) continue;
      kind[kept] = kind[i]!;
      value[kept] = value[i]!;
      call[kept] = call[i]!;
      end[kept++] = end[i]!;
    }
    this.count = kept;
  }

  #reserve(count: number): void {
    if (count <= this.kind.length) return;
    const room = Math.max(1024, 2 * count);
    this.kind = new Uint8Array(room);
    this.value = new Int32Array(room);
    this.call = new Int32Array(room);
    this.end = new Int32Array(room);
  }
}
