import { Global, type Word } from '../../events/index.js';
import { LIST_BUILDER, Memory, type MemoryBuffers } from './memory.js';
import type { Capacity } from './layout.js';
import type { EntryCodec } from '../../events/index.js';

/**
 * Real indirection, pmd -> PT page -> leaf -> word: a page that two slots name is one page, so aliasing, pollution of
 * shared pages and use after free can happen here as in the kernel. The reference.
 */
export class PagedMemory extends Memory {
  override readonly kind = 'paged';
  /** Pages that were filled at some time, undone or not: only the others are known to be 0. */
  readonly #filled: Uint8Array;

  constructor(capacity: Capacity, codec?: EntryCodec, buffers?: MemoryBuffers) {
    super(capacity, false, codec, buffers);
    this.#filled = new Uint8Array(this.buffers.fills, 0, this.layout.pageEnd);
  }

  override loadEntry(pfn: number): Word {
    if (this.words[Global.xen_p2m_addr] === LIST_BUILDER) return this.words[this.builderBase + pfn]!;
    return this.walkAndLoad(pfn);
  }

  override applyLink(): void {
    // A PTE is all there is to a link here.
  }

  /** Its words were put back as they were at a moment when it had been filled. */
  noteFilled(page: number): void {
    this.#filled[page] = 1;
  }

  override applyFill(page: number, pattern: number, value: number): void {
    const fresh = this.#filled[page] === 0 && page > this.layout.initPages;
    this.#filled[page] = 1;
    this.fillWords(this.homes[page]!, pattern, value, fresh);
  }
}
