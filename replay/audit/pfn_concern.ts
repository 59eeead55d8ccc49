import { KINDS, type EventBatch, type EventsHeader } from '../../events/index.js';
import { geometryByName, type Geometry } from '../../src/index.js';

const K = {
  call: KINDS.call.id,
  lookUp: KINDS.look_up.id,
  bug: KINDS.bug.id,
  warn: KINDS.warn.id,
  fault: KINDS.fault.id,
  setEntry: KINDS.set_entry.id,
  setPte: KINDS.set_pte.id,
  setPmd: KINDS.set_pmd.id,
  populatePmd: KINDS.populate_pmd.id,
  identityRange: KINDS.identity_range.id,
  boot: KINDS.boot.id,
  loadEntries: KINDS.load_entries.id,
  setExtraMem: KINDS.set_extra_mem.id,
  setTopMfn: KINDS.set_top_mfn.id,
  setTopMfnP: KINDS.set_top_mfn_p.id,
  setTop: KINDS.set_top.id,
  setM2p: KINDS.set_m2p.id,
} as const;
const TWO_32 = 2 ** 32;

/**
 * Which events concern pfns of [pfnStart, pfnEnd): stores to their entries, ranges that cover one, PTEs, PMDs and slots of
 * the top pages that span one, calls, look-ups, bugs, warnings and faults of one. A mid page's slots and events that name
 * only a page do not say whose they are.
 */
export class PfnConcern {
  readonly pfnStart: number;
  readonly pfnEnd: number;
  readonly #g: Geometry;

  /** @throws {P2mError} the geometry of the header is none */
  constructor(header: EventsHeader, pfnStart: number, pfnEnd: number) {
    this.pfnStart = pfnStart;
    this.pfnEnd = pfnEnd;
    this.#g = geometryByName(header.geometry);
  }

  /** Whether event `i` does. */
  has(batch: EventBatch, i: number): boolean {
    const a = batch.a[i]!;
    const b = batch.b[i]!;
    switch (batch.kind[i]) {
      case K.setEntry:
        return a >= this.pfnStart && a < this.pfnEnd;
      case K.call:
      case K.bug:
      case K.warn:
      case K.fault:
        return this.#meets(batch.c[i]! * TWO_32 + (b >>> 0), 1);
      case K.lookUp:
        return this.#meets(b * TWO_32 + (a >>> 0), 1);
      case K.setPte:
        return this.#spans(Math.floor(a / this.#g.perPage), this.#g.perPage);
      case K.setPmd:
      case K.populatePmd:
        return this.#spans(Math.floor(a / this.#g.pfnsPerPtePage), this.#g.pfnsPerPtePage);
      case K.setTopMfn:
      case K.setTopMfnP:
      case K.setTop:
        return this.#spans(a, this.#g.pfnsPerMidPage);
      case K.identityRange:
        return this.#meets(a, b - a);
      case K.boot:
        return this.#meets(0, a);
      case K.loadEntries:
        return this.#meets(a, countOf(batch.payloadAt(b)));
      case K.setExtraMem:
        return this.#meets(batch.d[i]!, batch.e[i]!) || this.#meets(b, batch.c[i]!);
      case K.setM2p:
        return this.#meets(batch.c[i]! - 1, 1) || this.#meets(b - 1, 1);
      default:
        return false;
    }
  }

  /** Unit `index` of `size` pfns. */
  #spans(index: number, size: number): boolean {
    return this.#meets(index * size, size);
  }

  #meets(pfn: number, count: number): boolean {
    return pfn < this.pfnEnd && pfn + count > this.pfnStart;
  }
}

/** Entries of the runs `[count, word, stride]`. */
export function countOf(runs: Int32Array): number {
  let count = 0;
  for (let r = 0; r < runs.length; r += 3) count += runs[r]!;
  return count;
}
