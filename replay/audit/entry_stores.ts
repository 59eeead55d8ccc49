/** How often something was stored to each entry: exact, with an array for each leaf that was stored to. */
export class EntryStores {
  readonly #perLeaf: number;
  readonly #leaves = new Map<number, Uint32Array>();

  /** @param perLeaf entries of a leaf, a power of two */
  constructor(perLeaf: number) {
    this.#perLeaf = perLeaf;
  }

  /** A store to the entry of `pfn`. */
  count(pfn: number): void {
    const leaf = Math.floor(pfn / this.#perLeaf);
    let counts = this.#leaves.get(leaf);
    if (counts === undefined) this.#leaves.set(leaf, (counts = new Uint32Array(this.#perLeaf)));
    counts[pfn & (this.#perLeaf - 1)]!++;
  }

  /** The `max` pfns with most stores, the lower one first where two have as many. */
  hotPfns(max: number): [pfn: number, stores: number][] {
    const hot: [number, number][] = [];
    for (const leaf of this.#sorted()) {
      this.#leaves.get(leaf)!.forEach((stores, i) => {
        if (stores > 0) keepMost(hot, leaf * this.#perLeaf + i, stores, max);
      });
    }
    return hot;
  }

  /** The `max` leaves with most stores, by their first pfn. */
  hotLeaves(max: number): [pfn: number, stores: number][] {
    const hot: [number, number][] = [];
    for (const leaf of this.#sorted()) {
      const stores = this.#leaves.get(leaf)!.reduce((sum, count) => sum + count, 0);
      keepMost(hot, leaf * this.#perLeaf, stores, max);
    }
    return hot;
  }

  #sorted(): number[] {
    return [...this.#leaves.keys()].sort((a, b) => a - b);
  }
}

/** Puts it behind those that have as many or more, and keeps `max`. */
function keepMost(hot: [number, number][], pfn: number, stores: number, max: number): void {
  if (hot.length === max && stores <= hot[max - 1]![1]) return;
  const place = hot.findIndex(([, others]) => others < stores);
  hot.splice(place < 0 ? hot.length : place, 0, [pfn, stores]);
  if (hot.length > max) hot.pop();
}
