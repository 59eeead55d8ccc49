import { P2mError, type Word } from '../../events/index.js';
import { NEVER } from './register_operations.js';

/**
 * What an access of a register is. A bare read knows the entry without its indicator bits; `none` says nothing: it had
 * no effect, or nobody knows what it returned.
 */
export const AccessKind = { read: 0, bareRead: 1, write: 2, none: 3 } as const;

const KIND_BITS = 2;
const KIND_MASK = 3;
const REGISTERS_MAX = 2 ** (31 - KIND_BITS);
/** Accesses of a chunk, and words of one. */
const CHUNK_SHIFT = 18;
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;
const WORDS = 4;

/**
 * Accesses of registers, 16 bytes each: the words
 *
 *     0  register << 2 | AccessKind
 *     1  number of the event where it began
 *     2  of that where it ended, or NEVER
 *     3  what was read, or is written
 *
 * in chunks: nothing is copied while they become more. A record lies in one line of the processor's cache, so that looking
 * them up register by register waits for memory once for each.
 */
export class AccessColumns {
  readonly #chunks: Int32Array[] = [];
  #count = 0;

  /** Accesses, those that say nothing among them. */
  get count(): number {
    return this.#count;
  }

  /** An access begins; it has not ended yet. Gives its number, from 0. @throws {P2mError} code `capacity` */
  add(register: number, kind: number, call: number, value: Word): number {
    if (register >= REGISTERS_MAX) throw new P2mError('capacity', 'too many pfns', { expected: `${REGISTERS_MAX}` });
    const access = this.#count++;
    if ((access & CHUNK_MASK) === 0) {
      this.#chunks.push(new Int32Array(WORDS << CHUNK_SHIFT));
    }
    const chunk = this.chunkOf(access);
    const at = this.placeOf(access);
    chunk[at] = (register << KIND_BITS) | kind;
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

  /** The register of word 0. */
  static registerOf(word: number): number {
    return word >>> KIND_BITS;
  }

  /**
   * Those that say something, register by register, each one's in the order in which they were added.
   * @param registers how many there are
   */
  byRegister(registers: number): AccessOrder {
    const starts = new Int32Array(registers + 1);
    this.#eachTelling((register) => starts[register + 1]!++);
    for (let i = 1; i <= registers; i++) starts[i]! += starts[i - 1]!;
    const order = new Int32Array(starts[registers]!);
    this.#eachTelling((register, access) => (order[starts[register]!++] = access));
    // Each start has become the end of its register, which is the start of the next.
    starts.copyWithin(1, 0);
    starts[0] = 0;
    return { starts, order };
  }

  #eachTelling(tell: (register: number, access: number) => void): void {
    for (let access = 0; access < this.#count; access++) {
      const word = this.chunkOf(access)[this.placeOf(access)]!;
      if ((word & KIND_MASK) !== AccessKind.none) tell(word >>> KIND_BITS, access);
    }
  }
}

/** Numbers of accesses: those of register r are order[starts[r], starts[r + 1]). */
export interface AccessOrder {
  readonly starts: Int32Array;
  readonly order: Int32Array;
}
