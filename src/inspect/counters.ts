import { KINDS, Pattern, type EventBatch } from '../../events/index.js';
import type { Geometry } from '../geometry.js';

/** What an operation cost, counted from its events (vectors/README.md, "Counters"). */
export interface Counters {
  /** Pages that the p2m code got, and those it did not get. */
  alloc: number;
  allocFailed: number;
  free: number;
  setPte: number;
  setPmd: number;
  /** PT pages that the boot mapper made. */
  populate: number;
  pvAlloc: number;
  pvRelease: number;
  /** Increments of the generation; its reset to 0 does not count. */
  gen: number;
}

/** All zero. */
export function noCounters(): Counters {
  return { alloc: 0, allocFailed: 0, free: 0, setPte: 0, setPmd: 0, populate: 0, pvAlloc: 0, pvRelease: 0, gen: 0 };
}

/** Adds what the events of `batch` cost. */
export function count(counters: Counters, batch: EventBatch, geometry: Geometry): void {
  for (let i = 0; i < batch.length; i++) {
    switch (batch.kind[i]) {
      case KINDS.alloc_page.id:
        counters.alloc++;
        break;
      case KINDS.alloc_failed.id:
        counters.allocFailed++;
        break;
      case KINDS.free_page.id:
        counters.free++;
        break;
      case KINDS.set_pte.id:
        counters.setPte++;
        break;
      case KINDS.fill_page.id:
        if (batch.b[i] === Pattern.pte) counters.setPte += geometry.ptrsPerPte;
        break;
      case KINDS.set_pmd.id:
        counters.setPmd++;
        break;
      case KINDS.populate_pmd.id:
        counters.populate++;
        break;
      case KINDS.announce_page.id:
        counters.pvAlloc++;
        break;
      case KINDS.retract_page.id:
        counters.pvRelease++;
        break;
      case KINDS.set_generation.id:
        if (batch.c[i] === batch.b[i]! + 1) counters.gen++;
        break;
      default:
    }
  }
}
