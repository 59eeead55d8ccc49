const PAGE_SHIFT = 12;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
/** Above it pfns are few: look-ups of anything. */
const PAGED_END = 2 ** 31;

/** Numbers pfns from 0 on, in the order in which they were first met. Any pfn below 2^53. */
export class PfnNumbers {
  /** By upper bits of the pfn: number + 1 of each, 0 for none. */
  readonly #pages: (Int32Array | undefined)[] = [];
  readonly #above = new Map<number, number>();
  readonly #pfns: number[] = [];

  /** Pfns that have a number. */
  get count(): number {
    return this.#pfns.length;
  }

  /** The pfn of a number. */
  pfnOf(number: number): number {
    return this.#pfns[number]!;
  }

  /** The number of `pfn`, -1 where it has none. */
  find(pfn: number): number {
    if (pfn >= PAGED_END) return this.#above.get(pfn) ?? -1;
    const page = this.#pages[pfn >>> PAGE_SHIFT];
    return page === undefined ? -1 : page[pfn & PAGE_MASK]! - 1;
  }

  /** The number of `pfn`, a new one where it has none. */
  number(pfn: number): number {
    const known = this.find(pfn);
    return known >= 0 ? known : this.#add(pfn);
  }

  /** All numbers in the order of their pfns. */
  ascending(): Int32Array {
    const numbers = new Int32Array(this.count);
    let at = 0;
    for (const page of this.#pages) {
      if (page === undefined) continue;
      for (const cell of page) if (cell > 0) numbers[at++] = cell - 1;
    }
    for (const pfn of [...this.#above.keys()].sort((a, b) => a - b)) numbers[at++] = this.#above.get(pfn)!;
    return numbers;
  }

  #add(pfn: number): number {
    const number = this.#pfns.push(pfn) - 1;
    if (pfn >= PAGED_END) this.#above.set(pfn, number);
    else this.#pageOf(pfn)[pfn & PAGE_MASK] = number + 1;
    return number;
  }

  #pageOf(pfn: number): Int32Array {
    const index = pfn >>> PAGE_SHIFT;
    // Without holes: an array with few and distant cells would become a hash table.
    while (this.#pages.length <= index) this.#pages.push(undefined);
    return (this.#pages[index] ??= new Int32Array(1 << PAGE_SHIFT));
  }
}
