import type { PfnRange } from '../../src/index.js';
import type { Random } from '../explore/random.js';

/** Most grants of one operation. */
export const GRANTS_AT_ONCE = 8;
/** Most pages that a thread maps grants to. */
const PAGES_MAX = 4096;

/** The pages that one thread's driver maps grants to: pfns `k * threads + thread` of a range. */
export class GrantPages {
  readonly #random: Random;
  /** Those that are mapped stand first. */
  readonly #pfns: Int32Array;
  /** Frames that they are mapped to. */
  readonly #mfns: Int32Array;
  #mapped = 0;
  /** Page and frame of each slot of the last `map` or `unmap`. */
  readonly slotPfn = new Int32Array(GRANTS_AT_ONCE);
  /** As `slotPfn`. */
  readonly slotMfn = new Int32Array(GRANTS_AT_ONCE);

  constructor(random: Random, range: PfnRange, thread: number, threads: number) {
    const count = Math.min(Math.floor((range.pfnEnd - range.pfnStart) / threads), PAGES_MAX);
    this.#random = random;
    this.#pfns = Int32Array.from({ length: count }, (_, k) => range.pfnStart + k * threads + thread);
    this.#mfns = new Int32Array(count);
  }

  /** Pages that it has. */
  get pages(): number {
    return this.#pfns.length;
  }

  /** Whether to map next: as often as not, where both can be. */
  mapsNext(): boolean {
    if (this.#mapped === 0) return true;
    return this.#mapped < this.#pfns.length && this.#random.below(2) === 0;
  }

  /** Slots of frames `mfn` and on, for pages that are not mapped. Gives how many. */
  map(mfn: number): number {
    const free = this.#pfns.length - this.#mapped;
    const count = 1 + this.#random.below(Math.min(free, GRANTS_AT_ONCE));
    for (let slot = 0; slot < count; slot++) {
      const page = this.#mapped + this.#random.below(this.#pfns.length - this.#mapped);
      this.#fill(slot, this.#mapped, page, mfn + slot);
      this.#mapped++;
    }
    return count;
  }

  /** Slots of pages that are mapped, which they are no longer. Gives how many. */
  unmap(): number {
    const count = 1 + this.#random.below(Math.min(this.#mapped, GRANTS_AT_ONCE));
    for (let slot = 0; slot < count; slot++) {
      const page = this.#random.below(this.#mapped);
      const last = --this.#mapped;
      const mfn = this.#mfns[page]!;
      this.#mfns[page] = this.#mfns[last]!;
      this.#fill(slot, last, page, mfn);
    }
    return count;
  }

  /** Page `from` changes places with page `to`, and is that of the slot. */
  #fill(slot: number, to: number, from: number, mfn: number): void {
    const pfn = this.#pfns[from]!;
    this.#pfns[from] = this.#pfns[to]!;
    this.#pfns[to] = pfn;
    this.#mfns[to] = mfn;
    this.slotPfn[slot] = pfn;
    this.slotMfn[slot] = mfn;
  }
}
