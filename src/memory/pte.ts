/**
 * A page-table word, for PTEs and PMDs alike:
 *
 *     31 ........ 2 | 1 | 0
 *     page          | W | P       W writable, P present; 0 is an empty slot
 */
export type Pte = number;

/** No page: a null pointer, an empty slot. */
export const NO_PAGE = 0;
/** An empty slot. */
export const NO_PTE: Pte = 0;

const PRESENT = 1;
const WRITABLE = 2;

/** PTE of `page` with PAGE_KERNEL (`writable`) or PAGE_KERNEL_RO. */
export function makePte(page: number, writable: boolean): Pte {
  return (page << 2) | (writable ? WRITABLE | PRESENT : PRESENT);
}

/** The page that the PTE names; NO_PAGE for an empty slot. */
export function ptePage(pte: Pte): number {
  return pte >>> 2;
}

/** Whether a store through this PTE goes through; otherwise it faults. */
export function pteWritable(pte: Pte): boolean {
  return (pte & WRITABLE) !== 0;
}
