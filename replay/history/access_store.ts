import { P2mError, type Word } from '../../events/index.js';
import { IntColumn } from './int_column.js';
import { NEVER } from './register_operations.js';

/**
 * What an access of a register is. A bare read knows the entry without its indicator bits; `none` says nothing: it had
 * no effect, or nobody knows what it returned.
 */
export const AccessKind = { read: 0, bareRead: 1, write: 2, none: 3 } as const;

const KIND_BITS = 2;
const KIND_MASK = 3;
/** Pfns of a group. */
const GROUP_SHIFT = 12;
const GROUP_PFNS = 1 << GROUP_SHIFT;
/** Above it groups are few: look-ups of anything. */
const LISTED_END = 2 ** 31;
/** Accesses of a block, and of a chunk; words of an access. */
const BLOCK_SHIFT = 6;
const BLOCK = 1 << BLOCK_SHIFT;
const CHUNK_SHIFT = 18;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
const WORDS = 4;
const ACCESSES_MAX = 2 ** 31 - BLOCK;
const NONE = -1;

/**
 * Accesses of the registers of pfns, 16 bytes each: the words
 *
 *     0  pfn within its group << 2 | AccessKind
 *     1  number of the event where it began
 *     2  of that where it ended, or NEVER
 *     3  what was read, or is written
 *
 * 4096 pfns that follow each other are a group. Its accesses stand together, in blocks of 64 that lie in larger chunks in
 * the order in which they were needed: who goes through the registers one after the other finds those of a group in the
 * processor's cache, and nothing is copied while they become more.
 */
export class AccessStore {
  readonly #chunks: Int32Array[] = [];
  /** By block: the next one of its group, or NONE. */
  readonly #nextBlock = new IntColumn();
  /** By upper bits of the pfn: number + 1 of its group, 0 for none. */
  readonly #listed = new IntColumn();
  readonly #above = new Map<number, number>();
  /** By group: its first pfn, its first block, and its next access: where a block would begin, the group needs one. */
  readonly #pfnStart: number[] = [];
  readonly #firstBlock = new IntColumn();
  readonly #nextAccess = new IntColumn();

  /** An access of the register of `pfn` begins; it has not ended yet. Gives its number. @throws {P2mError} code `capacity` */
  add(pfn: number, kind: number, call: number, value: Word): number {
    const group = this.#groupOf(pfn);
    let access = this.#nextAccess.cells[group]!;
    if ((access & (BLOCK - 1)) === 0) access = this.#continue(group, access);
    this.#nextAccess.cells[group] = access + 1;
    const chunk = this.chunkOf(access);
    const at = this.placeOf(access);
    chunk[at] = ((pfn % GROUP_PFNS) << KIND_BITS) | kind;
    chunk[at + 1] = call;
    chunk[at + 2] = NEVER;
    chunk[at + 3] = value;
    return access;
  }

  /** It ends, with event `end`. */
  end(access: number, end: number): void {
    this.chunkOf(access)[this.placeOf(access) + 2] = end;
  }

  /** It is of another kind than it was begun as. */
  become(access: number, kind: number): void {
    const chunk = this.chunkOf(access);
    const at = this.placeOf(access);
    chunk[at] = (chunk[at]! & ~KIND_MASK) | kind;
  }

  /** What it read. */
  found(access: number, value: Word): void {
    this.chunkOf(access)[this.placeOf(access) + 3] = value;
  }

  /** The words that the access is among, from `placeOf` on. */
  chunkOf(access: number): Int32Array {
    return this.#chunks[access >>> CHUNK_SHIFT]!;
  }

  /** Where its words begin in `chunkOf`. */
  placeOf(access: number): number {
    return (access & CHUNK_MASK) * WORDS;
  }

  /** The AccessKind of word 0. */
  static kindOf(word: number): number {
    return word & KIND_MASK;
  }

  /** The groups in the order of their pfns, one in hand at a time. Nothing can be added to one that was given. */
  *groups(): Generator<AccessGroup, void, undefined> {
    const group = new AccessGroup();
    const ascending = this.#pfnStart.map((_, number) => number);
    ascending.sort((a, b) => this.#pfnStart[a]! - this.#pfnStart[b]!);
    for (const number of ascending) {
      group.begin(this.#pfnStart[number]!);
      this.#each(number, (local, kind) => {
        if (kind !== AccessKind.none) group.count(local);
      });
      yield group;
    }
  }

  /** Puts the accesses of a group that say something into the order of its pfns. */
  arrange(group: AccessGroup): void {
    group.makeRoom();
    this.#each(this.#find(group.pfnStart), (local, kind, access) => {
      if (kind !== AccessKind.none) group.put(local, access);
    });
  }

  #each(group: number, tell: (local: number, kind: number, access: number) => void): void {
    const end = this.#nextAccess.cells[group]!;
    for (let block = this.#firstBlock.cells[group]!; block !== NONE; block = this.#nextBlock.cells[block]!) {
      const first = block << BLOCK_SHIFT;
      const isLast = this.#nextBlock.cells[block] === NONE;
      const chunk = this.chunkOf(first);
      const at = this.placeOf(first);
      const count = isLast ? end - first : BLOCK;
      for (let i = 0; i < count; i++) {
        const word = chunk[at + i * WORDS]!;
        tell(word >>> KIND_BITS, word & KIND_MASK, first + i);
      }
    }
  }

  /** A new block for a group whose last one is full, or that has none. */
  #continue(group: number, access: number): number {
    const block = this.#nextBlock.length;
    const first = block << BLOCK_SHIFT;
    if (first >= ACCESSES_MAX || first < 0) throw new P2mError('capacity', 'too many operations to check');
    this.#nextBlock.push(NONE);
    if ((first & CHUNK_MASK) === 0) this.#chunks.push(new Int32Array(WORDS << CHUNK_SHIFT));
    if (this.#firstBlock.cells[group] === NONE) this.#firstBlock.cells[group] = block;
    else this.#nextBlock.cells[(access - 1) >>> BLOCK_SHIFT] = block;
    return first;
  }

  #groupOf(pfn: number): number {
    const known = this.#find(pfn);
    return known >= 0 ? known : this.#addGroup(pfn);
  }

  /** The group of the pfn, below 0 where it has none. */
  #find(pfn: number): number {
    if (pfn >= LISTED_END) return this.#above.get(Math.floor(pfn / GROUP_PFNS)) ?? NONE;
    const place = pfn >>> GROUP_SHIFT;
    return place < this.#listed.length ? this.#listed.cells[place]! - 1 : NONE;
  }

  #addGroup(pfn: number): number {
    const place = Math.floor(pfn / GROUP_PFNS);
    const group = this.#pfnStart.push(place * GROUP_PFNS) - 1;
    this.#firstBlock.push(NONE);
    this.#nextAccess.push(0);
    if (pfn >= LISTED_END) this.#above.set(place, group);
    else {
      while (this.#listed.length <= place) this.#listed.push(0);
      this.#listed.cells[place] = group + 1;
    }
    return group;
  }
}

/** The accesses of a group, pfn by pfn, each one's in the order in which they were added. */
export class AccessGroup {
  /** Its first pfn. */
  pfnStart = 0;
  /** Numbers of accesses: those of pfn `pfnStart` + i are order[starts[i], starts[i + 1]), once the group is arranged. */
  readonly starts = new Int32Array(GROUP_PFNS + 1);
  order = new Int32Array(0);
  readonly #counts = new Int32Array(GROUP_PFNS);
  readonly #next = new Int32Array(GROUP_PFNS);

  /** Behind its last pfn. */
  get pfnEnd(): number {
    return this.pfnStart + GROUP_PFNS;
  }

  /** Whether the pfn, one of the group, is accessed at all. */
  has(pfn: number): boolean {
    return this.#counts[pfn - this.pfnStart]! > 0;
  }

  /** It is another group. */
  begin(pfnStart: number): void {
    this.pfnStart = pfnStart;
    this.#counts.fill(0);
  }

  /** Its pfn `pfnStart` + `local` has one access more. */
  count(local: number): void {
    this.#counts[local]!++;
  }

  /** All are counted. */
  makeRoom(): void {
    for (let local = 0; local < GROUP_PFNS; local++) {
      this.#next[local] = this.starts[local]!;
      this.starts[local + 1] = this.starts[local]! + this.#counts[local]!;
    }
    const room = this.starts[GROUP_PFNS]!;
    if (this.order.length < room) this.order = new Int32Array(2 * room);
  }

  /** An access of its pfn `pfnStart` + `local`. */
  put(local: number, access: number): void {
    this.order[this.#next[local]!++] = access;
  }
}
