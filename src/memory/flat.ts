import { assert, FAULT, Global, INVALID, P2mError, Role, type EntryCodec, type Word } from '../../events/index.js';
import type { Capacity } from './layout.js';
import { LIST_BUILDER, Memory, type MemoryBuffers } from './memory.js';
import { ptePage, type Pte } from './pte.js';

/**
 * One linear list of words, INVALID stored as 0: an untouched leaf is the operating system's zero page, as an untouched
 * leaf of the kernel's list is p2m_missing. For replay, stress and look-ups at speed.
 *
 * The words of a leaf live in the list while it is linked and nowhere before: a fill of an unlinked leaf is only noted,
 * and written where the leaf is linked. So a leaf can be linked once; a form or a race that maps a populated page twice
 * (known-defects.md B3, B4: `v3`, `7of8`, `3.19-rc1` under concurrency) needs the paged memory.
 */
export class FlatMemory extends Memory {
  override readonly kind = 'flat';
  /** Noted fill of each leaf page: pattern + 1 (0 none) and value. */
  readonly #fill: Int32Array;
  readonly #fillValue: Int32Array;
  readonly #filled: Uint8Array;

  constructor(capacity: Capacity, codec?: EntryCodec, buffers?: MemoryBuffers) {
    super(capacity, true, codec, buffers);
    const { pageEnd } = this.layout;
    const { fills } = this.buffers;
    this.#fill = new Int32Array(fills, 0, pageEnd);
    this.#fillValue = new Int32Array(fills, pageEnd * 4, pageEnd);
    this.#filled = new Uint8Array(fills, pageEnd * 8, pageEnd);
  }

  override loadEntry(pfn: number): Word {
    const words = this.words;
    if (words[Global.xen_p2m_addr] === LIST_BUILDER) return words[this.builderBase + pfn]!;
    const word = words[this.layout.linearBase + pfn]!;
    // 0 is INVALID in a leaf that is mapped, shared or not, and also what stands where nothing is mapped.
    if (word !== INVALID) return word;
    return this.pteOf(pfn) === 0 ? FAULT : INVALID;
  }

  override applyLink(pfn: number, ptPage: number, old: Pte, now: Pte): void {
    if (this.role(ptPage) !== Role.pte) {
      throw new P2mError('capacity', 'the flat memory cannot show a private leaf in a shared PT page', {
        got: `a PTE for pfn ${pfn} in the shared PT page ${ptPage}`,
        hint: 'use the paged memory',
      });
    }
    const linear = this.layout.linearBase + (pfn & ~this.leafMask);
    const before = ptePage(old);
    if (this.#isPrivate(before)) {
      assert(this.homes[before] === linear, `leaf ${before} is not linked at pfn ${pfn}`);
      this.homes[before] = this.poolHome(before);
      this.words.fill(INVALID, linear, linear + this.geometry.perPage);
    }
    const leaf = ptePage(now);
    if (!this.#isPrivate(leaf)) return;
    if (this.homes[leaf] !== this.poolHome(leaf)) {
      throw new P2mError('capacity', 'the flat memory cannot map a leaf twice', {
        got: `leaf ${leaf} for pfn ${pfn}, already linked at pfn ${this.homes[leaf]! - this.layout.linearBase}`,
        hint: 'use the paged memory',
      });
    }
    if (this.role(leaf) === Role.init) {
      const home = this.poolHome(leaf);
      this.words.copyWithin(linear, home, home + this.geometry.perPage);
    } else {
      const fill = this.#fill[leaf]!;
      assert(fill !== 0, `leaf ${leaf} is linked before it was filled`);
      this.fillWords(linear, fill - 1, this.#fillValue[leaf]!, true);
    }
    this.homes[leaf] = linear;
  }

  override applyFill(page: number, pattern: number, value: number): void {
    if (this.role(page) === Role.leaf) {
      assert(this.homes[page] === this.poolHome(page), `leaf ${page} is filled while it is linked`);
      this.#fill[page] = pattern + 1;
      this.#fillValue[page] = value;
      return;
    }
    const fresh = this.#filled[page] === 0 && page > this.layout.initPages;
    this.#filled[page] = 1;
    this.fillWords(this.homes[page]!, pattern, value, fresh);
  }

  #isPrivate(page: number): boolean {
    const role = this.role(page);
    return role === Role.leaf || role === Role.init;
  }
}
