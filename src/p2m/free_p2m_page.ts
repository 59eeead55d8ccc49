import { Global } from '../../events/index.js';
import type { Cpu } from '../cpu.js';

/**
 * `free_p2m_page(page)`: part of a row of its caller (spec 6.5). Up to L1 freeing before the slab allocator is up is a
 * BUG. Returns whether the caller may go on; if not, its row must give `cpu.top.pc`.
 */
export function freeP2mPage(cpu: Cpu, page: number): boolean {
  if (!cpu.form.earlyFree && cpu.port.global(Global.slab_is_available) === 0) {
    cpu.bug('early-free', page);
    return false;
  }
  cpu.port.freePage(page);
  return true;
}
